"""What is listed of a call that was not taken, or not whole, and what must never be."""

from typing import Any

import pytest

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

NOW = 20_000 * DAY
SENT = NOW - 5 * DAY
SECRET = "ann@example.com"


def call_of(kind: Kind = "identify", **body: Any) -> Call:
    """A call of an import, received some days before its request."""
    return extract(
        {"messageId": "m1", **body}, kind=kind, rules=DEFAULT_RULES, received=SENT, sent_at=None, source=Source(7, True)
    )


def told(*reasons: str) -> list[dict[str, str]]:
    """Demotions as an outcome tells them."""
    return [{"identifier": f"email:{SECRET}", "reason": reason} for reason in reasons]


def refusal(**fields: Any) -> StoredRejection:
    """What is said of an identify of `call_of`, but for these fields."""
    said: dict[str, Any] = {
        "status": 3, "reason": None, "kind": 0, "message_id": "m1", "unlinked": {}, "ignored": [], "ignored_count": 0,
        "source": 7, "received": SENT,
    }  # fmt: skip
    return StoredRejection(**said | fields)


HIDDEN = {"message_id": None, "received": NOW}


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome("m1", "accepted"), None),
        (Outcome("m1", "duplicate"), None),
        (Outcome("m1", "accepted", demoted=told("limit:email", "blocked", "separated", "alias_both_known")), None),
        (Outcome("m1", "accepted", demoted=told("bad_type", "limit:email", "bad_type")), {"unlinked": {"bad_type": 2}}),
        (Outcome("m1", "accepted", demoted=told("suppressed")), {"unlinked": {"suppressed": 1}, **HIDDEN}),
        (Outcome("m1", "unresolved"), {"status": 2}),
        (Outcome("m1", "unresolved", demoted=told("blocked", "blocked")), {"status": 2, "unlinked": {"blocked": 2}}),
        (
            Outcome("m1", "unresolved", demoted=told("suppressed")),
            {"status": 2, "unlinked": {"suppressed": 1}, **HIDDEN},
        ),
        (Outcome("m1", "suppressed"), {"status": 1, **HIDDEN}),
        (
            Outcome("m1", "accepted", ignored_traits=["plan"]),
            {"reason": "trait_limit", "ignored": ["plan"], "ignored_count": 1},
        ),
    ],
)
def test_of_call(outcome: Outcome, expected: dict[str, Any] | None) -> None:
    """What evidence or nobody lacks is not said; of somebody suppressed no message and no time is."""
    said = of_call(call_of(userId="u1", traits={"plan": "pro"}), outcome, NOW)

    assert said == (None if expected is None else refusal(**expected))


@pytest.mark.parametrize("status", ["unresolved", "suppressed"])
def test_a_leave_that_finds_nobody(status: Any) -> None:
    """A call of our own is answered to who asked for it, and is no loss of anybody's."""
    assert of_call(call_of("leave", groupId="g1"), Outcome("m1", status), NOW) is None


def test_names_are_bounded() -> None:
    """Long and many names of traits are cut, their number is not."""
    traits = {f"{n:03}" + "x" * 200: 1 for n in range(200)}

    said = of_call(call_of(traits=traits), Outcome("m1", "accepted", ignored_traits=list(traits)), NOW)

    assert said
    assert (len(said.ignored), said.ignored_count) == (MOST_NAMES, 200)
    assert {len(name) for name in said.ignored} == {LONGEST_NAME}


@pytest.mark.parametrize("kind", ["identify", "group", "track"])
def test_every_kind_of_name(kind: Kind) -> None:
    """Traits, group traits and consent categories are named as the call named them."""
    consent = {"consent": {"categoryPreferences": {"Ads": True}}}
    call = call_of(kind, userId="u1", groupId="g1", traits={"plan": 1}, context=consent)

    said = of_call(call, Outcome("m1", "accepted", ignored_traits=["plan", "Ads"]), NOW)

    assert said
    assert said.ignored == (["Ads"] if kind == "track" else ["plan", "Ads"])


def test_a_membership_without_room() -> None:
    """It is counted, but the id of the group is not said: it may name people."""
    said = of_call(call_of("group", groupId=SECRET), Outcome("m1", "accepted", ignored_traits=[SECRET]), NOW)

    assert said == refusal(kind=4, reason="trait_limit", ignored_count=1)
    assert SECRET.encode() not in pack([said])


@pytest.mark.parametrize(
    ("item", "kind", "code"),
    [
        ({"type": "track", "userId": SECRET}, None, 1),
        ({"type": "track", "userId": SECRET}, "page", 2),
        ({"type": SECRET}, None, None),
        ({"type": [SECRET]}, None, None),
        ({"type": "leave"}, None, None),
        (SECRET, None, None),
        ([SECRET], None, None),
        (None, "alias", 5),
    ],
)
def test_of_item(item: Any, kind: Kind | None, code: int | None) -> None:
    """Whatever an item was, its kind and its code are said and nothing that was in it."""
    said = of_item(item, Outcome("m1", "rejected", "too_large"), kind=kind, source=7, received=NOW)

    assert said == refusal(status=0, reason="too_large", kind=code, received=NOW)
    assert SECRET.encode() not in pack([said])


def test_no_value_is_packed() -> None:
    """Demoted identifiers are counted by reason, whatever their values."""
    call = call_of(userId=SECRET, traits={"email": SECRET, "name": SECRET})
    said = of_call(call, Outcome("m1", "unresolved", demoted=told("blocked", "bad_type", "limit:email")), NOW)

    assert said
    assert said.unlinked == {"blocked": 1, "bad_type": 1, "limit:email": 1}
    assert SECRET.encode() not in pack([said])


@pytest.mark.parametrize("message_id", [None, "m1", "", "\0", "é😀", "m" * 100])
def test_packing(message_id: str | None) -> None:
    """What is packed is unpacked the same."""
    said = [refusal(message_id=message_id, unlinked={"bad_type": 3}, ignored=["a", "é"], ignored_count=9), refusal()]

    assert unpack(pack(said)) == said


def test_half_a_character() -> None:
    """A message id that cannot be written down fails nothing."""
    said = of_item({}, Outcome("a\ud800", "rejected", "bad_message_id"), kind="track", source=7, received=NOW)

    assert unpack(pack([said]))[0].message_id == "a?"
