"""The evidence of a profile as sets of identifiers that occur together, read without unsealing a call.

During a rotation of the index key rows may hold older blind indexes; here every identifier has its newest one.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from identity.operations.profiles.profile import OpenedProfile
from identity.planning.corrections.connected_groups import Unmerged, connected_groups
from identity.planning.corrections.profile_snapshot import shown
from identity.planning.graph.evidence_graph import Graph, Observation, build_graph
from identity.planning.resolution.stored_calls import split_keys, unpack_demoted
from identity.planning.resolution.working_set import set_key
from identity.spaces.index_versions import require_index_version
from identity.store.postgres.rows import EvidenceRow, SightingRow
from identity.store.postgres.snapshot import begin_snapshot
from identity.store.profiles import evidence as evidence_queries
from identity.store.profiles import snapshot_queries
from identity.values.enums import StoredKind
from identity.values.ids import BlindIndex, ProfileId, SetKey
from identity.values.stamps import Micros, Stamp, stamp_time

_UNMERGE = StoredKind.UNMERGE
_ACTS = (_UNMERGE, StoredKind.REMOVE, StoredKind.REFUSE)
_SLICE: Final = 500
Place = tuple[ProfileId, Stamp]
"""The origin and the stamp of a call."""


class GraphEvidence:
    """A profile with its evidence. `groups` maps (origin, stamp) to the sets of identifiers that occur together."""

    def __init__(
        self,
        profile: OpenedProfile,
        names: dict[int, str],
        sightings: Sequence[SightingRow],
        newest: Mapping[BlindIndex, BlindIndex],
    ) -> None:
        self.profile = profile
        self.names = names
        self.newest = newest
        self.identifiers = {newest.get(each.key, each.key): each for each in profile.identifiers}
        self.types = {key: names[each.type] for key, each in self.identifiers.items()}
        self.retired = {key for key, each in self.identifiers.items() if each.retired}
        self.rules: dict[Place, int] = {}
        self.groups: dict[Place, list[tuple[BlindIndex, ...]]] = {}
        self._seen = {(each.origin, each.set_key): each for each in sightings}
        self._sets: dict[Place, SetKey] = {}
        self._times: dict[tuple[bytes, bytes], tuple[Micros, Micros]] = {}

    async def take(self, rows: Sequence[EvidenceRow]) -> None:
        """Take up the evidence, in slices between which other requests go on."""
        unmerged = [Unmerged(row.stamp, frozenset(self._keys(row.kept))) for row in rows if row.kind == _UNMERGE]
        linked_at = {key: each.linked_at for key, each in self.identifiers.items()}
        for at, row in enumerate(rows):
            if at % _SLICE == _SLICE - 1:
                await asyncio.sleep(0)
            place = row.origin, row.stamp
            self.rules[place] = row.rules_version
            if row.kind not in _ACTS:
                self.groups[place] = connected_groups(self._keys(row.kept), row.stamp, linked_at, unmerged)
                self._sets[place] = _set(row, self.names)
        # Identifiers that an alias joined by name were never seen together: only the call has the time.
        alone = {place for place, set_ in self._sets.items() if (place[0], set_) not in self._seen}
        times = {at: call.time for at, call in (await self.profile.calls(alone)).items()} if alone else {}
        for place, set_ in self._sets.items():
            # A call that ended since it was listed leaves the time of its arrival.
            time = times.get(place, stamp_time(Stamp(place[1])))
            first, last = self._times.get((place[0], set_), (time, time))
            self._times[place[0], set_] = min(first, time), max(last, time)

    def _keys(self, packed: bytes) -> list[BlindIndex]:
        return [self.newest.get(key, key) for key in split_keys(packed)]

    def graph(self) -> Graph:
        """The evidence graph. A set that occurs in many calls is one observation, with the place of the first call."""
        observations = []
        counted = set()
        for at, groups in self.groups.items():
            set_ = at[0], self._sets[at]
            for group in groups:
                if len(group) > 1 and (set_, group) not in counted:
                    counted.add((set_, group))
                    observations.append(self._observation(at, group))
        return build_graph(observations, self.types)

    def calls_of(self, a: BlindIndex, b: BlindIndex) -> list[tuple[ProfileId, Stamp]]:
        """The (origin, stamp) of each call in which two identifiers occur together, oldest first."""
        return [at for at, groups in self.groups.items() if any(a in group and b in group for group in groups)]

    def sources(self, place: tuple[ProfileId, Stamp]) -> tuple[int, ...]:
        """The numbers of the keys that sent the call at a place, and the others with the same identifiers there."""
        seen = self._seen.get((place[0], self._sets[place]))
        return () if seen is None else _sources(seen.sources)

    def _observation(self, place: tuple[ProfileId, Stamp], group: tuple[BlindIndex, ...]) -> Observation:
        origin, stamp = place
        seen = self._seen.get((origin, self._sets[place]))
        first, last = self._times[origin, self._sets[place]] if seen is None else (seen.first_seen, seen.last_seen)
        return Observation(
            origin=origin,
            stamp=stamp,
            keys=group,
            days=1 if seen is None else seen.days,
            sources=() if seen is None else _sources(seen.sources),
            count=1 if seen is None else seen.seen,
            first_seen=first,
            last_seen=last,
        )

    def text(self, key: BlindIndex) -> str:
        """An identifier as `type:value`."""
        return f"{self.types[key]}:{self.profile.value(self.identifiers[key])}"


async def read_graph_evidence(profile: OpenedProfile) -> GraphEvidence:
    """Read the evidence of a profile."""
    names = await profile.names()
    origins = [origin.id for origin in profile.origins]
    space = profile.space
    known = space.keys.versions.newest
    async with space.database.transaction() as connection:
        # Evidence and sightings must belong together: the second is looked up by the sets of the first.
        await begin_snapshot(connection)
        await require_index_version(space, connection, known)
        rows = await evidence_queries.without_payload(connection, space.tenant, origins)
        sightings = await snapshot_queries.sightings(connection, space.tenant, origins)
    newest: dict[BlindIndex, BlindIndex] = {}
    if space.keys.versions.live < known:
        # A rotation may have renamed identifiers since the profile was read.
        for identifier in profile.identifiers:
            own, *older = space.keys.identifiers(names[identifier.type], profile.value(identifier))
            newest |= dict.fromkeys(older, own)
    evidence = GraphEvidence(profile, names, sightings, newest)
    await evidence.take(rows)
    return evidence


def _set(row: EvidenceRow, names: dict[int, str]) -> SetKey:
    return set_key(shown(split_keys(row.kept), unpack_demoted(row.demoted or b"", names.__getitem__)))


def _sources(raw: bytes) -> tuple[int, ...]:
    return tuple(int.from_bytes(raw[at : at + 4], "big") for at in range(0, len(raw), 4))
