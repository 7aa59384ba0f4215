"""Checks that the evidence of a whole space yields the stored partition into profiles.

A call with identifiers of two canonical profiles is a difference, unless a later unmerge separated them; so is a
profile whose origins no call ties together. Correct operation of the service is never a difference. After an
unmerge less evidence remains than there is to explain, so the joins that it rebuilt count as evidence there.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from identity.planning.corrections.co_occurrence import Unmerged, together
from identity.planning.integrity.discrepancies import Discrepancies, of_call, of_key
from identity.planning.integrity.row_index import NOBODY, Numbers, RowIndex, column
from identity.planning.resolution.stored_calls import split_keys
from identity.values.calls import KINDS, STORED_KINDS
from identity.values.enums import StoredKind

UNMERGE, REMOVE = StoredKind.UNMERGE, StoredKind.REMOVE
_CALLS = frozenset(range(len(STORED_KINDS))) - {UNMERGE, REMOVE}
_EVENTS = frozenset(range(len(KINDS)))


class Undone:
    """What people undid: which identifiers they parted from the rest, and which they removed, and when."""

    def __init__(self, acts: Iterable[tuple[int, int, bytes]], forgotten: Mapping[bytes, int]) -> None:
        """`acts` are (stamp, kind, named identifiers), `forgotten` the last removal of an identifier."""
        self.forgotten = forgotten
        self.unmerges: dict[bytes, list[Unmerged]] = {}
        removed: dict[bytes, set[int]] = {key: {until} for key, until in forgotten.items()}
        for stamp, kind, packed in acts:
            keys = split_keys(packed)
            if kind == REMOVE:
                for key in keys:
                    removed.setdefault(key, set()).add(stamp)
                continue
            act = Unmerged(stamp, frozenset(keys))
            for key in keys:
                self.unmerges.setdefault(key, []).append(act)
        self.removed = {key: sorted(stamps) for key, stamps in removed.items()}

    def life(self, key: bytes, stamp: int) -> int:
        """How often an identifier had been removed before this stamp."""
        return bisect_left(self.removed.get(key, ()), stamp)

    def groups(self, kept: Sequence[bytes], stamp: int, linked_at: Mapping[bytes, int]) -> list[tuple[bytes, ...]]:
        """The identifiers that a call shows together, after every unmerge that named one of them."""
        acts = {act.stamp: act for key in kept for act in self.unmerges.get(key, ())}
        return together(kept, stamp, linked_at, list(acts.values()))


class Ties:
    """What ties origins together, from the calls that showed it. The census must be settled."""

    def __init__(self, census: RowIndex, findings: Discrepancies, undone: Undone) -> None:
        self.census = census
        self.findings = findings
        self.undone = undone
        self.calls = array("q", bytes(8 * len(census.ids)))
        self._from, self._to = array("q"), array("q")
        self._gone: dict[tuple[bytes, int], int] = {}
        self._kept = bytearray(len(census.names))
        self._joined_at = {at for at in census.joined_at if at}
        self._head: list[int] = census.head.tolist()

    def read(self, origin: bytes, stamp: int, kind: int, kept: bytes) -> None:
        """A row of evidence. One without identifiers is of nobody any more."""
        census, is_call = self.census, kind in _CALLS
        at = census.origins.get(origin)
        if at is None:
            self.findings.add("row_orphaned", of_call(stamp, origin))
            return
        self.calls[at] += bool(kept) and kind in _EVENTS
        linked: dict[bytes, int] = {}
        heads = set()
        keys = split_keys(kept)
        for key in keys:
            number = census.keys.get(key)
            if number is None or census.linked_at[number] > stamp:
                self._miss(at, key, stamp, is_call=is_call)
                continue
            linked[key] = since = census.linked_at[number]
            lies = census.origin[number]
            if since == stamp and is_call:
                self._kept[number] = 1
            if lies == NOBODY:
                continue
            heads.add(self._head[lies])
            if lies != at:
                self._tie(at, lies)
                if is_call and key is keys[0]:
                    self.findings.add("evidence_elsewhere", of_call(stamp, origin))
        if is_call:
            self._joined_at.discard(stamp)
            if len(heads) > 1 and self._apart(keys, stamp, linked):
                self.findings.add("linked_apart", of_call(stamp, origin))

    def _miss(self, at: int, key: bytes, stamp: int, *, is_call: bool) -> None:
        """An identifier that is not linked any more, or again: it tied what it was seen with all the same."""
        if is_call and stamp > self.undone.forgotten.get(key, 0):
            self.findings.add("evidence_unlinked", of_call(stamp, self.census.ids[at]))
        gone = self._gone.setdefault((key, self.undone.life(key, stamp)), len(self._gone))
        self._tie(at, len(self.census.ids) + gone)

    def _tie(self, one: int, other: int) -> None:
        self._from.append(one)
        self._to.append(other)

    def _apart(self, keys: Sequence[bytes], stamp: int, linked: Mapping[bytes, int]) -> bool:
        census = self.census
        origins = ([census.origin[census.keys[key]] for key in group]
                   for group in self.undone.groups(keys, stamp, linked))  # fmt: skip
        return any(len({self._head[at] for at in group if at != NOBODY}) > 1 for group in origins)

    def check(self, parted: Iterable[bytes]) -> None:
        """Compares with what is stored, once all evidence was read. `parted` took part in an unmerge."""
        census, head = self.census, self.census.head
        whole, everyone = census.whole, np.arange(len(census.ids))
        lasting = np.flatnonzero((head != NOBODY) & ~whole)
        joining = np.flatnonzero(whole & (census.joined_to != NOBODY))
        pointing = [(lasting, head[lasting])]
        joins = [*pointing, (joining, census.joined_to[joining])]
        calls = [(column(self._from), column(self._to))]

        joined = self._components(joins)
        broken = whole & (joined != joined[head])
        at_head = head == everyone
        has_join = (census.joined_to != NOBODY) & (column(census.joined_at) != 0)
        has_no_join = (census.joined_to == NOBODY) & (column(census.joined_at) == 0)
        broken |= whole & np.where(at_head, ~has_no_join, ~has_join)
        self.findings.add_profiles("join_broken", census.chosen(broken))

        reached = self._components([*joins, *calls])
        undone = reached[[census.origins[id_] for id_ in parted if id_ in census.origins]]
        strict = whole & ~np.isin(reached, undone)
        tied = self._components([*pointing, *calls])
        loose = np.unique(head[strict & (tied != tied[head])])
        self.findings.add_profiles("together_unfounded", (census.ids[number] for number in loose))
        unheard = np.isin(column(census.joined_at), list(self._joined_at)) & strict
        self.findings.add_profiles("join_unfounded", census.chosen(unheard))
        lies = column(census.origin)
        unkept = (column(self._kept) == 0) & (lies != NOBODY)
        unkept[unkept] = strict[lies[unkept]]
        for number in np.flatnonzero(unkept):
            self.findings.add("link_unfounded", of_key(census.names[number]))

    def _components(self, edges: Sequence[tuple[Numbers, Numbers]]) -> npt.NDArray[np.int32]:
        """A number per origin, the same for those that these edges connect."""
        size = len(self.census.ids) + len(self._gone)
        if not size:
            return np.zeros(0, np.int32)
        one, other = (np.concatenate(ends) for ends in zip(*edges, strict=True))
        graph = coo_array((np.ones(len(one), np.int8), (one, other)), shape=(size, size))
        labels: npt.NDArray[np.int32] = connected_components(graph, directed=False)[1]
        return labels[: len(self.census.ids)]
