"""Decides whether data of an origin may serve a purpose now; nothing else in the service decides it.

The rules apply in this order:

1. A necessary purpose needs no decision.
2. Data of a minor is denied.
3. An opt-out of the class denies, unless the space lets a later grant of the purpose itself lift the opt-out.
4. A denial of the purpose beats any grant of its class.
5. A grant counts at its own origin and at origins that were merged with it before the grant arrived, until it expires.
   A class of several types of Google's is granted if each of them that anything states is granted.
6. Without a decision the default of the space applies.

A merge never makes data readable: it adds decisions, and a grant made before the merge does not count for
the other side. Denials do not expire.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from identity.planning.consent.fold import (
    NO_HOMES,
    ConsentAnswer,
    DecisionAtOrigin,
    Meeting,
    decisions,
    fold_decisions,
    same_device,
)
from identity.planning.consent.purposes import Purpose, Purposes
from identity.planning.consent.signals.google import PARTS
from identity.planning.consent.statements import OUT, PART, REGION
from identity.values.documents import MINOR, SERVER, Document
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp

NECESSARY: Final = "necessary"
_NEVER: Final = Micros(1 << 64)
_PAST: Final = Micros(0)
_SHIELDED: Final = frozenset(("ads", "analytics", "personalisation", "sale_share", "sensitive"))

Reason = Literal[
    "necessary", "granted", "granted_by_class", "allowed_unset", "without_consent",
    "unknown_purpose", "minor", "opted_out", "denied", "conflict", "denied_by_class", "expired", "unset",
]  # fmt: skip


class Verdict(NamedTuple):
    """Whether a purpose is granted, why, and until when (microseconds; None: until the next decision)."""

    granted: bool
    reason: Reason
    until: Micros | None = None


class _Folded(NamedTuple):
    """The decisions about one purpose or class, and their answer."""

    decisions: Sequence[DecisionAtOrigin]
    answer: ConsentAnswer

    @property
    def grants(self) -> Iterable[DecisionAtOrigin]:
        """Every grant: a grant that replaced no other still counts at its own origin."""
        return (each for each in self.decisions if each.granted)


class Permission:
    """The permissions of one canonical profile; `documents` by origin, `now` in microseconds.

    `homes` maps the id of a device that speaks for itself alone to the only origin at which its grants count.
    """

    def __init__(
        self,
        documents: Mapping[ProfileId, Document],
        meetings: Iterable[Meeting],
        purposes: Purposes,
        now: Micros,
        homes: Mapping[ProfileId, ProfileId | None] = NO_HOMES,
    ) -> None:
        self._documents = documents
        self._homes = homes
        self._met = sorted(meetings, key=lambda meeting: meeting.stamp)
        self._up = {meeting.loser: (meeting.winner, meeting.stamp) for meeting in self._met}
        self._purposes = purposes
        self._now = now
        self._explicits: dict[str, _Folded | None] = {}
        self._classes: dict[str, Sequence[_Folded]] = {}

    def all_of(self, purposes: Sequence[str], origin: ProfileId) -> Verdict:
        """Whether data of an origin may serve all these purposes: the first refusal, else the grant.

        Without any purpose the default for undecided data applies.
        """
        if not purposes:
            return Verdict(True, "allowed_unset") if self._purposes.unset else Verdict(False, "unset")
        verdicts = [self.one(purpose, origin) for purpose in purposes]
        refused = next((each for each in verdicts if not each.granted), None)
        if refused is not None:
            return refused
        ends = [each.until for each in verdicts if each.until is not None]
        return verdicts[0]._replace(until=min(ends, default=None))

    def one(self, name: str, origin: ProfileId) -> Verdict:
        """Whether data of an origin may serve a purpose."""
        purpose = self._purposes.purposes.get(name)
        if purpose is None:
            return Verdict(False, "unknown_purpose")
        if purpose.class_ == NECESSARY:
            return Verdict(True, "necessary")
        explicit, of_class = self._explicit(name), self._of_class(purpose.class_)
        refused, lifted = self._find_refusal(purpose, explicit, of_class)
        if refused is not None:
            return Verdict(False, refused)
        given = self._find_grant(purpose, origin, explicit, of_class)
        if (given is None or not given.granted) and self._allowed_unset(purpose, origin):
            given = Verdict(True, "allowed_unset")
        if given is None or not given.granted:
            return given or Verdict(False, "unset")
        end = min(_NEVER if given.until is None else given.until, lifted)
        return given._replace(until=None if end == _NEVER else end)

    def _find_grant(
        self, purpose: Purpose, origin: ProfileId, explicit: _Folded | None, of_class: Sequence[_Folded]
    ) -> Verdict | None:
        """The grant that counts at an origin, or its expiry; None without a grant."""
        found = None
        grants: tuple[tuple[Sequence[_Folded], Reason], ...] = (
            ((explicit,) if explicit is not None else (), "granted"),
            (of_class, "granted_by_class"),
        )
        for parts, reason in grants:
            made = [self._granted_at(folded, origin) for folded in parts]
            times = [each for each in made if each is not None]
            if not times or len(times) < len(made):
                continue
            if purpose.ttl is None:
                return Verdict(True, reason)
            end = Micros(min(times) + purpose.ttl)
            if end > self._now:
                return Verdict(True, reason, end)
            found = Verdict(False, "expired")
        return found

    def _granted_at(self, folded: _Folded, origin: ProfileId) -> Micros | None:
        """The time of the newest grant that counts at an origin; None without one."""
        if not folded.answer.value:
            return None
        return max((each.time for each in folded.grants if self._reaches(each, origin)), default=None)

    def _explicit(self, name: str) -> _Folded | None:
        if name not in self._explicits:
            self._explicits[name] = self._fold(decisions(self._documents, name, self._homes))
        return self._explicits[name]

    def _fold(self, found: Sequence[DecisionAtOrigin]) -> _Folded | None:
        return _Folded(found, fold_decisions(found, self._met)) if found else None

    def _of_class(self, class_: str) -> Sequence[_Folded]:
        """The statements of consent managers about the class, folded like decisions.

        Where anything states a single type of the class, each type is folded by itself; a statement about the whole
        class states all its types.
        """
        if class_ not in self._classes:
            names = [PART + each for each in PARTS.get(class_, ())]
            split = any(
                each in document.signals or each + SERVER in document.signals
                for document in self._documents.values()
                for each in names
            )
            folded = [self._fold(self._statements((class_, each))) for each in names] if split else ()
            folded = folded or [self._fold(self._statements((class_,)))]
            self._classes[class_] = [each for each in folded if each is not None]
        return self._classes[class_]

    def _statements(self, names: Sequence[str]) -> list[DecisionAtOrigin]:
        """The newest statement of each origin and side under any of these names."""
        found = []
        for origin, document in self._documents.items():
            for suffix, server in (("", False), (SERVER, True)):
                stated = [
                    DecisionAtOrigin(
                        granted=bool(entry[0]),
                        time=entry[1],
                        stamp=entry[2],
                        origin=origin,
                        server=server,
                        apart=origin in self._homes,
                        home=self._homes.get(origin),
                    )
                    for name in names
                    if (entry := document.signals.get(name + suffix)) is not None
                ]
                if stated:
                    found.append(max(stated, key=lambda each: each.rank))
        return found

    def _find_refusal(
        self, purpose: Purpose, explicit: _Folded | None, of_class: Sequence[_Folded]
    ) -> tuple[Reason | None, Micros]:
        """Why no data of the profile may serve a purpose; without a reason, until when no refusal applies."""
        class_ = purpose.class_
        minor = any(document.signals.get(MINOR, (False,))[0] for document in self._documents.values())
        if minor and class_ in _SHIELDED:
            return "minor", _PAST
        override = self._purposes.override
        outs = self._opt_outs(OUT + class_)
        ends = [_NEVER, *(self._lifted_until(out, purpose, explicit) if override else _PAST for out in outs)]
        if min(ends) <= self._now:
            return "opted_out", _PAST
        if explicit is not None and not explicit.answer.value:
            return ("conflict" if explicit.answer.conflict else "denied"), _PAST
        against = [each for folded in of_class for each in folded.answer.standing if not each.granted]
        ends += [self._lifted_until(each, purpose, explicit) for each in against]
        if min(ends) <= self._now:
            return "denied_by_class", _PAST
        return None, min(ends)

    def _opt_outs(self, name: str) -> list[DecisionAtOrigin]:
        return [
            DecisionAtOrigin(granted=False, time=entry[1], stamp=entry[2], origin=origin)
            for origin, document in self._documents.items()
            if (entry := document.signals.get(name)) is not None
        ]

    def _lifted_until(self, denial: DecisionAtOrigin, purpose: Purpose, explicit: _Folded | None) -> Micros:
        """Until when a grant of the purpose lifts an older denial of its class, made by an origin merged before.

        An expired grant lifts nothing: the denial of its class applies again.
        """
        if explicit is None or not explicit.answer.value:
            return _PAST
        ends = [
            _NEVER if purpose.ttl is None else Micros(each.time + purpose.ttl)
            for each in explicit.answer.standing
            if each.time > denial.time
            and (each.server or not (denial.server or (each.apart and not same_device(each, denial))))
            and self._merge_stamp(each.origin, denial.origin) <= each.stamp
        ]
        return max(ends, default=_PAST)

    def _reaches(self, grant: DecisionAtOrigin, origin: ProfileId) -> bool:
        if grant.apart:
            return self._homes[grant.origin] == origin
        return grant.origin == origin or self._merge_stamp(grant.origin, origin) <= grant.stamp

    def _merge_stamp(self, one: ProfileId, other: ProfileId) -> Stamp:
        """The stamp at which two origins were merged: the greatest on the path between them, 0 for the same origin.

        Origins that are not merged, as in a profile of the past, count as merged after everything.
        """
        reached: dict[ProfileId, Stamp] = {one: Stamp(0)}
        at, latest = one, Stamp(0)
        while at in self._up:
            at, stamp = self._up[at]
            latest = max(latest, stamp)
            reached[at] = latest
        at, latest = other, Stamp(0)
        while at not in reached:
            if at not in self._up:
                return Stamp(_NEVER)
            at, stamp = self._up[at]
            latest = max(latest, stamp)
        return max(latest, reached[at])

    def _allowed_unset(self, purpose: Purpose, origin: ProfileId) -> bool:
        """Whether undecided data is allowed: the strictest default of all named regions applies.

        A region named at another origin before the merge never makes the default less strict, nor does that of a device
        that speaks for itself alone.
        """
        allowed, covered = True, False
        for at, document in self._documents.items():
            for name in (REGION, REGION + SERVER):
                entry = document.signals.get(name)
                if entry is None:
                    continue
                allowed = allowed and self._purposes.default(purpose.class_, entry[0])
                if at not in self._homes:
                    covered |= at == origin or self._merge_stamp(at, origin) <= entry[2]
        return allowed and (covered or self._purposes.default(purpose.class_, None))
