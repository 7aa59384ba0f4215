"""Explains why a destination has or lacks a trait of a profile: the gates on the way, each judged from facts.

A gate is `unknown` if no stored fact decides it, or if an earlier gate failed and left nothing to judge. Later
gates are judged all the same where the facts suffice. No result holds the value of a trait or an identifier.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from msgspec import Struct

from identity.planning.consent.permission import Permission, Verdict
from identity.planning.destinations.feed_pages import Position
from identity.planning.destinations.policy import Entitled, permission_of
from identity.planning.resolution.event_time import format_time
from identity.values.ids import ProfileId, public_profile
from identity.values.stamps import Micros

Result = Literal["pass", "fail", "unknown"]
Standing = Literal["settled", "waiting", "begins_anew", "never", "too_far"]

GATES: Final = (
    "received", "validated", "not_suppressed", "identified", "merged",
    "trait_present", "in_allow_list", "purposes_granted", "delivered_at_cursor",
)  # fmt: skip
_IMPERSONAL: Final = ("unknown_purpose", "necessary")

REASONS: Final = {
    "linked": "Calls that name the identifier arrived; the first one happened at {at}.",
    "demoted": "Calls that name the identifier arrived and were accepted without it.",
    "removed": "Calls that named the identifier arrived; the identifier was removed since.",
    "gone": "The person is suppressed or erased, so no record of calls is kept.",
    "refusals_unnamed": "No stored call names the identifier; calls were rejected, whose identifiers are not kept.",
    "not_received": "No stored call names the identifier, and no call was rejected.",
    "accepted": "The calls were accepted.",
    "unusable": "The value is not a valid identifier of its type, so calls are accepted without it.",
    "not_listed": "The identifier is not on the suppression list.",
    "erased_before": "The identifier was erased before and is not suppressed; earlier calls are not stored.",
    "suppressed": "The identifier is on the suppression list, so calls that name it are not stored.",
    "leads": "The identifier leads to a profile.",
    "retired": "The identifier leads to a profile, but is retired and no longer merges other profiles into it.",
    "blocked": "The identifier is a placeholder, or the rules block it.",
    "separated": "The identifier was separated from the others by an unmerge.",
    "unlinked": "The identifier leads to no readable profile.",
    "alone": "Nothing was merged: the identifier belongs to {profile}.",
    "merged": "The identifier belongs to {origin}, one of {count} origins merged into {profile}.",
    "present": "The trait was set as of {at} by {message}, at {profile}.",
    "taken_away": "The trait was set to null as of {at} by {message}, at {profile}.",
    "never_set": "No call set the trait.",
    "on_list": "The trait is on the list of the destination.",
    "all_listed": "The list of the destination allows all traits.",
    "off_list": "The destination may not see this trait: its `traits` do not name the trait. Add the trait there.",
    "granted": "Each purpose is granted at the origin of the trait.",
    "refused": "Not granted at the origin of the trait: {purposes}.",
    "acknowledged": "The destination acknowledged every change of the profile.",
    "withdrawal_acknowledged": "The destination received the profile before, and acknowledged its withdrawal.",
    "withdrawal_waiting": "The destination received the profile before, and has not acknowledged its withdrawal yet.",
    "sent": "The callback accepted the newest state, but did not acknowledge it yet.",
    "told": "The destination received this trait before; the newest state is not acknowledged.",
    "not_pulled": "A change waits in the feed and is not acknowledged.",
    "begins_anew": "Entitlement or purposes changed since the last acknowledgement, or missed entries are gone.",
    "never_acknowledged": "The destination received this trait and never acknowledged anything.",
    "too_far": "The destination is too far behind to decide.",
    "nothing_to_deliver": "There is nothing to deliver.",
    "after_failure": "An earlier gate failed, and without it this one cannot be decided.",
}
"""The sentence of each reason; `after_failure` is the reason of a gate that has nothing to judge."""


class TraitEntry(Struct, frozen=True):
    """The current entry of a trait: whether it has a value, its time (microseconds), its call and origin."""

    value: bool
    time: Micros
    message_id: str | None
    origin: ProfileId


class Facts(Struct, frozen=True, kw_only=True):
    """The known facts about an identifier, a trait and a destination.

    `demoted` is the reason of the newest call that demoted the identifier. `first_seen` (microseconds), `origin`
    and `canonical` are None if the identifier leads nowhere. `verdicts` by purpose, as far as they are known.
    `standing` concerns the acknowledged position, `sent` the pushed one. `disclosed`: this trait was disclosed;
    `person_disclosed`: anything of this person was.
    """

    usable: bool = True
    blocked: bool = False
    suppressed: bool = False
    erased: bool = False
    removed: bool = False
    demoted: str | None = None
    refusals: bool = False
    first_seen: Micros | None = None
    retired: bool = False
    origin: ProfileId | None = None
    canonical: ProfileId | None = None
    origins: int = 1
    trait: str
    entry: TraitEntry | None = None
    entitled: Entitled = Entitled()
    verdicts: Mapping[str, Verdict] = {}
    standing: Standing = "never"
    sent: bool = False
    disclosed: bool = False
    person_disclosed: bool = False


class GateResult(NamedTuple):
    """One gate; `purposes` is set only for the gate about purposes."""

    gate: str
    result: Result
    reason: str
    detail: str
    purposes: Mapping[str, Verdict] = {}


def gates(facts: Facts) -> list[GateResult]:
    """Every gate in the order of GATES."""
    judged = []
    for name, judge in zip(GATES, _JUDGES, strict=True):
        result, reason, values = judge(facts)
        purposes = facts.verdicts if judge is _purposes_granted else {}
        judged.append(
            GateResult(
                gate=name,
                result=result,
                reason=reason,
                detail=REASONS[reason].format(**values),
                purposes=purposes,
            )
        )
    return judged


def stopped_at(judged: Sequence[GateResult]) -> str | None:
    """The first gate that did not pass."""
    return next((gate.gate for gate in judged if gate.result != "pass"), None)


def verdicts(entitled: Entitled, permission: Permission, origin: ProfileId | None) -> dict[str, Verdict]:
    """The verdict per purpose at the origin of a trait; without an origin, the verdicts that need no person."""
    found = {name: permission.one(name, origin or ProfileId(b"")) for name in entitled.purposes}
    if origin is None:
        return {name: verdict for name, verdict in found.items() if verdict.reason in _IMPERSONAL}
    if not found:
        verdict = permission_of(entitled, permission, origin)
        return {} if verdict.granted else {"": verdict}
    return found


def standing(
    position: Position | None,
    versions: tuple[int, int],
    lanes: Mapping[int, tuple[int, int]],
    canonical: ProfileId,
    about: bool | None,  # noqa: FBT001 (a fact)
) -> Standing:
    """The standing of a profile at a position in the feed; `lanes` are (base, head), `versions` those in force.

    `about`: whether a later entry concerns the profile, None if not all of them were read.
    """
    if position is None:
        return "never"
    if position.again(*versions) is not position:
        return "begins_anew"
    if any(not base <= position.lanes.get(lane, 0) <= head for lane, (base, head) in lanes.items()):
        return "begins_anew"
    if about or (position.after_profile is not None and canonical > position.after_profile):
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
    values = {
        "profile": public_profile(facts.canonical),
        "origin": public_profile(facts.origin),
        "count": facts.origins,
    }
    return "pass", "merged" if facts.origins > 1 else "alone", values


def _trait_present(facts: Facts) -> _Judged:
    if facts.canonical is None:
        return _NOTHING
    entry = facts.entry
    if entry is None:
        return "fail", "never_set", {}
    by = "a call that is no longer kept" if entry.message_id is None else f"message {entry.message_id}"
    values = {"at": format_time(entry.time), "message": by, "profile": public_profile(entry.origin)}
    return ("pass", "present", values) if entry.value else ("fail", "taken_away", values)


def _in_allow_list(facts: Facts) -> _Judged:
    if facts.trait in facts.entitled.traits:
        return "pass", "on_list", {}
    return ("pass", "all_listed", {}) if facts.entitled.trait(facts.trait) else ("fail", "off_list", {})


def _purposes_granted(facts: Facts) -> _Judged:
    against = [
        f"{name or 'no purpose'} ({verdict.reason})" for name, verdict in facts.verdicts.items() if not verdict.granted
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
        return _withdrawn(facts) if facts.person_disclosed else ("unknown", "nothing_to_deliver", {})
    if facts.standing == "settled":
        return "pass", "acknowledged", {}
    if facts.sent or facts.standing == "too_far":
        return "unknown", "sent" if facts.sent else "too_far", {}
    if facts.standing == "begins_anew" or not facts.disclosed:
        return "fail", "begins_anew" if facts.standing == "begins_anew" else "not_pulled", {}
    return "unknown", "told" if facts.standing == "waiting" else "never_acknowledged", {}


def _withdrawn(facts: Facts) -> _Judged:
    """Whether a destination that received a profile acknowledged its withdrawal."""
    if facts.standing == "too_far":
        return "unknown", "too_far", {}
    settled = facts.standing == "settled"
    return ("pass", "withdrawal_acknowledged", {}) if settled else ("fail", "withdrawal_waiting", {})


def _visible(facts: Facts) -> bool:
    """Whether the trait passed every gate that decides visibility."""
    judges = (_trait_present, _in_allow_list, _purposes_granted)
    return all(judge(facts)[0] == "pass" for judge in judges)


_JUDGES: Final = (
    _received, _validated, _not_suppressed, _identified, _merged,
    _trait_present, _in_allow_list, _purposes_granted, _delivered,
)  # fmt: skip
