"""Indexes every origin and identifier of a space by number, for an audit of millions of rows.

Arrays hold a few numbers per origin and identifier; the place in the array is its number. Rows may be in any
state: a contradiction becomes a finding, and is left out of later checks.
"""

from array import array
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from identity.planning.corrections.rebuild import ASLEEP
from identity.planning.integrity.discrepancies import Discrepancies, of_key
from identity.planning.resolution import counters
from identity.planning.resolution.planner_state import Counters
from identity.values.ids import public_profile

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
NOBODY: Final = -1
"""The number of an origin that does not exist, and of none."""
_ID = 16


class Types(dict[int, str]):
    """Types by their own numbers: an audit needs no names, which are sealed."""

    def __missing__(self, code: int) -> str:
        return str(code)


TYPES: Final = Types()


def opened(raw: bytes) -> Counters | None:
    """Stored counters, their types named by their numbers; None where they cannot be read."""
    try:
        return counters.unpack(raw, TYPES)
    except msgspec.MsgspecError:
        return None


class RowIndex:
    """Origins (`origins`: id -> number) and identifiers (`keys`: blind index -> number), with their columns.

    First every row is read, then `settle` resolves who points to whom; what is asked then is by number.
    """

    head: Numbers
    canonical: Numbers
    joined_to: Numbers

    def __init__(self, findings: Discrepancies) -> None:
        self.findings = findings
        self.origins: dict[bytes, int] = {}
        self.keys: dict[bytes, int] = {}
        self.ids: list[bytes] = []
        self.names: list[bytes] = []
        self.born, self.elder, self.version, self.events, self.joined_at = (array("q") for _ in range(5))
        self.leftover = bytearray()
        self._heads, self._canonicals, self._joins = bytearray(), bytearray(), bytearray()
        self.linked_at, self.last_seen, self.origin = (array("q") for _ in range(3))
        self.type = array("h")
        self.retired, self._forward, self._reverse = bytearray(), bytearray(), bytearray()

    def read_profile(
        self,
        id_: bytes,
        head: bytes,
        canonical: bytes,
        joined_to: bytes | None,
        joined_at: int | None,
        born: int,
        elder: int,
        version: int,
        events: int,
        own: bytes,
    ) -> None:
        """A row of profiles."""
        self.origins[id_] = len(self.ids)
        self.ids.append(id_)
        self._heads += head
        self._canonicals += canonical
        self._joins += joined_to or ASLEEP
        columns = (self.joined_at, self.born, self.elder, self.version, self.events)
        for column, value in zip(columns, (joined_at or 0, born, elder, version, events), strict=True):
            column.append(value)
        held = opened(own)
        # An id that a rebuild left over: it holds nothing and only leads to a profile.
        self.leftover.append(held is not None and not held.origins)

    def read_forward(self, key: bytes, origin: bytes) -> None:
        """A row that leads from an identifier to its origin; all profiles have been read."""
        number = self._identifier(key)
        self._forward[number] = 1
        self.origin[number] = self.origins.get(origin, NOBODY)
        if origin not in self.origins:
            self.findings.add("row_orphaned", of_key(key))

    def read_reverse(
        self, origin: bytes, key: bytes, type_: int, retired: bool, linked_at: int, last_seen: int, sealed: bool  # noqa: FBT001
    ) -> None:  # fmt: skip
        """A row of the identifiers of an origin; all that lead there have been read."""
        add, number = self.findings.add, self.keys.get(key)
        lies = self.origins.get(origin, NOBODY)
        if lies == NOBODY:
            add("row_orphaned", of_key(key))
        if number is None:
            number = self._identifier(key)
            self.origin[number] = lies
        if not self._forward[number]:
            add("forward_missing", of_key(key))
        elif self.origin[number] != lies:
            add("reverse_elsewhere", of_key(key))
        if self._reverse[number]:
            add("reverse_double", of_key(key))
        if not sealed:
            add("value_missing", of_key(key))
        self._reverse[number] = 1
        self.type[number], self.retired[number] = type_, retired
        self.linked_at[number], self.last_seen[number] = linked_at, last_seen

    def _identifier(self, key: bytes) -> int:
        number = self.keys.setdefault(key, len(self.names))
        if number == len(self.names):
            self.names.append(key)
            for column in (self.linked_at, self.last_seen, self.origin, self.type):
                column.append(0)
            for flags in (self.retired, self._forward, self._reverse):
                flags.append(0)
        return number

    def settle(self) -> None:
        """Resolves who points to whom, once every row was read, and checks it."""
        self.head, self.canonical, self.joined_to = (
            self._numbers(raw) for raw in (self._heads, self._canonicals, self._joins)
        )
        for number, key in enumerate(self.names):
            if not self._reverse[number]:
                self.findings.add("reverse_missing", of_key(key))
        self._check_heads()

    def _numbers(self, raw: bytearray) -> Numbers:
        places = range(0, len(raw), _ID)
        find = (self.origins.get(bytes(raw[at : at + _ID]), NOBODY) for at in places)
        return np.fromiter(find, np.int64, len(places))

    def _check_heads(self) -> None:
        add, head = self.findings.add_profiles, self.head
        lost = (head == NOBODY) & ~self._asleep()
        add("head_unknown", self.chosen(lost))
        add("head_moved", self.chosen((head != NOBODY) & (head[head] != head)))
        born, elder, whole = column(self.born), column(self.elder), self.whole
        order = np.flatnonzero(whole)[np.lexsort((born[whole], head[whole]))]
        at, first = np.unique(head[order], return_index=True)
        eldest = order[first]
        wrong = (self.canonical[at] != eldest) | (elder[at] != born[eldest])
        add("canonical_wrong", (self.ids[number] for number in at[wrong]))

    def _asleep(self) -> Mask:
        nowhere = ~np.frombuffer(self._heads, np.uint8).reshape(-1, _ID).any(axis=1)
        asleep: Mask = nowhere & (column(self.leftover) == 1)
        return asleep

    @property
    def whole(self) -> Mask:
        """Which origins hold something of their own and have a head."""
        whole: Mask = (self.head != NOBODY) & (column(self.leftover) == 0)
        return whole

    def chosen(self, mask: Mask) -> Iterator[bytes]:
        """The ids of these origins."""
        return (self.ids[number] for number in np.flatnonzero(mask))

    def shown(self, number: int) -> str:
        """How an origin is named."""
        return public_profile(self.ids[number])

    def grouped(self, by: Numbers) -> Callable[[int], list[int]]:
        """The numbers of identifiers by what `by` says of each; those it calls NOBODY are in no group."""
        order = np.argsort(by, kind="stable")
        ordered = by[order]

        def group(of: int) -> list[int]:
            low, high = np.searchsorted(ordered, (of, of + 1))
            found: list[int] = order[low:high].tolist()
            return found

        return group


def column(values: Any) -> Numbers:
    """The values of an array as numpy takes them, copied: the array may grow on."""
    return np.array(values, dtype=np.int64)
