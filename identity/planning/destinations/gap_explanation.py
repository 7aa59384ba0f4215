"""Why a destination has a trait of somebody, or lacks it: the gates on the way there, each judged from facts.

A gate says `unknown` where nothing that is kept can tell, or where it has nothing to judge since one
before it failed; what can be told all the same is told. Nothing here holds a value, of a trait or of
an identifier.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from msgspec import Struct

from identity.planning.consent.permission import Permission, Verdict
from identity.planning.destinations.feed_pages import Position
from identity.planning.destinations.policy import Entitled
from identity.planning.resolution.event_time import format_time
from identity.values.ids import public_profile

Result = Literal["pass", "fail", "unknown"]
Standing = Literal["settled", "waiting", "begins_anew", "never", "too_far"]

GATES: Final = (
    "received", "validated", "not_suppressed", "identified", "merged",
    "trait_present", "in_allow_list", "purposes_granted", "delivered_at_cursor",
)  # fmt: skip
_IMPERSONAL: Final = ("unknown_purpose", "necessary")

REASONS: Final = {
    "linked": "Calls that name it arrived; the first one says it happened at {at}.",
    "demoted": "Calls that name it arrived and were taken without it.",
    "removed": "Calls that named it arrived, and it was removed since.",
    "gone": "Of who is suppressed or was erased nothing is kept that could tell.",
    "refusals_unnamed": "No call that names it is kept; calls were refused, of which no identifiers are kept.",
    "not_received": "No call that names it is kept, and none was refused.",
    "accepted": "They were accepted.",
    "unusable": "It cannot be an identifier of its type, so calls are taken without it.",
    "not_listed": "It is not on the suppression list.",
    "erased_before": "It was erased before and is not suppressed: calls from before that stay out.",
    "suppressed": "It is on the suppression list, so calls that name it are not stored.",
    "leads": "It leads to a profile.",
    "retired": "It leads to a profile, to which it no longer ties anybody else.",
    "blocked": "It stands for nobody in particular, or the rules block it.",
    "separated": "It was parted from them by hand.",
    "unlinked": "It leads to no profile that can be read.",
    "alone": "Nothing was merged: it lies at {profile}.",
    "merged": "It lies at {origin}, one of {count} that are {profile} now.",
    "present": "It was set as of {at} by {message}, at {profile}.",
    "taken_away": "It was set to null as of {at} by {message}, at {profile}.",
    "never_set": "No call set it.",
    "on_list": "It is on the list.",
    "all_listed": "All traits are on the list.",
    "off_list": "It is not on the list.",
    "granted": "Each purpose is granted where the trait lies.",
    "refused": "Not granted where the trait lies: {purposes}.",
    "acknowledged": "The destination has acknowledged everything that is told of the profile.",
    "withdrawal_acknowledged": "The destination was told before, and has acknowledged that there is nothing now.",
    "withdrawal_waiting": "The destination was told before, and has not yet acknowledged that there is nothing now.",
    "sent": "It was sent to the callback, which took it; it is not acknowledged.",
    "told": "It was told of such a trait before; the newest state is not acknowledged.",
    "not_pulled": "There is something to pull that is not acknowledged.",
    "begins_anew": "What it may see changed since it last acknowledged, or what it missed is kept no longer.",
    "never_acknowledged": "It was told of such a trait, and has never acknowledged anything.",
    "too_far": "It is too far behind to tell.",
    "nothing_to_deliver": "There is nothing to deliver.",
    "after_failure": "A gate before this one failed, and without it this cannot be told.",
}
"""What each reason says; `after_failure` stands where a gate has nothing to judge."""


class TraitEntry(Struct, frozen=True):
    """The entry of a trait that counts: whether it is a value, its time (microseconds), its call and origin."""

    value: bool
    time: int
    message_id: str | None
    origin: bytes


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of an identifier, a trait and a destination.

    `demoted` is why the newest call that lost the identifier did; `first_seen` in microseconds, None
    where it leads nowhere, `origin` and `canonical` likewise. `verdicts` by purpose, as far as they can
    be told. `standing` is that of what was acknowledged, `sent` of what was pushed; `disclosed`: a field
    set with this trait was told, `known`: anything was, of this person.
    """

    usable: bool = True
    blocked: bool = False
    suppressed: bool = False
    erased: bool = False
    removed: bool = False
    demoted: str | None = None
    refusals: bool = False
    first_seen: int | None = None
    retired: bool = False
    origin: bytes | None = None
    canonical: bytes | None = None
    origins: int = 1
    trait: str
    entry: TraitEntry | None = None
    entitled: Entitled = Entitled()
    verdicts: Mapping[str, Verdict] = {}
    standing: Standing = "never"
    sent: bool = False
    disclosed: bool = False
    known: bool = False


class GateResult(NamedTuple):
    """One gate: `purposes` is only set where they are what it asks for."""

    gate: str
    result: Result
    reason: str
    detail: str
    purposes: Mapping[str, Verdict] = {}


def gates(facts: Facts) -> list[GateResult]:
    """Every gate in the order of GATES."""
    told = []
    for name, judge in zip(GATES, _JUDGES, strict=True):
        result, reason, said = judge(facts)
        purposes = facts.verdicts if judge is _purposes_granted else {}
        told.append(GateResult(name, result, reason, REASONS[reason].format(**said), purposes))
    return told


def stopped_at(told: Sequence[GateResult]) -> str | None:
    """The first gate that did not pass."""
    return next((gate.gate for gate in told if gate.result != "pass"), None)


def verdicts(entitled: Entitled, permission: Permission, origin: bytes | None) -> dict[str, Verdict]:
    """Of each purpose whether it is granted where a trait lies; without one, as far as nobody has to be asked."""
    found = {name: permission.one(name, origin or b"") for name in entitled.purposes}
    if origin is None:
        return {name: verdict for name, verdict in found.items() if verdict.reason in _IMPERSONAL}
    if not found:
        verdict = permission.all_of((), origin)
        return {} if verdict.granted else {"": verdict}
    return found


def standing(
    place: Position | None,
    versions: tuple[int, int],
    lanes: Mapping[int, tuple[int, int]],
    canonical: bytes,
    about: bool | None,  # noqa: FBT001 (a fact)
) -> Standing:
    """Where a profile stands, seen from a place in the feed; `lanes` are (base, head), `versions` those in force.

    `about`: whether an entry after the place is about it, None where not all of them were looked at.
    """
    if place is None:
        return "never"
    if place.again(*versions) is not place:
        return "begins_anew"
    if any(not base <= place.lanes.get(lane, 0) <= head for lane, (base, head) in lanes.items()):
        return "begins_anew"
    if about or (place.after is not None and canonical > place.after):
        return "waiting"
    return "too_far" if about is None else "settled"


_Judged = tuple[Result, str, Mapping[str, object]]
_NOTHING: Final[_Judged] = ("unknown", "after_failure", {})


def _received(facts: Facts) -> _Judged:
    if facts.first_seen is not None:
        return "pass", "linked", {"at": format_time(facts.first_seen)}
    if facts.demoted is not None or facts.removed:
        return "pass", "removed" if facts.removed else "demoted", {}
    hidden = (("unusable", not facts.usable), ("gone", facts.suppressed or facts.erased))
    for reason, holds in (*hidden, ("refusals_unnamed", facts.refusals)):
        if holds:
            return "unknown", reason, {}
    return "fail", "not_received", {}


def _validated(facts: Facts) -> _Judged:
    if not facts.usable:
        return "fail", "unusable", {}
    if facts.first_seen is not None or facts.demoted is not None or facts.removed:
        return "pass", "accepted", {}
    return ("unknown", "refusals_unnamed", {}) if facts.refusals else _NOTHING


def _not_suppressed(facts: Facts) -> _Judged:
    if not facts.usable:
        return _NOTHING
    if facts.suppressed:
        return "fail", "suppressed", {}
    return "pass", "erased_before" if facts.erased else "not_listed", {}


def _identified(facts: Facts) -> _Judged:
    if facts.canonical is not None:
        return "pass", "retired" if facts.retired else "leads", {}
    if not facts.usable:
        return _NOTHING
    if facts.blocked:
        return "fail", "blocked", {}
    if facts.removed:
        return "fail", "removed", {}
    if facts.demoted is not None:
        return "fail", "separated" if facts.demoted == "separated" else "demoted", {}
    return "fail", "unlinked", {}


def _merged(facts: Facts) -> _Judged:
    if facts.canonical is None or facts.origin is None:
        return _NOTHING
    said = {"profile": public_profile(facts.canonical), "origin": public_profile(facts.origin), "count": facts.origins}
    return "pass", "merged" if facts.origins > 1 else "alone", said


def _trait_present(facts: Facts) -> _Judged:
    if facts.canonical is None:
        return _NOTHING
    entry = facts.entry
    if entry is None:
        return "fail", "never_set", {}
    by = "a call that is no longer kept" if entry.message_id is None else f"message {entry.message_id}"
    said = {"at": format_time(entry.time), "message": by, "profile": public_profile(entry.origin)}
    return ("pass", "present", said) if entry.value else ("fail", "taken_away", said)


def _in_allow_list(facts: Facts) -> _Judged:
    if facts.trait in facts.entitled.traits:
        return "pass", "on_list", {}
    return ("pass", "all_listed", {}) if facts.entitled.trait(facts.trait) else ("fail", "off_list", {})


def _purposes_granted(facts: Facts) -> _Judged:
    against = [
        f"{name or 'none is named'} ({told.reason})" for name, told in facts.verdicts.items() if not told.granted
    ]
    if against:
        return "fail", "refused", {"purposes": ", ".join(against)}
    judged = facts.entry is not None or (
        bool(facts.entitled.purposes) and all(name in facts.verdicts for name in facts.entitled.purposes)
    )
    return ("pass", "granted", {}) if judged else _NOTHING


def _delivered(facts: Facts) -> _Judged:
    if facts.canonical is None:
        return _NOTHING
    if not _visible(facts):
        return _withdrawn(facts) if facts.known else ("unknown", "nothing_to_deliver", {})
    if facts.standing == "settled":
        return "pass", "acknowledged", {}
    if facts.sent or facts.standing == "too_far":
        return "unknown", "sent" if facts.sent else "too_far", {}
    if facts.standing == "begins_anew" or not facts.disclosed:
        return "fail", "begins_anew" if facts.standing == "begins_anew" else "not_pulled", {}
    return "unknown", "told" if facts.standing == "waiting" else "never_acknowledged", {}


def _withdrawn(facts: Facts) -> _Judged:
    """Whether a destination that was told of somebody knows that there is nothing to see."""
    if facts.standing == "too_far":
        return "unknown", "too_far", {}
    settled = facts.standing == "settled"
    return ("pass", "withdrawal_acknowledged", {}) if settled else ("fail", "withdrawal_waiting", {})


def _visible(facts: Facts) -> bool:
    """Whether the trait passed every gate that decides what is seen."""
    judges = (_trait_present, _in_allow_list, _purposes_granted)
    return all(judge(facts)[0] == "pass" for judge in judges)


_JUDGES: Final = (
    _received, _validated, _not_suppressed, _identified, _merged,
    _trait_present, _in_allow_list, _purposes_granted, _delivered,
)  # fmt: skip
