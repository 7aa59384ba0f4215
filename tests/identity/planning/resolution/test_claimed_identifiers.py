"""A call claims what it says in the places of the table, and placeholders of nobody are told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.resolution.extract import extract
from identity.planning.resolution.placeholder_values import NOBODY, NOBODYS_EMAILS
from identity.planning.resolution.resolution_rules import DEFAULT_RULES, Rules, compile_rules
from identity.values.calls import Call, Identifier, Kind, Skipped, Source


def read(body: dict[str, Any], kind: Kind, rules: Rules = DEFAULT_RULES) -> Call:
    """The call that this body is read as."""
    return extract(body, kind=kind, rules=rules, received=0, sent_at=None, source=Source(1))


def kept(body: dict[str, Any], kind: Kind = "track", rules: Rules = DEFAULT_RULES) -> list[str]:
    """The identifiers that count, as text."""
    return [identifier.text for identifier in read(body, kind, rules).identifiers]


def skipped(body: dict[str, Any], kind: Kind = "track", rules: Rules = DEFAULT_RULES) -> list[tuple[str, str]]:
    """The identifiers that do not, as text, with their reasons."""
    return [(skip.identifier.text, skip.reason) for skip in read(body, kind, rules).skipped]


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


def test_identify_in_document_order() -> None:
    """An identify claims from every place of the table, in its order."""
    own = ["email:one@x.com", "email:two@x.com", "phone:+14155552671", "phone:+14155552672"]
    assert kept(EVERYTHING, "identify") == ["user_id:u1", *own, *OF_CONTEXT]


@pytest.mark.parametrize("kind", ["track", "page", "screen", "group"])
def test_other_calls_claim_no_own_traits(kind: Kind) -> None:
    """Only identify yields identifiers from its traits; a group's traits are the group's."""
    body = {**EVERYTHING, "groupId": "g1"}
    assert kept(body, kind) == ["user_id:u1", "email:two@x.com", "phone:+14155552672", *OF_CONTEXT]


def test_email_of_properties_only_by_rule() -> None:
    """The e-mail of a friend in the properties is promoted only where the rules say so."""
    body = {"userId": "u1", "properties": {"email": "Friend@x.com", "phone": "415-555-2671"}}
    promoting = compile_rules({"promote_property_email": True}, 1)
    assert (kept(body), kept(body, rules=promoting)) == (["user_id:u1"], ["user_id:u1", "email:friend@x.com"])


def test_no_repeats() -> None:
    """The same identifier in two spellings and places counts once."""
    body = {"traits": {"email": "A@x.com"}, "context": {"traits": {"email": " a@X.com "}}}
    assert kept(body, "identify") == ["email:a@x.com"]


@pytest.mark.parametrize("flag", [False, None, "true", 1])
def test_advertising_id_needs_permission(flag: object) -> None:
    """Without adTrackingEnabled being true the advertising id is not claimed."""
    device = {"type": "android", "id": "D", "advertisingId": "AD", "adTrackingEnabled": flag}
    assert kept({"context": {"device": device}}) == ["android.id:D"]


@pytest.mark.parametrize(
    "context",
    [
        {"device": {"id": "D"}},
        {"device": {"type": "tv", "id": "D"}},
        {"device": {"type": 5, "id": "D"}},
        {"device": "ios"},
        {"device": None},
        {"integrations": {"Google Analytics": "x"}},
        {"integrations": {"All": True}},
        {"integrations": []},
        {"traits": "x"},
        {"externalIds": {"type": "a", "id": "b"}},
        {"externalIds": [None, 1, "x", [], {}]},
    ],
)
def test_odd_context_is_passed_over(context: dict[str, Any]) -> None:
    """A part of another shape costs the call nothing but itself."""
    assert kept({"userId": "u1", "context": context}) == ["user_id:u1"]


@pytest.mark.parametrize(
    "more",
    [{}, {"collection": "users"}, {"encoding": "none"}, {"collection": None, "encoding": None}, {"x": 1}],
)
def test_external_id(more: dict[str, Any]) -> None:
    """Collection and encoding have defaults; the type is small letters."""
    assert kept(external("Loyalty_ID", "L1", **more)) == ["loyalty_id:L1"]


@pytest.mark.parametrize(
    "body",
    [
        external(None, "x"),
        external(5, "x"),
        external("crm", None),
        external("crm", {}),
        external("crm", True),
        external("crm", "x", collection="accounts"),
        external("crm", "x", encoding="base64"),
        external("bad type", None),
    ],
)
def test_malformed_external_id_is_passed_over(body: dict[str, Any]) -> None:
    """An entry that is not of users, or not whole, is no identifier and no skipped one."""
    assert (kept(body), skipped(body)) == ([], [])


def test_external_id_of_a_built_in_type() -> None:
    """It is normalised like any other of its type."""
    assert kept(external("email", " Ann@X.com ")) == ["email:ann@x.com"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("loyalty id", "loyalty id"), ("1st", "1st"), ("", ""), ("a" * 60, "a" * 48), ("a\x00\ud800b", "a??b")],
)
def test_bad_type(name: str, shown: str) -> None:
    """A type that cannot be one is told, cut and cleaned, and the call stands."""
    assert skipped(external(name, "L1")) == [(f"{shown}:L1", "bad_type")]


@pytest.mark.parametrize("value", [" ", "", None, True, {}, [], "a\u200bb", "a\x00b", "x" * 1025])
def test_unusable_values_vanish(value: object) -> None:
    """What could never be an identifier is neither kept nor told."""
    body = {"userId": value, "anonymousId": value}
    assert (kept(body), skipped(body)) == ([], [])


@given(st.sampled_from(sorted(NOBODY)), st.sampled_from(["userId", "anonymousId"]), st.booleans())
def test_blocked_everywhere(word: str, field: str, quoted: bool) -> None:  # noqa: FBT001 (drawn)
    """A placeholder is skipped in any field and any dress, and told as it was given."""
    value = f'"{word.upper()}"' if quoted else word
    type_ = "user_id" if field == "userId" else "anonymous_id"
    body = {field: f" {value} ", **external("crm", value)}
    assert kept(body) == []
    assert sorted(skipped(body)) == sorted([(f"{type_}:{value}", "blocked"), (f"crm:{value}", "blocked")])


@pytest.mark.parametrize("address", sorted(NOBODYS_EMAILS))
def test_placeholder_emails(address: str) -> None:
    """They stay traits, whatever their case, and are no identifiers."""
    call = read({"userId": "u1", "traits": {"email": address.upper()}}, "identify")
    assert call.identifiers == [Identifier("user_id", "u1")]
    assert call.skipped == [Skipped(Identifier("email", address), "blocked")]
    assert call.traits == {"email": address.upper()}


def test_patterns_of_the_space() -> None:
    """They see the normalised value."""
    rules = compile_rules({"blocked": {"email": ["team@co\\.com"], "*": ["b.t"]}}, 1)
    body = {"userId": "bot", "anonymousId": "bit!", "context": {"traits": {"email": "Team@Co.com"}}}
    assert kept(body, rules=rules) == ["anonymous_id:bit!"]
    assert skipped(body, rules=rules) == [("user_id:bot", "blocked"), ("email:team@co.com", "blocked")]
