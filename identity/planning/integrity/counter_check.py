"""Checks that the numbers a space keeps agree with its rows: counters, windows, cuts, events and feed versions.

Every count is made again from the rows alone, never from another stored count. The planner checks all limits
against the counters on a root, so a wrong counter allows a wrong merge or prevents a right one.
"""

from array import array
from collections import Counter
from collections.abc import Sequence

import numpy as np

from identity.planning.integrity.discrepancies import Discrepancies
from identity.planning.integrity.row_index import NO_ORIGIN, RowIndex, column, unpack_counters
from identity.planning.resolution.counters import counted, newest_window
from identity.planning.resolution.planner_state import Counters
from identity.values.identifiers import BUILT_IN, USER_ID
from identity.values.ids import BlindIndex, ProfileId, public_profile

_USER_ID = BUILT_IN.index(USER_ID) + 1


class CounterCheck:
    """Recounts every stored counter. The pointers of the index must be resolved, and lanes are read before the feed.

    `truncated` is true once a lane has dropped old entries; the dropped entries can include the last one of a profile.
    """

    def __init__(self, index: RowIndex, findings: Discrepancies) -> None:
        self.index = index
        self.findings = findings
        self.calls = array("q", bytes(8 * len(index.ids)))
        self._published = array("q", [NO_ORIGIN]) * len(index.ids)
        self.truncated = False
        self._cuts: dict[int, dict[bytes, tuple[int, int]]] = {}
        origins, root = column(index.origin), index.root
        roots = np.full(len(origins), NO_ORIGIN)
        roots[origins != NO_ORIGIN] = root[origins[origins != NO_ORIGIN]]
        self._at_origin, self._at_root = index.group_by(origins), index.group_by(roots)
        self._roots = roots
        self._members = np.bincount(root[index.populated], minlength=len(root))

    def read_cut(self, key: BlindIndex, cut: bytes, side: int) -> None:
        """Read a row of cuts; a cut can also name an identifier that no profile holds."""
        number = self.index.keys.get(key)
        root = NO_ORIGIN if number is None else int(self._roots[number])
        if root != NO_ORIGIN:
            cuts = self._cuts.setdefault(root, {})
            left, right = cuts.get(cut, (0, 0))
            cuts[cut] = (left + (side == 0), right + (side == 1))

    def read_counters(self, id_: ProfileId, own: bytes, folded: bytes | None) -> None:
        """Check the counters of a profile; all cuts must have been read."""
        index, add = self.index, self.findings.add
        number = index.origins[id_]
        mine = unpack_counters(own)
        right = mine is not None and mine.origins == 1 - index.leftover[number]
        if not right or mine is None or counted(mine) != self._counted(self._at_origin(number)):
            add("own_counters", public_profile(id_))
        if index.root[number] != number:
            return
        total = mine if folded is None else unpack_counters(folded)
        held = self._at_root(number)
        if total is None or counted(total) != self._counted(held) or total.origins != self._members[number]:
            add("folded_counters", public_profile(id_))
        if total is None:
            return
        if total.cuts != self._cuts.get(number, {}):
            add("cuts_wrong", public_profile(id_))
        if not self._windows_match(total, held):
            add("window_wrong", public_profile(id_))

    def _counted(self, numbers: Sequence[int]) -> tuple[dict[str, int], list[BlindIndex]]:
        """The counts by type and the sorted user ids that counters of these identifiers must hold."""
        index = self.index
        live = [number for number in numbers if not index.retired[number]]
        types = Counter(index.type[number] for number in live)
        users = sorted(index.names[number] for number in live if index.type[number] == _USER_ID)
        return {str(type_): count for type_, count in types.items()}, users

    def _windows_match(self, total: Counters, numbers: Sequence[int]) -> bool:
        index = self.index
        for type_, window in total.windows.items():
            seen = {
                index.names[number]: index.last_seen[number]
                for number in numbers
                if str(index.type[number]) == type_ and not index.retired[number]
            }
            if window.seen != newest_window(seen, window.size).seen:
                return False
        return True

    def read_events(self, id_: ProfileId, calls: int) -> None:
        """Add the number of plain calls stored at an origin."""
        number = self.index.origins.get(id_)
        if number is None:
            self.findings.add("row_orphaned", public_profile(id_))
        else:
            self.calls[number] += calls

    def read_feed_version(self, id_: ProfileId, version: int, erased: bool = False) -> None:  # noqa: FBT001, FBT002 (a row)
        """Read the greatest version of a profile in the feed, and whether the feed reports the profile as erased."""
        number = self.index.origins.get(id_)
        if number is None:
            if not (erased or self.truncated):
                self.findings.add("change_unknown", public_profile(id_))
        elif erased:
            self.findings.add("erased_alive", public_profile(id_))
        else:
            self._published[number] = version

    def read_lane(
        self, lane: int, newest: int | None, base: int, count: int, first: int | None, last: int | None
    ) -> None:
        """Check the extent of a feed lane.

        `base` is the last entry dropped and `newest` the last entry written (None without a newest row).
        """
        ends = (base + 1, newest) if count else (None, None)
        if newest is None or not 0 <= base <= newest or count != newest - base or (first, last) != ends:
            self.findings.add("lane_broken", f"lane {lane}")
        self.truncated |= base > 0

    def check(self, evidence: Sequence[int]) -> None:
        """Compare the totals after all rows were read. `evidence` counts the stored calls of each origin."""
        index = self.index
        fewer = column(index.events) < column(evidence) + column(self.calls)
        self.findings.add_profiles("events_missing", index.selected_ids(fewer))
        # Events of expired calls stay in the count, so fewer stored calls than counted events are right.
        roots = np.flatnonzero((index.root == np.arange(len(index.ids))) & index.populated)
        roots = roots[index.canonical[roots] != NO_ORIGIN]
        published, version = column(self._published)[index.canonical[roots]], column(index.version)[roots]
        wrong = published > version if self.truncated else published != version
        self.findings.add_profiles("version_untold", (index.ids[number] for number in roots[wrong]))
