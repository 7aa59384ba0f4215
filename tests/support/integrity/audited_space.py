"""A space in memory with the pointers and links that an audit of its evidence compares."""

from itertools import count

from hypothesis import strategies as st
from msgspec import Struct

from identity.planning.integrity.discrepancies import Discrepancies
from identity.planning.integrity.evidence_check import REMOVE, UNMERGE, EvidenceCheck, Reversals
from identity.planning.integrity.row_index import RowIndex
from identity.planning.resolution.counters import pack
from identity.planning.resolution.planner_state import Counters
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Micros, Stamp

IDENTIFY = 0


def key(name: str) -> BlindIndex:
    """A blind index of a name."""
    return BlindIndex(name.encode().ljust(32, b"."))


def id_(number: int) -> ProfileId:
    """The id of an origin; greater numbers are younger."""
    return ProfileId((number + 1).to_bytes(16, "big"))


class Origin(Struct):
    """The part of a profile row an audit reads; `holds` maps a name to the stamp of its link."""

    number: int
    head: ProfileId
    canonical: ProfileId
    holds: dict[str, int] = {}
    joined_to: ProfileId | None = None
    joined_at: int | None = None
    origins: int = 1


class Space:
    """A space in memory with the rows that calls and corrections leave, without limits."""

    def __init__(self) -> None:
        self.origins: list[Origin] = []
        self.evidence: list[tuple[bytes, int, int, list[str]]] = []
        self.forgotten: dict[str, int] = {}
        self.parted: set[ProfileId] = set()
        self._stamps = count(1)

    def owner(self, name: str) -> Origin | None:
        """The origin that holds an identifier."""
        return next((origin for origin in self.origins if name in origin.holds), None)

    def make(self, **given: object) -> Origin:
        """A new origin, its own head unless `given` names another head."""
        number = len(self.origins)
        values = {"head": id_(number), "canonical": id_(number), "holds": {}, **given}
        self.origins.append(Origin(number, **values))  # type: ignore[arg-type]
        return self.origins[-1]

    def call(self, *names: str) -> int:
        """Record a call with these identifiers and return its stamp."""
        stamp = next(self._stamps)
        owners = [owner for name in names if (owner := self.owner(name))]
        target = owners[0] if owners else self.make()
        # The strongest identifier is a known one where there is any.
        names = tuple(sorted(names, key=lambda name: name not in target.holds))
        for name in names:
            if not self.owner(name):
                target.holds[name] = stamp
        for owner in owners[1:]:
            self._merge(target.head, owner.head, stamp)
        self.evidence.append((id_(target.number), stamp, IDENTIFY, list(names)))
        return stamp

    def _merge(self, one: bytes, other: bytes, stamp: int) -> None:
        if one == other:
            return
        heads = {each: [o for o in self.origins if o.head == each] for each in (one, other)}
        winner, loser = sorted((one, other), key=lambda each: (-len(heads[each]), each))
        for origin in heads[loser]:
            origin.head = ProfileId(winner)
            if id_(origin.number) == loser:
                origin.joined_to, origin.joined_at = ProfileId(winner), stamp
        head = next(o for o in self.origins if id_(o.number) == winner)
        head.canonical = min(id_(o.number) for o in self.origins if o.head == winner)

    def remove(self, name: str) -> None:
        """Remove an identifier."""
        origin, stamp = self.owner(name), next(self._stamps)
        assert origin
        del origin.holds[name]
        self.forgotten[name] = stamp
        self.evidence.append((id_(origin.number), stamp, REMOVE, [name]))

    def take_over(self, name: str, by: str) -> None:
        """Record a call of a server with two identifiers, of which one leaves its origin for that of the other."""
        origin = self.owner(name)
        assert origin
        del origin.holds[name]
        self.call(by, name)

    def unmerge(self, *names: str) -> None:
        """Record an unmerge of these identifiers; the test moves the origins itself."""
        origin = self.origins[0]
        self.evidence.append((id_(origin.number), next(self._stamps), UNMERGE, list(names)))

    def audit(self) -> set[str]:
        """The kinds of discrepancy an audit finds."""
        findings = Discrepancies()
        index = RowIndex(findings)
        for o in self.origins:
            own = Counters(types={"custom": len(o.holds)} if o.holds else {}, live=[], origins=o.origins)
            index.read_profile(
                id_(o.number), o.head, o.canonical, o.joined_to, None if o.joined_at is None else Stamp(o.joined_at),
                Stamp(o.number), Stamp(int.from_bytes(o.canonical, "big") - 1), 1, 0, pack(own, lambda _: 99),
            )  # fmt: skip
        held = [(o, name, since) for o in self.origins for name, since in o.holds.items()]
        for o, name, _ in held:
            index.read_forward(BlindIndex(key(name)), ProfileId(id_(o.number)))
        for o, name, since in held:
            index.read_reverse(
                ProfileId(id_(o.number)), BlindIndex(key(name)), 99, False, Stamp(since), Micros(0), True
            )
        index.resolve_pointers()
        packed = [(at, stamp, kind, b"".join(map(key, names))) for at, stamp, kind, names in self.evidence]
        acts = [(Stamp(stamp), kind, kept) for _, stamp, kind, kept in packed if kind in (UNMERGE, REMOVE)]
        check = EvidenceCheck(
            index, findings, Reversals(acts, {key(name): Stamp(until) for name, until in self.forgotten.items()})
        )
        for row in packed:
            check.read(ProfileId(row[0]), Stamp(row[1]), *row[2:])
        check.check(self.parted)
        return {finding.kind for finding in findings}


names = st.sampled_from("abcdefgh")
