"""A call claims the identifiers in the places of the table; blocked ones are listed as demoted."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.resolution.claimed_identifiers import Memo
from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import DEFAULT_RULES, Rules, compile_rules
from identity.values.calls import Call, DemotedIdentifier, Identifier, Kind, Source
from identity.values.placeholders.placeholder_values import PLACEHOLDER_EMAILS, PLACEHOLDERS
from identity.values.stamps import Micros


def read(body: dict[str, Any], kind: Kind, rules: Rules = DEFAULT_RULES) -> Call:
    """The call in a body."""
    return extract(body, kind=kind, rules=rules, received=Micros(0), sent_at=None, source=Source(1))


def kept(body: dict[str, Any], kind: Kind = "track", rules: Rules = DEFAULT_RULES) -> list[str]:
    """The kept identifiers as text."""
    return [identifier.text for identifier in read(body, kind, rules).identifiers]


def demoted(body: dict[str, Any], kind: Kind = "track", rules: Rules = DEFAULT_RULES) -> list[tuple[str, str]]:
    """The demoted identifiers as text, with their reasons."""
    return [(each.identifier.text, each.reason) for each in read(body, kind, rules).demoted]


def external(type_: object, id_: object, **more: object) -> dict[str, Any]:
    """A body with one entry of externalIds."""
    return {"context": {"externalIds": [{"type": type_, "id": id_, **more}]}}


EVERYTHING = {
    "userId": "u1",
    "anonymousId": "a1",
    "traits": {"email": "one@x.com", "phone": "415-555-2671"},
    "properties": {"email": "three@x.com", "phone": "415-555-2673"},
    "context": {
        "traits": {"email": "two@x.com", "phone": "415-555-2672"},
        "externalIds": [{"type": "zip", "id": "Z"}, {"type": "CRM", "id": 7}],
        "device": {"type": "iOS", "id": "D", "advertisingId": "AD", "adTrackingEnabled": True, "token": "T"},
        "integrations": {"Google Analytics": {"clientId": "1.2"}},
    },
}
OF_CONTEXT = [
    "zip:Z",
    "crm:7",
    "ios.id:D",
    "ios.idfa:AD",
    "ios.push_token:T",
    "ga_client_id:1.2",
    "anonymous_id:a1",
]


def test_an_identify_claims_from_every_place_in_document_order() -> None:
    """The order of docs/merging-rules.md."""
    own = ["email:one@x.com", "email:two@x.com", "phone:+14155552671", "phone:+14155552672"]
    assert kept(EVERYTHING, "identify") == ["user_id:u1", *own, *OF_CONTEXT]


@pytest.mark.parametrize("kind", ["track", "page", "screen", "group"])
def test_only_an_identify_claims_from_its_traits(kind: Kind) -> None:
    """The traits of a group call belong to the group."""
    body = {**EVERYTHING, "groupId": "g1"}
    assert kept(body, kind) == ["user_id:u1", "email:two@x.com", "phone:+14155552672", *OF_CONTEXT]


def test_an_email_in_properties_is_claimed_only_by_rule() -> None:
    """An e-mail address in properties may belong to a friend."""
    body = {"userId": "u1", "properties": {"email": "Friend@x.com", "phone": "415-555-2671"}}
    promoting = compile_rules({"promote_property_email": True}, 1)
    assert (kept(body), kept(body, rules=promoting)) == (["user_id:u1"], ["user_id:u1", "email:friend@x.com"])


def test_two_spellings_of_one_identifier_count_once() -> None:
    """In different places of a call."""
    body = {"traits": {"email": "A@x.com"}, "context": {"traits": {"email": " a@X.com "}}}
    assert kept(body, "identify") == ["email:a@x.com"]


@pytest.mark.parametrize("flag", [False, None, "true", 1])
def test_an_advertising_id_needs_permission(flag: object) -> None:
    """Only `adTrackingEnabled` true is permission."""
    device = {"type": "android", "id": "D", "advertisingId": "AD", "adTrackingEnabled": flag}
    assert kept({"context": {"device": device}}) == ["android.id:D"]


@pytest.mark.parametrize(
    "context",
    [
        {"device": {"id": "D"}},
        {"device": {"type": "tv", "id": "D"}},
        {"device": "ios"},
        {"integrations": {"Google Analytics": "x"}},
        {"integrations": {"All": True}},
        {"integrations": []},
        {"traits": "x"},
        {"externalIds": {"type": "a", "id": "b"}},
        {"externalIds": [None, 1, "x", [], {}]},
    ],
)
def test_a_malformed_part_of_the_context_is_ignored(context: dict[str, Any]) -> None:
    """The other identifiers of the call stay."""
    assert kept({"userId": "u1", "context": context}) == ["user_id:u1"]


@pytest.mark.parametrize(
    ("device", "shown"),
    [
        ({"id": "D"}, ["device:D"]),
        ({"type": "tv", "id": "D", "token": "T"}, ["device:D", "device:T"]),
        ({"type": 5, "id": ["D"]}, ["device:(array)"]),
        ({"advertisingId": "AD", "adTrackingEnabled": True}, ["device:AD"]),
        ({"advertisingId": "AD"}, []),
        ({"type": "desktop", "model": "x"}, []),
        ({"type": "ios"}, []),
        ("ios", ["device:(text)"]),
        (["ios"], ["device:(array)"]),
        ([], []),
        ({}, []),
        (None, []),
    ],
)
def test_each_id_of_a_device_of_no_known_type_is_skipped_with_its_reason(device: object, shown: list[str]) -> None:
    """An advertising id without permission is no claim; a device without ids loses nothing."""
    assert kept({"context": {"device": device}}) == []
    assert demoted({"context": {"device": device}}) == [(each, "unknown_device") for each in shown]


@pytest.mark.parametrize(
    "more",
    [{}, {"collection": "users"}, {"encoding": "none"}, {"collection": None, "encoding": None}, {"x": 1}],
)
def test_the_type_of_an_external_id_becomes_small_letters(more: dict[str, Any]) -> None:
    """Collection and encoding have defaults."""
    assert kept(external("Loyalty_ID", "L1", **more)) == ["loyalty_id:L1"]


@pytest.mark.parametrize(
    ("body", "shown", "reason"),
    [
        (external(None, "x"), "external_id:type (null)", "malformed_external_id"),
        (external(5, "x"), "external_id:type (number)", "malformed_external_id"),
        (external("crm", None), "crm:(null)", "malformed_external_id"),
        (external("crm", {}), "crm:(object)", "not_text"),
        (external("crm", True), "crm:(boolean)", "not_text"),
        (external("crm", " "), "crm:", "empty"),
        (external("crm", "x", collection="accounts"), "crm:x", "other_collection"),
        (external("crm", "x", encoding="base64"), "crm:x", "encoded"),
        (external("bad type", None), "bad type:(null)", "bad_type"),
        ({"context": {"externalIds": [None]}}, "external_id:(null)", "malformed_external_id"),
        ({"context": {"externalIds": ["x"]}}, "external_id:(text)", "malformed_external_id"),
        ({"context": {"externalIds": {"type": "crm", "id": "x"}}}, "external_id:(object)", "malformed_external_id"),
    ],
)
def test_a_malformed_external_id_is_skipped_with_its_reason(body: dict[str, Any], shown: str, reason: str) -> None:
    """An incomplete entry, or one of another collection than users."""
    assert (kept(body), demoted(body)) == ([], [(shown, reason)])


def test_an_external_id_of_a_built_in_type_is_normalised() -> None:
    """Like any identifier of the type."""
    assert kept(external("email", " Ann@X.com ")) == ["email:ann@x.com"]


@pytest.mark.parametrize("member", ["Collection", "collections", "Encoding", "encodings", "en_coding"])
def test_an_external_id_with_a_misspelt_member_is_not_linked(member: str) -> None:
    """The id may be that of an account, or encoded; an unknown member says nothing of the kind."""
    entry = {"type": "crm", "id": "acme"}
    assert demoted({"context": {"externalIds": [{**entry, member: "x"}]}}) == [("crm:acme", "malformed_external_id")]
    assert kept({"context": {"externalIds": [{**entry, "source": "x"}]}}) == ["crm:acme"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("loyalty id", "loyalty id"), ("1st", "1st"), ("", ""), ("a" * 60, "a" * 48), ("a\x00\ud800b", "a??b")],
)
def test_an_invalid_type_is_listed_as_skipped(name: str, shown: str) -> None:
    """The list holds the type cut and cleaned; the call is accepted."""
    assert demoted(external(name, "L1")) == [(f"{shown}:L1", "bad_type")]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (" ", "empty"),
        ("", "empty"),
        (True, "not_text"),
        ({}, "not_text"),
        ([], "not_text"),
        ("a\u200bb", "control_characters"),
        ("a\x00b", "control_characters"),
        ("x" * 1025, "too_long"),
        (2.0**53, "inexact_number"),
    ],
)
def test_an_unusable_value_is_skipped_with_its_reason(value: object, reason: str) -> None:
    """In any field of the call."""
    body = {"userId": value, "anonymousId": value}
    assert kept(body) == []
    assert [(text.partition(":")[0], why) for text, why in demoted(body)] == [
        ("user_id", reason),
        ("anonymous_id", reason),
    ]


def test_a_null_claims_nothing() -> None:
    """SDKs send null for an id that they do not have."""
    body = {"userId": None, "anonymousId": None, "context": {"externalIds": None, "traits": {"email": None}}}
    assert (kept(body), demoted(body)) == ([], [])


@given(st.sampled_from(sorted(PLACEHOLDERS)), st.sampled_from(["userId", "anonymousId"]), st.booleans())
def test_a_placeholder_is_skipped_in_any_field(word: str, field: str, quoted: bool) -> None:  # noqa: FBT001 (drawn)
    """In any spelling; the list of demoted identifiers holds the given spelling."""
    value = f'"{word.upper()}"' if quoted else word
    type_ = "user_id" if field == "userId" else "anonymous_id"
    body = {field: f" {value} ", **external("crm", value)}
    assert kept(body) == []
    assert sorted(demoted(body)) == sorted([(f"{type_}:{value}", "blocked"), (f"crm:{value}", "blocked")])


@pytest.mark.parametrize("address", sorted(PLACEHOLDER_EMAILS))
def test_a_placeholder_email_stays_a_trait_and_is_no_identifier(address: str) -> None:
    """In any case of its letters."""
    call = read({"userId": "u1", "traits": {"email": address.upper()}}, "identify")
    assert call.identifiers == [Identifier("user_id", "u1")]
    assert call.demoted == [DemotedIdentifier(Identifier("email", address), "blocked")]
    assert call.traits == {"email": address.upper()}


def test_patterns_of_a_space_match_normalised_values() -> None:
    """A pattern in small letters blocks an address in capitals."""
    rules = compile_rules({"blocked": {"email": ["team@co\\.com"], "*": ["b.t"]}}, 1)
    body = {"userId": "bot", "anonymousId": "bit!", "context": {"traits": {"email": "Team@Co.com"}}}
    assert kept(body, rules=rules) == ["anonymous_id:bit!"]
    assert demoted(body, rules=rules) == [("user_id:bot", "blocked"), ("email:team@co.com", "blocked")]


def test_calls_of_one_batch_share_what_was_read_and_no_identifier(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that costs time is read once, and each call gets identifiers of its own, which get keys later."""
    body = {"context": {"externalIds": [{"type": "phone", "id": "+4930123456"}, {"type": "email", "id": "nobody"}]}}
    memo: Memo = {}

    def read_again() -> Call:
        return extract(
            body, kind="track", rules=DEFAULT_RULES, received=Micros(0), sent_at=None, source=Source(1), memo=memo
        )

    first = read_again()
    monkeypatch.setattr("identity.planning.resolution.claimed_identifiers.normalise", None)
    second = read_again()

    assert (
        [each.text for each in first.identifiers] == [each.text for each in second.identifiers] == ["phone:+4930123456"]
    )
    assert first.identifiers[0] is not second.identifiers[0]
    assert [(each.identifier.text, each.reason) for each in second.demoted] == [("email:nobody", "invalid_email")]
