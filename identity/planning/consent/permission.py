"""Whether a purpose may be served with what lies at an origin, now: the one place that decides it.

In this order: what is necessary needs no answer; a minor is denied; so is who opted out of the whole
class, unless the space lets a later grant of the purpose itself lift that; a standing denial of the
purpose beats any grant of its class; a grant counts at origins that had met the one it was given at
before it arrived, and until it expires; else what the space says of the undecided.

A merge never makes readable what was not: it adds decisions, and none of those that were made before
the two sides met counts for the other. Denials do not expire.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from identity.planning.consent.fold import ConsentAnswer, ConsentDecision, Meeting, decisions, fold_decisions
from identity.planning.consent.purposes import Purpose, Purposes
from identity.planning.consent.statements import OUT, REGION
from identity.values.documents import MINOR, SERVER, Document

NECESSARY: Final = "necessary"
_NEVER: Final = 1 << 64
_SHIELDED: Final = frozenset(("ads", "analytics", "personalisation", "sale_share", "sensitive"))

Reason = Literal[
    "necessary", "granted", "granted_by_class", "allowed_unset",
    "unknown_purpose", "minor", "opted_out", "denied", "conflict", "denied_by_class", "expired", "unset",
]  # fmt: skip


class Verdict(NamedTuple):
    """Whether it is allowed, why, and until when (microseconds; None: until something is said)."""

    granted: bool
    reason: Reason
    until: int | None = None


class _Folded(NamedTuple):
    """What was said of one thing, and what it comes to."""

    said: Sequence[ConsentDecision]
    answer: ConsentAnswer

    @property
    def grants(self) -> Iterable[ConsentDecision]:
        """Every grant: one that did not replace another still counts where it was given."""
        return (each for each in self.said if each.granted)


class Permission:
    """What one canonical profile permits; `documents` of its origins, `now` in microseconds."""

    def __init__(
        self, documents: Mapping[bytes, Document], meetings: Iterable[Meeting], purposes: Purposes, now: int
    ) -> None:
        self._documents = documents
        self._met = sorted(meetings, key=lambda meeting: meeting.stamp)
        self._up = {meeting.loser: (meeting.winner, meeting.stamp) for meeting in self._met}
        self._purposes = purposes
        self._now = now
        self._explicits: dict[str, _Folded | None] = {}
        self._classes: dict[str, _Folded | None] = {}

    def all_of(self, purposes: Sequence[str], origin: bytes) -> Verdict:
        """Whether every one of these purposes may be served from an origin: the first refusal, else the grant.

        Where none is asked for, as where nothing was decided.
        """
        if not purposes:
            return Verdict(True, "allowed_unset") if self._purposes.unset else Verdict(False, "unset")
        told = [self.one(purpose, origin) for purpose in purposes]
        refused = next((each for each in told if not each.granted), None)
        if refused is not None:
            return refused
        ends = [each.until for each in told if each.until is not None]
        return told[0]._replace(until=min(ends, default=None))

    def one(self, name: str, origin: bytes) -> Verdict:
        """Whether a purpose may be served from an origin."""
        purpose = self._purposes.purposes.get(name)
        if purpose is None:
            return Verdict(False, "unknown_purpose")
        if purpose.class_ == NECESSARY:
            return Verdict(True, "necessary")
        explicit, of_class = self._explicit(name), self._of_class(purpose.class_)
        refused, lifted = self._refused(purpose, explicit, of_class)
        if refused is not None:
            return Verdict(False, refused)
        given = self._given(purpose, origin, explicit, of_class)
        if (given is None or not given.granted) and self._allowed_unset(purpose, origin):
            given = Verdict(True, "allowed_unset")
        if given is None or not given.granted:
            return given or Verdict(False, "unset")
        end = min(_NEVER if given.until is None else given.until, lifted)
        return given._replace(until=None if end == _NEVER else end)

    def _given(
        self, purpose: Purpose, origin: bytes, explicit: _Folded | None, of_class: _Folded | None
    ) -> Verdict | None:
        """The grant that counts at an origin, or that it expired; None where none was given."""
        found = None
        grants: tuple[tuple[_Folded | None, Reason], ...] = ((explicit, "granted"), (of_class, "granted_by_class"))
        for folded, reason in grants:
            if folded is None or not folded.answer.value:
                continue
            times = [each.time for each in folded.grants if self._reaches(each, origin)]
            if not times:
                continue
            if purpose.ttl is None:
                return Verdict(True, reason)
            end = max(times) + purpose.ttl
            if end > self._now:
                return Verdict(True, reason, end)
            found = Verdict(False, "expired")
        return found

    def _explicit(self, name: str) -> _Folded | None:
        if name not in self._explicits:
            self._explicits[name] = self._folded(decisions(self._documents, name))
        return self._explicits[name]

    def _folded(self, said: Sequence[ConsentDecision]) -> _Folded | None:
        return _Folded(said, fold_decisions(said, self._met)) if said else None

    def _of_class(self, class_: str) -> _Folded | None:
        """What consent managers said of the whole class, folded as decisions are."""
        if class_ not in self._classes:
            said = [
                ConsentDecision(bool(entry[0]), entry[1], entry[2], origin, server)
                for origin, document in self._documents.items()
                for name, server in ((class_, False), (class_ + SERVER, True))
                if (entry := document.signals.get(name)) is not None
            ]
            self._classes[class_] = self._folded(said)
        return self._classes[class_]

    def _refused(
        self, purpose: Purpose, explicit: _Folded | None, of_class: _Folded | None
    ) -> tuple[Reason | None, int]:
        """Why nobody's data may serve a purpose, if something stands against it; else until when nothing does."""
        class_ = purpose.class_
        minor = any(document.signals.get(MINOR, (False,))[0] for document in self._documents.values())
        if minor and class_ in _SHIELDED:
            return "minor", 0
        override = self._purposes.override
        outs = self._signals(OUT + class_)
        ends = [_NEVER, *(self._lifted(out, purpose, explicit) if override else 0 for out in outs)]
        if min(ends) <= self._now:
            return "opted_out", 0
        if explicit is not None and not explicit.answer.value:
            return ("conflict" if explicit.answer.conflict else "denied"), 0
        if of_class is not None:
            against = [each for each in of_class.answer.standing if not each.granted]
            ends += [self._lifted(each, purpose, explicit) for each in against]
            if min(ends) <= self._now:
                return "denied_by_class", 0
        return None, min(ends)

    def _signals(self, name: str) -> list[ConsentDecision]:
        return [
            ConsentDecision(False, entry[1], entry[2], origin)
            for origin, document in self._documents.items()
            if (entry := document.signals.get(name)) is not None
        ]

    def _lifted(self, denial: ConsentDecision, purpose: Purpose, explicit: _Folded | None) -> int:
        """Until when a grant of the purpose itself lifts a denial of its class that it came after, from who had met it.

        A grant that has ended lifts nothing any more: what stands against its class stands again.
        """
        if explicit is None or not explicit.answer.value:
            return 0
        ends = [
            _NEVER if purpose.ttl is None else each.time + purpose.ttl
            for each in explicit.answer.standing
            if each.time > denial.time
            and (each.server or not denial.server)
            and self._meeting(each.origin, denial.origin) <= each.stamp
        ]
        return max(ends, default=0)

    def _reaches(self, grant: ConsentDecision, origin: bytes) -> bool:
        return grant.origin == origin or self._meeting(grant.origin, origin) <= grant.stamp

    def _meeting(self, one: bytes, other: bytes) -> int:
        """When two origins met: the greatest stamp on the path between them, 0 for one and the same.

        Those that have not met, as at a moment of the past, meet after everything.
        """
        reached: dict[bytes, int] = {one: 0}
        at, latest = one, 0
        while at in self._up:
            at, stamp = self._up[at]
            latest = max(latest, stamp)
            reached[at] = latest
        at, latest = other, 0
        while at not in reached:
            if at not in self._up:
                return _NEVER
            at, stamp = self._up[at]
            latest = max(latest, stamp)
        return max(latest, reached[at])

    def _allowed_unset(self, purpose: Purpose, origin: bytes) -> bool:
        """What holds where nothing was decided: the strictest of the regions that were named.

        Of those that were named elsewhere and before the two met none makes it any less strict.
        """
        allowed, covered = True, False
        for at, document in self._documents.items():
            for name in (REGION, REGION + SERVER):
                entry = document.signals.get(name)
                if entry is None:
                    continue
                allowed = allowed and self._purposes.default(purpose.class_, entry[0])
                covered |= at == origin or self._meeting(at, origin) <= entry[2]
        return allowed and (covered or self._purposes.default(purpose.class_, None))
