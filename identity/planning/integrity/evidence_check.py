"""Checks that the evidence of a whole space produces the stored partition into profiles.

An act that the service allows is never a discrepancy. Two facts are: a call with identifiers of two canonical
profiles, unless a later unmerge separated them, and a profile whose origins no call connects. An unmerge leaves less
evidence than the partition needs, so where an unmerge took place the joins, which it rebuilds, count as evidence.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from identity.planning.corrections.connected_groups import Unmerged, connected_groups
from identity.planning.integrity.discrepancies import Discrepancies, call_label, identifier_label
from identity.planning.integrity.row_index import NO_ORIGIN, Numbers, RowIndex, column
from identity.planning.resolution.stored_calls import split_keys
from identity.values.calls import KINDS, STORED_KINDS
from identity.values.enums import StoredKind
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Stamp

UNMERGE, REMOVE = StoredKind.UNMERGE, StoredKind.REMOVE
_CALLS = frozenset(range(len(STORED_KINDS))) - {UNMERGE, REMOVE, StoredKind.REFUSE}
_EVENTS = frozenset(range(len(KINDS)))


class Reversals:
    """The unmerges and removals of a space by identifier, with their stamps."""

    def __init__(self, acts: Iterable[tuple[Stamp, int, bytes]], forgotten: Mapping[BlindIndex, Stamp]) -> None:
        """`acts` are (stamp, kind, named identifiers), `forgotten` maps an identifier to its last removal."""
        self.forgotten = forgotten
        self.unmerges: dict[bytes, list[Unmerged]] = {}
        removed: dict[BlindIndex, set[Stamp]] = {key: {until} for key, until in forgotten.items()}
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

    def removals_before(self, key: BlindIndex, stamp: Stamp) -> int:
        """The number of removals of an identifier before this stamp."""
        return bisect_left(self.removed.get(key, ()), stamp)

    def groups_at(
        self, kept: Sequence[BlindIndex], stamp: Stamp, linked_at: Mapping[BlindIndex, Stamp]
    ) -> list[tuple[BlindIndex, ...]]:
        """The identifiers a call still connects after every unmerge that named one of them, in groups."""
        acts = {act.stamp: act for key in kept for act in self.unmerges.get(key, ())}
        return connected_groups(kept, stamp, linked_at, list(acts.values()))


class EvidenceCheck:
    """Connects origins by the calls that observed them. The pointers of the index must be resolved."""

    def __init__(self, index: RowIndex, findings: Discrepancies, reversals: Reversals) -> None:
        self.index = index
        self.findings = findings
        self.reversals = reversals
        self.calls = array("q", bytes(8 * len(index.ids)))
        self._from, self._to = array("q"), array("q")
        self._gone: dict[tuple[bytes, int], int] = {}
        self._kept = bytearray(len(index.names))
        self._taken_over: list[tuple[int, str]] = []
        self._joined_at = {at for at in index.joined_at if at}
        self._root: list[int] = index.root.tolist()

    def read(self, origin: ProfileId, stamp: Stamp, kind: int, kept: bytes) -> None:
        """Read a row of evidence; a row without identifiers no longer belongs to a person."""
        index, observed = self.index, kind in _CALLS
        at = index.origins.get(origin)
        if at is None:
            self.findings.add("row_orphaned", call_label(stamp, origin))
            return
        self.calls[at] += bool(kept) and kind in _EVENTS
        linked: dict[BlindIndex, Stamp] = {}
        roots = set()
        # A refusal names an identifier of somebody else, and connects nothing.
        keys = [] if kind == StoredKind.REFUSE else split_keys(kept)
        for key in keys:
            number = index.keys.get(key)
            if number is None or index.linked_at[number] > stamp:
                self._connect_unlinked(at, key, stamp, observed=observed)
                continue
            linked[key] = since = Stamp(index.linked_at[number])
            owner = index.origin[number]
            if since == stamp and observed:
                self._kept[number] = 1
            if owner == NO_ORIGIN:
                continue
            roots.add(self._root[owner])
            if owner != at:
                self._connect(at, owner)
                if observed and key is keys[0]:
                    self.findings.add("evidence_elsewhere", call_label(stamp, origin))
        if observed:
            self._joined_at.discard(stamp)
            if len(roots) > 1 and self._separated(keys, stamp, linked):
                self.findings.add("linked_apart", call_label(stamp, origin))

    def _connect_unlinked(self, at: int, key: BlindIndex, stamp: Stamp, *, observed: bool) -> None:
        """Connect an origin to an identifier that was unlinked since: the call still connects the two."""
        if observed and stamp > self.reversals.forgotten.get(key, 0):
            number = self.index.keys.get(key)
            if number is None or self.index.origin[number] in (at, NO_ORIGIN):
                self.findings.add("evidence_unlinked", call_label(stamp, self.index.ids[at]))
            else:
                # A call of a server may have taken it over: `check` knows whether a call linked it later.
                self._taken_over.append((number, call_label(stamp, self.index.ids[at])))
        gone = self._gone.setdefault((key, self.reversals.removals_before(key, stamp)), len(self._gone))
        self._connect(at, len(self.index.ids) + gone)

    def _connect(self, one: int, other: int) -> None:
        self._from.append(one)
        self._to.append(other)

    def _separated(self, keys: Sequence[BlindIndex], stamp: Stamp, linked: Mapping[BlindIndex, Stamp]) -> bool:
        index = self.index
        origins = ([index.origin[index.keys[key]] for key in group]
                   for group in self.reversals.groups_at(keys, stamp, linked))  # fmt: skip
        return any(len({self._root[at] for at in group if at != NO_ORIGIN}) > 1 for group in origins)

    def check(self, parted: Iterable[ProfileId]) -> None:
        """Compare with the stored partition after all evidence was read; `parted` are the origins of unmerges."""
        index, root = self.index, self.index.root
        for at, call in self._taken_over:
            if not self._kept[at]:
                self.findings.add("evidence_unlinked", call)
        populated, everyone = index.populated, np.arange(len(index.ids))
        lasting = np.flatnonzero((root != NO_ORIGIN) & ~populated)
        joining = np.flatnonzero(populated & (index.joined_to != NO_ORIGIN))
        pointing = [(lasting, root[lasting])]
        joins = [*pointing, (joining, index.joined_to[joining])]
        calls = [(column(self._from), column(self._to))]

        joined = self._components(joins)
        broken = populated & (joined != joined[root])
        at_root = root == everyone
        joins_known = (index.joined_to != NO_ORIGIN) & (column(index.joined_at) != 0)
        joins_absent = (index.joined_to == NO_ORIGIN) & (column(index.joined_at) == 0)
        broken |= populated & np.where(at_root, ~joins_absent, ~joins_known)
        self.findings.add_profiles("join_broken", index.selected_ids(broken))

        reached = self._components([*joins, *calls])
        undone = reached[[index.origins[id_] for id_ in parted if id_ in index.origins]]
        strict = populated & ~np.isin(reached, undone)
        connected = self._components([*pointing, *calls])
        loose = np.unique(root[strict & (connected != connected[root])])
        self.findings.add_profiles("together_unfounded", (index.ids[number] for number in loose))
        unexplained = np.isin(column(index.joined_at), list(self._joined_at)) & strict
        self.findings.add_profiles("join_unfounded", index.selected_ids(unexplained))
        owners = column(index.origin)
        unkept = (column(self._kept) == 0) & (owners != NO_ORIGIN)
        unkept[unkept] = strict[owners[unkept]]
        for number in np.flatnonzero(unkept):
            self.findings.add("link_unfounded", identifier_label(index.names[number]))

    def _components(self, edges: Sequence[tuple[Numbers, Numbers]]) -> npt.NDArray[np.int32]:
        """A component number for each origin; origins these edges connect share a number."""
        size = len(self.index.ids) + len(self._gone)
        if not size:
            return np.zeros(0, np.int32)
        one, other = (np.concatenate(ends) for ends in zip(*edges, strict=True))
        graph = coo_array((np.ones(len(one), np.int8), (one, other)), shape=(size, size))
        labels: npt.NDArray[np.int32] = connected_components(graph, directed=False)[1]
        return labels[: len(self.index.ids)]
