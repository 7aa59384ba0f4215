"""A stored rejection lists the refused parts of a call, and no personal data."""

from typing import Any

import pytest

from identity.planning.resolution.call_requirements import rejection_hint
from identity.planning.resolution.extract import extract
from identity.planning.resolution.rejections import (
    LONGEST_NAME,
    MOST_NAMES,
    StoredRejection,
    of_call,
    of_item,
    pack,
    unpack,
)
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.values.calls import DAY, Call, Kind, Outcome, Source
from identity.values.stamps import Micros

NOW = 20_000 * DAY
SENT = NOW - 5 * DAY
SECRET = "ann@example.com"


def call_of(kind: Kind = "identify", **body: Any) -> Call:
    """A call of an import, received some days before its request."""
    return extract(
        {"messageId": "m1", **body},
        kind=kind,
        rules=DEFAULT_RULES,
        received=Micros(SENT),
        sent_at=None,
        source=Source(7, True),
    )


def demotions(*reasons: str) -> list[dict[str, str]]:
    """Demotions as an outcome lists them."""
    return [{"identifier": f"email:{SECRET}", "reason": reason} for reason in reasons]


def rejection(**fields: Any) -> StoredRejection:
    """The rejection of an identify of `call_of` with these fields changed."""
    fields_: dict[str, Any] = {
        "status": 3, "reason": None, "kind": 0, "message_id": "m1", "unlinked": {}, "ignored": [], "ignored_count": 0,
        "source": 7, "received": SENT,
    }  # fmt: skip
    return StoredRejection(**fields_ | fields)


HIDDEN = {"message_id": None, "received": NOW}
ROUTINE = [
    {"field": "context.groupId", "reason": "group_of_context"},
    {"field": "context.device.advertisingId", "reason": "tracking_not_allowed"},
]
TYPED = {"field": "type", "reason": "type_of_path"}


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome(message_id="m1", status="accepted"), None),
        (Outcome(message_id="m1", status="duplicate"), None),
        (Outcome(message_id="m1", status="accepted", ignored_fields=ROUTINE), None),
        (
            Outcome(message_id="m1", status="accepted", ignored_fields=[*ROUTINE, TYPED]),
            {"reason": "type_of_path", "ignored_fields": {"type": "type_of_path"}},
        ),
        (
            Outcome(
                message_id="m1",
                status="accepted",
                demoted=demotions("limit:email", "blocked", "separated", "alias_both_known"),
            ),
            None,
        ),
        (
            Outcome(message_id="m1", status="accepted", demoted=demotions("bad_type", "limit:email", "bad_type")),
            {"unlinked": {"bad_type": 2}},
        ),
        (
            Outcome(message_id="m1", status="accepted", demoted=demotions("suppressed")),
            {"unlinked": {"suppressed": 1}, **HIDDEN},
        ),
        (Outcome(message_id="m1", status="unresolved"), {"status": 2}),
        (
            Outcome(message_id="m1", status="unresolved", demoted=demotions("blocked", "blocked")),
            {"status": 2, "unlinked": {"blocked": 2}},
        ),
        (
            Outcome(message_id="m1", status="unresolved", demoted=demotions("suppressed")),
            {"status": 2, "unlinked": {"suppressed": 1}, **HIDDEN},
        ),
        (
            Outcome(message_id="m1", status="accepted", demoted=demotions("before_erasure")),
            {"unlinked": {"before_erasure": 1}, **HIDDEN},
        ),
        *(
            (Outcome(message_id="m1", status="suppressed", reason=reason), {"status": 1, "reason": reason, **HIDDEN})
            for reason in ("suppressed", "before_erasure")
        ),
        (
            Outcome(message_id="m1", status="accepted", ignored_traits=["plan"]),
            {"reason": "trait_limit", "ignored": ["plan"], "ignored_count": 1},
        ),
    ],
)
def test_a_rejection_lists_the_parts_that_evidence_lacks(outcome: Outcome, expected: dict[str, Any] | None) -> None:
    """The rejection of a suppressed person holds neither message id nor time."""
    found = of_call(call_of(userId="u1", traits={"plan": "pro"}), outcome, Micros(NOW))

    assert found == (None if expected is None else rejection(**expected))


@pytest.mark.parametrize("status", ["unresolved", "suppressed"])
def test_a_leave_that_finds_no_profile_is_no_rejection(status: Any) -> None:
    """The answer to the request reports a leave; no client loses a call."""
    assert of_call(call_of("leave", groupId="g1"), Outcome(message_id="m1", status=status), Micros(NOW)) is None


def test_the_length_and_number_of_trait_names_are_bounded() -> None:
    """The count stays exact."""
    traits = {f"{n:03}" + "x" * 200: 1 for n in range(200)}

    found = of_call(
        call_of(traits=traits), Outcome(message_id="m1", status="accepted", ignored_traits=list(traits)), Micros(NOW)
    )

    assert found
    assert (len(found.ignored), found.ignored_count) == (MOST_NAMES, 200)
    assert {len(name) for name in found.ignored} == {LONGEST_NAME}


@pytest.mark.parametrize("kind", ["identify", "group", "track"])
def test_a_rejection_names_traits_group_traits_and_categories(kind: Kind) -> None:
    """By the names in the call."""
    consent = {"consent": {"categoryPreferences": {"Ads": True}}}
    call = call_of(kind, userId="u1", groupId="g1", traits={"plan": 1}, context=consent)

    found = of_call(call, Outcome(message_id="m1", status="accepted", ignored_traits=["plan", "Ads"]), Micros(NOW))

    assert found
    assert found.ignored == (["Ads"] if kind == "track" else ["plan", "Ads"])


def test_a_membership_without_room_is_counted_and_not_named() -> None:
    """The id of a group may name people."""
    found = of_call(
        call_of("group", groupId=SECRET),
        Outcome(message_id="m1", status="accepted", ignored_traits=[SECRET]),
        Micros(NOW),
    )

    assert found == rejection(kind=4, reason="trait_limit", ignored_count=1)
    assert SECRET.encode() not in pack([found])


@pytest.mark.parametrize(
    ("item", "kind", "code"),
    [
        ({"type": "track", "event": "E", "userId": SECRET}, None, 1),
        ({"type": "track", "event": "E", "userId": SECRET}, "page", 2),
        ({"type": SECRET}, None, None),
        ({"type": [SECRET]}, None, None),
        ({"type": "leave"}, None, None),
        (SECRET, None, None),
        ([SECRET], None, None),
        (None, "alias", 5),
    ],
)
def test_the_rejection_of_an_item_holds_no_value_of_it(item: Any, kind: Kind | None, code: int | None) -> None:
    """Only the kind of the item and the code."""
    found = of_item(
        item, Outcome(message_id="m1", status="rejected", reason="too_large"), kind=kind, source=7, received=Micros(NOW)
    )

    assert found == rejection(status=0, reason="too_large", kind=code, received=NOW)
    assert SECRET.encode() not in pack([found])


def test_demoted_identifiers_are_counted_without_their_values() -> None:
    """By reason."""
    call = call_of(userId=SECRET, traits={"email": SECRET, "name": SECRET})
    found = of_call(
        call,
        Outcome(message_id="m1", status="unresolved", demoted=demotions("blocked", "bad_type", "limit:email")),
        Micros(NOW),
    )

    assert found
    assert found.unlinked == {"blocked": 1, "bad_type": 1, "limit:email": 1}
    assert SECRET.encode() not in pack([found])


@pytest.mark.parametrize("message_id", [None, "m1", "", "\0", "é😀", "m" * 100])
def test_packed_rejections_are_unpacked_unchanged(message_id: str | None) -> None:
    """With any message id."""
    found = [
        rejection(message_id=message_id, unlinked={"bad_type": 3}, ignored=["a", "é"], ignored_count=9),
        rejection(),
    ]

    assert unpack(pack(found)) == found


def test_a_message_id_with_half_a_surrogate_pair_is_stored() -> None:
    """A question mark replaces the half pair, which UTF-8 cannot hold."""
    found = of_item(
        {},
        Outcome(message_id="a\ud800", status="rejected", reason="bad_message_id"),
        kind="track",
        source=7,
        received=Micros(NOW),
    )

    assert unpack(pack([found]))[0].message_id == "a?"


@pytest.mark.parametrize(
    ("slip", "type_"),
    [
        *((slip, "identify") for slip in ("identfy", "idnetify", "Identifiy ")),
        *((slip, "track") for slip in ("trak", "tarck", "Trackk")),
        *(("pgae", "page"), ("scren", "screen"), ("gruop", "group"), ("alais", "alias")),
    ],
)
def test_a_slip_in_the_type_has_a_hint(slip: str, type_: str) -> None:
    """The right type is named."""
    assert rejection_hint("invalid_type", {"type": slip}) == f'Send "type": "{type_}".'


@pytest.mark.parametrize("other", ["Order Completed", "purchase", "login", "session", "x", "", 7, None, "t" * 1_000])
def test_a_type_unlike_all_has_none(other: object) -> None:
    """A wrong guess would mislead."""
    assert rejection_hint("invalid_type", {"type": other}) is None
