"""Replays the stored calls of some profiles as if all arrived again under other rules.

The calls go through the planner of ingest in the order of their stamps, and corrections take effect between
them. A removed identifier is ignored in calls up to its removal; a cut applies from its unmerge on. So a
rebuild equals a fresh ingest, and a simulation of rules is a rebuild that is not written.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from msgspec import Struct, structs

from identity.planning.corrections.profile_snapshot import (
    Evidence,
    OriginContent,
    ProfileSnapshot,
    SnapshotIdentifier,
    UserIdRename,
    shown,
)
from identity.planning.corrections.unmerge import UnmergePlan, mixed_origins, plan_unmerge
from identity.planning.resolution.plan import Gained, RecordedCall, widen
from identity.planning.resolution.planner import plan
from identity.planning.resolution.planner_state import GroupState, PlannerState
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.stored_calls import StoredCall, stored_call
from identity.planning.resolution.working_set import set_key
from identity.values.calls import Call
from identity.values.documents import Document
from identity.values.ids import BlindIndex, GroupRowId, ProfileId, SetKey
from identity.values.stamps import Stamp


class ReplayEntry(Struct):
    """A log entry: `call` is the call under the rules of the replay, or None for an act; `stored` is its stored form.

    `named` are the identifiers an unmerge moved out, `cut` is its cut between the sides, and `births` are the creation
    stamps of its new profiles.
    """

    stamp: Stamp
    origin: ProfileId
    stored: StoredCall
    call: Call | None = None
    named: frozenset[BlindIndex] = frozenset()
    cut: bytes | None = None
    births: tuple[Stamp, ...] = ()


class ReplayConstraints(Struct, frozen=True):
    """The constraints beside the rules: removed keys with the removal stamp, blocked keys, the rows of every cut."""

    forgotten: Mapping[BlindIndex, Stamp] = {}
    blocked: frozenset[BlindIndex] = frozenset()
    cuts: Mapping[bytes, Sequence[tuple[BlindIndex, int]]] = {}


class Replay:
    """The profiles a log produces, under new ids; `recorded` maps a stamp to the record of its call."""

    def __init__(self, rules: Rules, constraints: ReplayConstraints, fresh_id: Callable[[], ProfileId]) -> None:
        self.rules = rules
        self.constraints = constraints
        self.state = PlannerState(blocked=set(constraints.blocked))
        self.links: dict[BlindIndex, Gained] = {}
        self.recorded: dict[Stamp, RecordedCall] = {}
        self.refused: list[Stamp] = []
        self._evidence: dict[int, Evidence] = {}
        self._renamings: dict[Stamp, UserIdRename] = {}
        self._fresh_id = fresh_id

    def run(self, log: Iterable[ReplayEntry]) -> None:
        """Replay a log, which is in the order of its stamps."""
        log = list(log)
        made = {each.cut for each in log}
        for cut, rows in self.constraints.cuts.items():
            # A cut whose unmerge was erased still applies.
            for key, side in rows if cut not in made else ():
                self.state.cuts.setdefault(key, []).append((cut, side))
        for is_call, entries in groupby(log, key=lambda each: each.call is not None):
            if is_call:
                self._apply_calls(list(entries))
            else:
                for act in entries:
                    self._apply_unmerge(act)

    def showed(self, stamp: Stamp) -> SetKey:
        """The key of the set of identifiers in a recorded call."""
        return self._evidence[stamp].shown

    def _apply_calls(self, entries: Sequence[ReplayEntry]) -> None:
        state, now = self.state, [Stamp(0)]

        def calls() -> Iterator[Call]:
            for each in entries:
                now[0] = each.stamp
                call = self._without_forgotten(each)
                if call.group is not None:
                    state.groups.setdefault(call.group_key, GroupState(GroupRowId(b""), call.group, Document()))
                yield call

        made = plan(state, calls(), self.rules, lambda _: now[0], self._fresh_id, bytes.hex)
        for gained in made.gained:
            self.links[gained.identifier.key] = gained
        for _, key in made.retired:
            self.links[key].retired = True
        for (_, key), seen in made.seen.items():
            widen(self.links[key], *seen)
        for record in (*made.evidence, *made.events):
            self.recorded[record.stamp] = record
            members = set_key(shown(record.kept, record.demoted))
            self._evidence[record.stamp] = Evidence(
                stamp=record.stamp,
                kept=record.kept,
                shown=members,
                call=stored_call(record.call),
                group=record.call.group,
            )
            self._note_renaming(record)
        self.refused += [each.stamp for each in entries if each.stamp not in self.recorded]

    def _without_forgotten(self, entry: ReplayEntry) -> Call:
        """A call without the identifiers removed since; each entry has its own message id."""
        call = entry.call
        assert call is not None
        gone = {key for key in _named(call) if self.constraints.forgotten.get(key, -1) >= entry.stamp}
        alias = call.alias
        if gone and alias is not None:
            user = None if alias.user is None or alias.user.key in gone else alias.user
            anonymous = None if alias.anonymous is None or alias.anonymous.key in gone else alias.anonymous
            alias = (
                None if user is None and anonymous is None else structs.replace(alias, user=user, anonymous=anonymous)
            )
        identifiers = [i for i in call.identifiers if i.key not in gone]
        message_key = entry.stamp.to_bytes(16, "big")
        return structs.replace(call, identifiers=identifiers, alias=alias, message_key=message_key)

    def _note_renaming(self, record: RecordedCall) -> None:
        alias = record.call.alias
        if alias is None or alias.to is None or alias.to.key not in record.kept:
            return
        readings = [i.key for i in (alias.user, alias.anonymous) if i is not None]
        linked = [key for key in readings if key in record.kept and key != alias.to.key]
        if linked:
            self._renamings[record.stamp] = UserIdRename(record.stamp, linked[0], alias.to.key)

    def _apply_unmerge(self, act: ReplayEntry) -> None:
        """Replay an unmerge: split the profiles with its identifiers, and apply its cut from now on."""
        state = self.state
        sides = dict(self.constraints.cuts.get(act.cut, ())) if act.cut else {}
        for key, side in sides.items():
            state.cuts.setdefault(key, []).append((act.cut or b"", side))
        births = iter(act.births)
        parted: set[ProfileId] = set()
        roots = {root.id: root.oldest_birth for key in act.named if (root := state.root_of(key)) is not None}
        for id_ in sorted(roots, key=lambda each: (roots[each], each)):
            snapshot = self._snapshot(id_, act.stamp)
            named = act.named & snapshot.links.keys()
            if named == snapshot.links.keys():
                continue
            made = [next(births, act.stamp) for _ in mixed_origins(snapshot.links.values(), named)]
            stamps = iter([*made, act.stamp])
            unmerge = plan_unmerge(snapshot, named, self.rules, lambda _: next(stamps), self._fresh_id, block=False)  # noqa: B023
            self._apply_plan(unmerge)
            parted |= {unmerge.staying.id, unmerge.leaving.id}
        for key, side in sides.items():
            root = state.root_of(key)
            if root is not None and root.id not in parted:
                left, right = root.folded.cuts.get(act.cut or b"", (0, 0))
                root.folded.cuts[act.cut or b""] = (left + (side == 0), right + (side == 1))

    def _snapshot(self, root: ProfileId, stamp: Stamp) -> ProfileSnapshot:
        state = self.state
        profiles = {p.id: p for p in state.profiles.values() if p.root == root}
        links = {key: _link(gained) for key, gained in self.links.items() if gained.origin in profiles}
        contents = {id_: OriginContent() for id_ in profiles}
        for at, record in self.recorded.items():
            if record.origin in profiles:
                contents[record.origin].evidence.append(self._evidence[at])
        for (origin, set_), sighting in state.sightings.items():
            if origin in profiles:
                contents[origin].sightings[set_] = sighting
        renamings = [each for at, each in self._renamings.items() if self.recorded[at].origin in profiles]
        cuts = {key: state.cuts[key] for key in links if key in state.cuts}
        return ProfileSnapshot(
            profiles=profiles, links=links, cuts=cuts, renamings=renamings, contents=contents, lock_stamp=stamp
        )

    def _apply_plan(self, unmerge: UnmergePlan) -> None:
        state = self.state
        state.profiles |= unmerge.profiles
        for key, link in unmerge.links.items():
            self.links[key].origin = state.owners[key] = link.origin
            self.links[key].retired = link.retired
        for split in unmerge.splits:
            for id_, document in ((split.origin, split.staying), (split.twin, split.leaving)):
                state.documents.pop(id_, None)
                if document != Document():
                    state.documents[id_] = document
            for stamp in split.evidence:
                self.recorded[stamp].origin = split.twin
            for set_ in split.sightings:
                state.sightings[split.twin, set_] = state.sightings.pop((split.origin, set_))


def _named(call: Call) -> Iterator[BlindIndex]:
    for identifier in call.identifiers:
        yield identifier.key
    if call.alias is not None:
        for previous in (call.alias.user, call.alias.anonymous):
            if previous is not None:
                yield previous.key


def _link(gained: Gained) -> SnapshotIdentifier:
    identifier = gained.identifier
    seen = (gained.linked_at, gained.first_seen, gained.last_seen, gained.source)
    return SnapshotIdentifier(identifier.key, identifier.type, gained.origin, gained.retired, *seen)
