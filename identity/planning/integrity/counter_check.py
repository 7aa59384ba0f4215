"""Checks the stored numbers of a space against its rows: counters, windows, cuts, events, versions in the feed.

Every merge limit is checked against the counters of a head, so a wrong counter allows a wrong merge or prevents
a right one.
"""

from array import array
from collections import Counter
from collections.abc import Sequence

import numpy as np

from identity.planning.integrity.discrepancies import Discrepancies
from identity.planning.integrity.row_index import NOBODY, RowIndex, column, opened
from identity.planning.resolution.counters import counted, newest_window
from identity.planning.resolution.planner_state import Counters
from identity.values.identifiers import BUILT_IN, USER_ID
from identity.values.ids import public_profile

_USER_ID = BUILT_IN.index(USER_ID) + 1


class CounterCheck:
    """Counts again what is stored as counted. The census must be settled, and lanes are read before the feed.

    `forgotten`: entries of the feed are gone, lane by lane, the last ones of somebody as well as the first.
    """

    def __init__(self, census: RowIndex, findings: Discrepancies) -> None:
        self.census = census
        self.findings = findings
        self.calls = array("q", bytes(8 * len(census.ids)))
        self._feed_version = array("q", [NOBODY]) * len(census.ids)
        self.forgotten = False
        self._cuts: dict[int, dict[bytes, tuple[int, int]]] = {}
        origins, head = column(census.origin), census.head
        heads = np.full(len(origins), NOBODY)
        heads[origins != NOBODY] = head[origins[origins != NOBODY]]
        self._at_origin, self._at_head = census.grouped(origins), census.grouped(heads)
        self._heads = heads
        self._members = np.bincount(head[census.whole], minlength=len(head))

    def read_cut(self, key: bytes, cut: bytes, side: int) -> None:
        """A row of cuts; they stand for identifiers that nobody has, too."""
        number = self.census.keys.get(key)
        head = NOBODY if number is None else int(self._heads[number])
        if head != NOBODY:
            cuts = self._cuts.setdefault(head, {})
            left, right = cuts.get(cut, (0, 0))
            cuts[cut] = (left + (side == 0), right + (side == 1))

    def read_counters(self, id_: bytes, own: bytes, folded: bytes | None) -> None:
        """The counters of a profile; all cuts have been read."""
        census, add = self.census, self.findings.add
        number = census.origins[id_]
        mine = opened(own)
        right = mine is not None and mine.origins == 1 - census.leftover[number]
        if not right or mine is None or counted(mine) != self._counted(self._at_origin(number)):
            add("own_counters", public_profile(id_))
        if census.head[number] != number:
            return
        whole = mine if folded is None else opened(folded)
        held = self._at_head(number)
        if whole is None or counted(whole) != self._counted(held) or whole.origins != self._members[number]:
            add("folded_counters", public_profile(id_))
        if whole is None:
            return
        if whole.cuts != self._cuts.get(number, {}):
            add("cuts_wrong", public_profile(id_))
        if not self._windows_hold(whole, held):
            add("window_wrong", public_profile(id_))

    def _counted(self, held: Sequence[int]) -> tuple[dict[str, int], list[bytes]]:
        """What counters of these identifiers have to say."""
        census = self.census
        live = [number for number in held if not census.retired[number]]
        types = Counter(census.type[number] for number in live)
        users = sorted(census.names[number] for number in live if census.type[number] == _USER_ID)
        return {str(type_): count for type_, count in types.items()}, users

    def _windows_hold(self, whole: Counters, held: Sequence[int]) -> bool:
        census = self.census
        for type_, window in whole.windows.items():
            seen = {
                census.names[number]: census.last_seen[number]
                for number in held
                if str(census.type[number]) == type_ and not census.retired[number]
            }
            if window.seen != newest_window(seen, window.size).seen:
                return False
        return True

    def read_events(self, id_: bytes, calls: int) -> None:
        """How many plain calls lie at an origin."""
        number = self.census.origins.get(id_)
        if number is None:
            self.findings.add("row_orphaned", public_profile(id_))
        else:
            self.calls[number] += calls

    def read_feed_version(self, id_: bytes, version: int, erased: bool = False) -> None:  # noqa: FBT001, FBT002 (a row)
        """The greatest version of a profile in the feed, and whether the feed has its erasure."""
        number = self.census.origins.get(id_)
        if number is None:
            if not (erased or self.forgotten):
                self.findings.add("change_unknown", public_profile(id_))
        elif erased:
            self.findings.add("erased_alive", public_profile(id_))
        else:
            self._feed_version[number] = version

    def read_lane(
        self, lane: int, head: int | None, base: int, count: int, first: int | None, last: int | None
    ) -> None:
        """What a lane of the feed holds, and the last entries that were made and forgotten (None: it has no head)."""
        ends = (base + 1, head) if count else (None, None)
        if head is None or not 0 <= base <= head or count != head - base or (first, last) != ends:
            self.findings.add("lane_broken", f"lane {lane}")
        self.forgotten |= base > 0

    def check(self, evidence: Sequence[int]) -> None:
        """Compares what was summed up, once all was read. `evidence` counts the calls kept per origin."""
        census = self.census
        fewer = column(census.events) < column(evidence) + column(self.calls)
        self.findings.add_profiles("events_missing", census.chosen(fewer))
        # The calls that expired are counted still, so there may be fewer than are counted.
        heads = np.flatnonzero((census.head == np.arange(len(census.ids))) & census.whole)
        heads = heads[census.canonical[heads] != NOBODY]
        in_feed, version = column(self._feed_version)[census.canonical[heads]], column(census.version)[heads]
        wrong = in_feed > version if self.forgotten else in_feed != version
        self.findings.add_profiles("version_untold", (census.ids[number] for number in heads[wrong]))
