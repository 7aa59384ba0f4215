"""Unseals locked rows into the state that the planner works on."""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet

from identity.planning.resolution import counters, fold_documents
from identity.planning.resolution.planner_state import GroupState, PlannerState, Sighting
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.working_set import set_key
from identity.spaces.origin_rows import to_profile, unwrap_key
from identity.spaces.space import Space
from identity.store.ingest.load import BatchClaim, LockedRows
from identity.store.postgres.rows import OriginRow
from identity.values.calls import Call
from identity.values.ids import BlindIndex, ProfileId, SetKey, SubjectId
from identity.values.stamps import Stamp
from identity.vault.seal import DOCUMENT, GROUP_ID, GROUP_TRAITS
from identity.vault.subject_keys import SubjectKey


class UnsealedBatch:
    """The locked rows as the planner works on them, and the subject keys to seal with."""

    def __init__(self, space: Space, first: BatchClaim, second: LockedRows) -> None:
        self.space = space
        self.rows: dict[bytes, OriginRow] = {row.id: row for row in second.profiles}
        self.documents: dict[bytes, int] = {}
        self.group_versions: dict[bytes, int] = {row.key: row.version for row in second.groups}
        self.sightings: set[tuple[bytes, bytes]] = set()
        self._keys = {row.id: row for row in second.keys}
        self._subjects: dict[bytes, SubjectKey] = {}
        self.state = self._state(first, second)

    @property
    def newest(self) -> Stamp:
        """The greatest stamp in the loaded rows."""
        groups = (fold_documents.newest_stamp(group.document) for group in self.state.groups.values())
        return Stamp(max((*(row.stamp for row in self.rows.values()), *groups), default=0))

    def subject(self, id_: SubjectId) -> SubjectKey:
        """The subject key of a loaded origin or group."""
        subject = self._subjects.get(id_)
        if subject is None:
            subject = self._subjects[id_] = unwrap_key(self.space, self._keys[id_])
        return subject

    def _state(self, first: BatchClaim, second: LockedRows) -> PlannerState:
        names = self.space.names
        state = PlannerState(
            owners=dict(first.owners),
            profiles={row.id: to_profile(row, names) for row in second.profiles},
            lock_stamp=first.lock_row.stamp,
        )
        for row in second.keys:
            if row.document is not None and row.version is not None:
                self.documents[row.id] = row.version
                plain = self.subject(row.id).open(DOCUMENT, row.id, row.version, row.document)
                state.documents[ProfileId(row.id)] = fold_documents.unpack(plain)
        for seen in second.sightings:
            at = (seen.origin, seen.set_key)
            self.sightings.add(at)
            state.sightings[at] = Sighting(
                seen=seen.seen,
                days=seen.days,
                last_day=seen.last_day,
                first_seen=seen.first_seen,
                last_seen=seen.last_seen,
                sources=_sources(seen.sources),
            )
        for group in second.groups:
            subject = self.subject(group.id)
            document = fold_documents.unpack(subject.open(GROUP_TRAITS, group.id, group.version, group.document))
            group_id = subject.open(GROUP_ID, group.id, 0, group.group_id).decode()
            state.groups[group.key] = GroupState(group.id, group_id, document, group.version)
        return state


def wanted_documents(calls: Iterable[Call], owners: dict[BlindIndex, ProfileId]) -> set[ProfileId]:
    """The origins whose documents the calls may write to.

    These are the origins that calls with content name. If such a call names an unknown identifier, another call may
    link that identifier first, so the origins of all calls that name something unknown count too.
    """
    wanted: set[ProfileId] = set()
    linking: set[ProfileId] = set()
    followed = False
    for call in calls:
        named = list(_named(call))
        found = [owners[key] for key in named if key in owners]
        unknown = len(found) < len(named)
        if call.traits or call.consent or call.signals or call.group is not None:
            wanted.update(found)
            followed |= unknown
        elif unknown:
            linking.update(found)
    return wanted | linking if followed else wanted


def wanted_sets(
    calls: Iterable[Call], owners: dict[BlindIndex, ProfileId], suppressed_of: Callable[[Call], AbstractSet[BlindIndex]]
) -> list[tuple[ProfileId, SetKey]]:
    """The (origin, set of identifiers) pairs that calls may turn out to be sightings of."""
    wanted: set[tuple[ProfileId, SetKey]] = set()
    for call in calls:
        gone = suppressed_of(call)
        keys = [i.key for i in call.identifiers if i.key not in gone]
        alias = call.alias
        readings: Sequence[list[BlindIndex]] = [keys]
        if alias is not None:
            readings = [keys, *([*keys, i.key] for i in (alias.user, alias.anonymous) if i is not None)]
        for reading in readings:
            origins = {owners[key] for key in reading if key in owners}
            if origins:
                set_ = set_key(reading)
                wanted.update((origin, set_) for origin in origins)
    return list(wanted)


def missing_windows(state: PlannerState, rules: Rules, codes: dict[str, int]) -> list[tuple[ProfileId, int, int]]:
    """The scans (root, type, number of rows) that build the windows which these rules need."""
    if not rules.windowed:
        return []
    return [
        (root.id, codes[type_], rules.limit(type_).max + 1)
        for root in state.profiles.values()
        if root.root == root.id
        for type_ in counters.missing_windows(root.folded, rules)
    ]


def fill_windows(
    state: PlannerState,
    scans: Sequence[tuple[ProfileId, int, int]],
    found: Sequence[tuple[ProfileId, int, BlindIndex, int]],
    names: dict[int, str],
) -> None:
    """Adds the scanned windows."""
    seen: dict[tuple[ProfileId, int], dict[BlindIndex, int]] = {}
    for root, code, key, last in found:
        seen.setdefault((root, code), {})[key] = last
    for root, code, size in scans:
        window = counters.newest_window(seen.get((root, code), {}), size)
        state.profiles[root].folded.windows[names[code]] = window


def _named(call: Call) -> Iterable[BlindIndex]:
    for identifier in call.identifiers:
        yield identifier.key
    if call.alias is not None:
        for previous in (call.alias.user, call.alias.anonymous):
            if previous is not None:
                yield previous.key


def _sources(raw: bytes) -> tuple[int, ...]:
    return tuple(int.from_bytes(raw[at : at + 4], "big") for at in range(0, len(raw), 4))
