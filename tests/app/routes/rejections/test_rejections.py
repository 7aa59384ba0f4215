"""The list of rejections over the wire: each kind of loss once, with its reason, for the admin alone."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from identity.operations.ingest.request import LARGEST_ITEM
from identity.planning.resolution.rejections import MOST_NAMES
from tests.app.conftest import Shop, Suppress
from tests.support.http.rejections import BIG, externals, listed

OUTCOMES = {"Prefer": "return=representation"}


def line(shop: Shop, **expected: Any) -> dict[str, Any]:
    """The one line of the list, which holds what is expected; returns all of it."""
    (only,) = listed(shop)
    plain: dict[str, Any] = {
        "reason": None,
        "demoted": [],
        "ignored_traits": [],
        "ignored_count": 0,
        "profile_id": None,
    }
    assert only == only | plain | expected
    return only


def unlinked(reason: str, count: int = 1, identifier: str | None = None) -> dict[str, Any]:
    """A demotion as the list shows it."""
    return {"identifier": identifier, "reason": reason, "count": count}


def test_accepted_and_duplicate_calls_are_not_listed(shop: Shop) -> None:
    """Only losses are."""
    for _ in range(2):
        shop.send({"type": "identify", "userId": "u1", "messageId": "m1", "traits": {"email": "a@b.org"}})

    assert shop.ask("GET", "/v1/rejections").json() == {"rejections": [], "next_cursor": None}


def test_rejected_in_a_batch(shop: Shop) -> None:
    """A rejected item is listed with its message id, its code and the key that sent it."""
    shop.send(
        {"type": "track", "event": "E", "userId": "u1", "messageId": "m1"},
        {"type": "group", "userId": "u1", "messageId": "m2"},
        key="import",
    )

    only = line(shop, message_id="m2", type="group", status="rejected", reason="missing_group_id")
    keys = shop.ask("GET", "/v1/keys").json()["keys"]
    assert [key["key_id"] for key in keys if "import" in key["scopes"]] == [only["source"]]


@pytest.mark.parametrize(
    ("call", "reason", "message_id"),
    [
        ({"messageId": "m1", "context": 1}, "context_not_object", "m1"),
        ({"messageId": "m1", "properties": {"a": "x" * LARGEST_ITEM}}, "too_large", "m1"),
        ({"messageId": "m" * 101}, "message_id_too_long", None),
        ({"messageId": "a\0b"}, "bad_message_id", "a\0b"),
    ],
)
def test_a_single_rejected_call_is_listed(
    shop: Shop, call: dict[str, Any], reason: str, message_id: str | None
) -> None:
    """It was answered 400."""
    answer = shop.ask("POST", "/v1/identify", "write", json={"userId": "u1", **call})

    assert (answer.status_code, answer.json()["code"]) == (400, reason)
    line(shop, message_id=message_id, type="identify", status="rejected", reason=reason)


def test_an_unresolved_call_is_listed_with_its_reasons(shop: Shop) -> None:
    """The call names no usable identifier."""
    shop.send({"type": "page", "userId": "null", "messageId": "m1"})

    demoted = [unlinked("blocked")]
    line(shop, message_id="m1", type="page", status="unresolved", reason="no_usable_identifier", demoted=demoted)


def test_a_group_is_no_type_of_people(shop: Shop) -> None:
    """The entry is not linked, nor by a rebuild; an erasure of the group by this name names the route of groups."""
    entry = {"externalIds": [{"type": "Group_ID", "id": "acme"}]}
    (outcome,) = shop.send({"type": "page", "userId": "u1", "messageId": "m1", "context": entry})
    assert outcome["demoted"] == [{"identifier": "group_id:acme", "reason": "group_type"}]
    line(shop, message_id="m1", type="page", status="accepted", demoted=[unlinked("group_type")])
    erasure = shop.ask("POST", "/v1/erasures", "privacy", json={"identifiers": ["group_id:acme"]})
    assert erasure.status_code == 422
    assert "DELETE /v1/groups/{group_id}" in erasure.text
    job = shop.ask("POST", "/v1/rules/rebuild").json()["job_id"]
    assert shop.ask("GET", f"/v1/jobs/{job}?wait=30").json()["state"] == "done"
    found = shop.ask("GET", "/v1/profiles/user_id:u1").json()
    assert [each["type"] for each in found["identifiers"]] == ["user_id"]


def test_the_list_is_filtered_by_reason_status_source_and_time(shop: Shop) -> None:
    """Each filter alone and all together; a reason of any part of a call counts."""
    shop.send({"type": "nonsense", "messageId": "m1"}, {"type": "page", "userId": ["u"], "messageId": "m2"})
    shop.send({"type": "page", "userId": "null", "anonymousId": "a", "messageId": "m3"}, key="admin")
    time.sleep(0.01)
    middle = datetime.now(UTC).isoformat()
    shop.send({"type": "page", "userId": "u", "anonymousId": "", "messageId": "m4"})
    keys = {line["message_id"]: line["source"] for line in listed(shop)}

    def found(**params: Any) -> list[str]:
        return [line["message_id"] for line in listed(shop, **params)]

    assert found() == ["m4", "m3", "m2", "m1"]
    assert found(reason="invalid_type") == ["m1"]
    assert found(reason="not_text") == ["m2"]
    assert found(reason="no_usable_identifier") == ["m2"]
    assert found(reason="blocked") == ["m3"]
    assert found(status="accepted") == ["m4", "m3"]
    assert found(status="unresolved", limit=1) == ["m2"]
    assert found(source=keys["m3"]) == ["m3"]
    assert found(source=keys["m4"], until=middle) == ["m2", "m1"]
    assert found(since=middle, reason="empty", status="accepted", source=keys["m4"]) == ["m4"]


@pytest.mark.parametrize("wrong", [{"reason": "tyop"}, {"source": "key_none"}, {"until": "now"}, {"since": "now"}])
def test_a_filter_that_can_match_nothing_is_refused(common_shop: Shop, wrong: dict[str, str]) -> None:
    """The message says what is allowed."""
    answer = common_shop.ask("GET", "/v1/rejections", params=wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


def test_the_summary_counts_by_day_source_and_reason(shop: Shop) -> None:
    """Calls, identifiers and values count, each for its reason."""
    shop.send(
        {"type": "nonsense"},
        {"type": "nonsense"},
        {"type": "page", "anonymousId": "a", "userId": "null", "timestamp": "now"},
        {"type": "page", "anonymousId": "a", "userId": {}, "context": {"externalIds": [{}, {"type": "crm", "id": []}]}},
    )
    shop.send({"type": "page"}, key="admin")
    answer = shop.ask("GET", "/v1/rejections/summary").json()
    sources = {line["reason"]: line["source"] for line in listed(shop)}
    today = datetime.now(UTC).date().isoformat()

    assert answer["next_cursor"] is None
    assert {(each["day"], each["source"], each["reason"]): each["count"] for each in answer["counts"]} == {
        (today, sources["invalid_type"], "invalid_type"): 2,
        (today, sources["invalid_type"], "blocked"): 1,
        (today, sources["invalid_type"], "ignored_timestamp"): 1,
        (today, sources["invalid_type"], "not_text"): 2,
        (today, sources["invalid_type"], "malformed_external_id"): 1,
        (today, sources["no_identifier"], "no_identifier"): 1,
    }


def test_a_call_with_misspelt_fields_is_listed_with_a_hint(shop: Shop) -> None:
    """The hint names the right spelling, in the answer and in the list."""
    outcome = shop.send({"type": "page", "user_id": "u1", "anonymous_id": "a1", "messageId": "m1"})[0]
    hint = "user_id is not read; send userId."

    assert (outcome["status"], outcome["reason"], outcome["hint"]) == ("unresolved", "no_identifier", hint)
    line(shop, message_id="m1", type="page", status="unresolved", reason="no_identifier", hint=hint)


def test_an_ignored_timestamp_is_listed(shop: Shop) -> None:
    """The call is accepted as happening on its arrival; an import that states no arrival is rejected."""
    call = {"type": "page", "userId": "u1", "timestamp": "31.12.2024", "messageId": "m1"}
    dated = {**call, "receivedAt": "2025-01-01T00:00:00Z", "messageId": "m2"}
    batch = {"batch": [call, {"type": "page", "userId": "u1", "sentAt": "soon"}, dated]}
    answers = [shop.ask("POST", path, "import", json=batch, headers=OUTCOMES) for path in ("/v1/import", "/v1/batch")]
    outcomes = [
        [(each["status"], each["reason"], each["ignored_timestamp"]) for each in answer.json()["outcomes"]]
        for answer in answers
    ]

    assert outcomes == [
        [("rejected", "invalid_timestamp", None), ("accepted", None, "sentAt"), ("accepted", None, "timestamp")],
        [("accepted", None, "timestamp"), ("accepted", None, "sentAt"), ("duplicate", None, None)],
    ]
    assert [(each["reason"], each["ignored_timestamp"]) for each in listed(shop)] == [
        ("ignored_timestamp", "sentAt"),
        ("ignored_timestamp", "timestamp"),
        ("ignored_timestamp", "timestamp"),
        ("ignored_timestamp", "sentAt"),
        ("invalid_timestamp", None),
    ]


def test_a_signal_that_could_not_be_read_is_listed(shop: Shop) -> None:
    """As in the outcome of the call."""
    call = {"type": "page", "userId": "u1", "context": {"consent": {"tcf": "no string"}}, "messageId": "m1"}
    signals = shop.send(call)[0].get("invalid_signals")

    assert signals
    line(shop, message_id="m1", status="accepted", reason="invalid_signal", invalid_signals=signals)


@pytest.mark.parametrize("event", [None, "", "  ", 5, ["E"]])
def test_a_track_call_without_the_name_of_its_event_is_rejected(common_shop: Shop, event: object) -> None:
    """As Segment's libraries do."""
    outcome = common_shop.send({"type": "track", "userId": "u1", "event": event})[0]
    assert (outcome["status"], outcome["reason"]) == ("rejected", "missing_event")


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ({"userId": "x" * 1025}, "too_long"),
        ({"userId": ["u"]}, "not_text"),
        ({"userId": 2.0**53}, "inexact_number"),
        ({"userId": "a\u200db"}, "control_characters"),
        ({"traits": {"email": "ann@localhost"}}, "email_domain"),
        ({"traits": {"email": "Ann <ann@x.com>"}}, "email_with_name"),
        ({"traits": {"phone": "call me"}}, "invalid_phone"),
        ({"context": {"externalIds": [{"type": "crm", "id": {"a": 1}}]}}, "not_text"),
        ({"context": {"externalIds": ["x"]}}, "malformed_external_id"),
        ({"context": {"device": {"id": "D"}}}, "unknown_device"),
        ({"context": {"device": "D"}}, "unknown_device"),
        ({"traits": {"email": "mailto:ann@x.com"}}, "email_with_name"),
    ],
)
def test_every_identifier_that_is_not_taken_is_listed(shop: Shop, call: dict[str, Any], reason: str) -> None:
    """In the outcome and, without its value, in the list."""
    outcome = shop.send({"type": "identify", "anonymousId": "a", **call})[0]

    assert (outcome["status"], [each["reason"] for each in outcome["demoted"]]) == ("accepted", [reason])
    line(shop, status="accepted", demoted=[unlinked(reason)])


def test_a_blocked_value_of_a_stored_call_is_shown(shop: Shop) -> None:
    """With the profile of the call."""
    call = {"type": "track", "event": "E", "anonymousId": "a1", "userId": "Null", "messageId": "m1"}
    profile_id = shop.send(call)[0]["profile_id"]

    demoted = [unlinked("blocked", identifier="user_id:Null")]
    line(shop, message_id="m1", type="track", status="accepted", demoted=demoted, profile_id=profile_id)


def test_an_identifier_beyond_a_limit_is_listed_with_its_value(shop: Shop) -> None:
    """A merged profile has its canonical id."""
    shop.send({"type": "track", "event": "E", "anonymousId": "a0"})
    shop.ask("PUT", "/v1/rules", json={"limits": {"crm": {"max": 1}}})
    shop.send({"type": "track", "event": "E", "anonymousId": "a1", "messageId": "m1", "context": externals(3, "crm")})
    # Other rules meanwhile do not change what was.
    shop.ask("PUT", "/v1/rules", json={"limits": {"crm": {"max": 9}}, "blocked": {"crm": ["v.*"]}})
    merged = shop.send(
        {"type": "track", "event": "E", "anonymousId": "a0", "userId": "u1"},
        {"type": "track", "event": "E", "userId": "u1"},
    )
    shop.send({"type": "track", "event": "E", "anonymousId": "a1", "userId": "u1"})
    canonical = shop.ask("GET", "/v1/profiles/anonymous_id:a1").json()["profile_id"]
    assert canonical == merged[0]["profile_id"]

    demoted = [unlinked("limit:crm", identifier="crm:v1"), unlinked("limit:crm", identifier="crm:v2")]
    line(shop, message_id="m1", status="accepted", demoted=demoted, profile_id=canonical)


def test_a_refused_alias_is_listed_as_accepted_with_a_demotion(shop: Shop) -> None:
    """The previous id is the demoted identifier."""
    shop.send({"type": "identify", "userId": "u1"}, {"type": "identify", "userId": "u2"})
    shop.send({"type": "alias", "userId": "u1", "previousId": "u2", "messageId": "m1"})

    line(shop, message_id="m1", type="alias", demoted=[unlinked("alias_both_known", identifier="user_id:u2")],
         profile_id=shop.ask("GET", "/v1/profiles/user_id:u1").json()["profile_id"])  # fmt: skip


def test_identifiers_of_bad_types_are_counted_without_values(shop: Shop) -> None:
    """As are types beyond the limit of 64."""
    shop.send({"type": "track", "event": "E", "userId": "u1", "messageId": "m1", "context": externals(70)})
    shop.send({"type": "track", "event": "E", "userId": "u1", "messageId": "m2", "context": externals(2, "no type {}")})

    lines = listed(shop)
    assert [(each["message_id"], each["status"], each["demoted"]) for each in lines] == [
        ("m2", "accepted", [unlinked("bad_type", 2)]),
        ("m1", "accepted", [unlinked("too_many_types", 6)]),
    ]


def test_traits_beyond_the_size_limit_are_listed_by_name(shop: Shop) -> None:
    """Up to 50 names."""
    for n in range(6):
        shop.send({"type": "identify", "userId": "u1", "traits": {f"big{n}": BIG}})
    traits = {f"small{n}": "x" * 100 for n in range(200)}
    shop.send({"type": "identify", "userId": "u1", "messageId": "m1", "traits": traits})

    kept = shop.ask("GET", "/v1/profiles/user_id:u1").json()["traits"]
    ignored = [name for name in traits if name not in kept]
    assert len(ignored) > MOST_NAMES
    line(shop, message_id="m1", type="identify", status="accepted", reason="trait_limit",
         ignored_traits=ignored[:MOST_NAMES], ignored_count=len(ignored))  # fmt: skip


def test_a_suppressed_identifier_in_a_call_of_another_person_is_counted(shop: Shop, suppress: Suppress) -> None:
    """Without its value and without the message id."""
    suppress(shop, "email", "gone@example.com")
    shop.send({"type": "identify", "userId": "u1", "messageId": "m1", "traits": {"email": "Gone@Example.com"}})

    line(shop, message_id=None, type="identify", status="accepted", demoted=[unlinked("suppressed")])
