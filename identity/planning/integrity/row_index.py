"""Indexes every origin and identifier of a space by number, for an audit of millions of them.

The number of an origin or identifier is its position in every array. Rows in any state are accepted: a contradiction
becomes a discrepancy and takes no part in the remaining checks. Arrays of numbers keep the memory for each row small.
"""

from array import array
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from identity.planning.corrections.rebuild import DORMANT
from identity.planning.integrity.discrepancies import Discrepancies, identifier_label
from identity.planning.resolution import counters
from identity.planning.resolution.planner_state import Counters
from identity.values.ids import BlindIndex, ProfileId, public_profile
from identity.values.stamps import Micros, Stamp

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
NO_ORIGIN: Final = -1
"""The number of a missing or unknown origin."""
_ID = 16


class TypeNumbers(dict[int, str]):
    """Names types by their numbers: the real names are sealed, and an audit does not need them."""

    def __missing__(self, code: int) -> str:
        return str(code)


TYPES: Final = TypeNumbers()


def unpack_counters(raw: bytes) -> Counters | None:
    """Decode stored counters, with type numbers as type names; None for undecodable bytes."""
    try:
        return counters.unpack(raw, TYPES)
    except msgspec.MsgspecError:
        return None


class RowIndex:
    """Origins (`origins`: id -> number) and identifiers (`keys`: blind index -> number), with their columns.

    Read every row first, then call `resolve_pointers`; `root`, `canonical` and `joined_to` exist from then on.
    """

    root: Numbers
    canonical: Numbers
    joined_to: Numbers

    def __init__(self, findings: Discrepancies) -> None:
        self.findings = findings
        self.origins: dict[bytes, int] = {}
        self.keys: dict[bytes, int] = {}
        self.ids: list[ProfileId] = []
        self.names: list[BlindIndex] = []
        self.created, self.oldest_birth, self.version, self.events, self.joined_at = (array("q") for _ in range(5))
        self.leftover = bytearray()
        self._roots, self._canonicals, self._joins = bytearray(), bytearray(), bytearray()
        self.linked_at, self.last_seen, self.origin = (array("q") for _ in range(3))
        self.type = array("h")
        self.retired, self._forward, self._reverse = bytearray(), bytearray(), bytearray()

    def read_profile(
        self,
        id_: ProfileId,
        root: ProfileId,
        canonical: ProfileId,
        joined_to: ProfileId | None,
        joined_at: Stamp | None,
        created: Stamp,
        oldest_birth: Stamp,
        version: int,
        events: int,
        own: bytes,
    ) -> None:
        """Read a row of profiles."""
        self.origins[id_] = len(self.ids)
        self.ids.append(id_)
        self._roots += root
        self._canonicals += canonical
        self._joins += joined_to or DORMANT
        columns = (self.joined_at, self.created, self.oldest_birth, self.version, self.events)
        for column, value in zip(columns, (joined_at or 0, created, oldest_birth, version, events), strict=True):
            column.append(value)
        held = unpack_counters(own)
        # A rebuild leaves such an id behind: the id holds nothing and only points to a profile.
        self.leftover.append(held is not None and not held.origins)

    def read_forward(self, key: BlindIndex, origin: ProfileId) -> None:
        """Read a forward row, from an identifier to its origin; all profiles must have been read."""
        number = self._identifier(key)
        self._forward[number] = 1
        self.origin[number] = self.origins.get(origin, NO_ORIGIN)
        if origin not in self.origins:
            self.findings.add("row_orphaned", identifier_label(key))

    def read_reverse(
        self,
        origin: ProfileId,
        key: BlindIndex,
        type_: int,
        retired: bool,  # noqa: FBT001
        linked_at: Stamp,
        last_seen: Micros,
        sealed: bool,  # noqa: FBT001
    ) -> None:
        """Read a reverse row, from an origin to its identifier; all forward rows must have been read."""
        add, number = self.findings.add, self.keys.get(key)
        owner = self.origins.get(origin, NO_ORIGIN)
        if owner == NO_ORIGIN:
            add("row_orphaned", identifier_label(key))
        if number is None:
            number = self._identifier(key)
            self.origin[number] = owner
        if not self._forward[number]:
            add("forward_missing", identifier_label(key))
        elif self.origin[number] != owner:
            add("reverse_elsewhere", identifier_label(key))
        if self._reverse[number]:
            add("reverse_double", identifier_label(key))
        if not sealed:
            add("value_missing", identifier_label(key))
        self._reverse[number] = 1
        self.type[number], self.retired[number] = type_, retired
        self.linked_at[number], self.last_seen[number] = linked_at, last_seen

    def _identifier(self, key: BlindIndex) -> int:
        number = self.keys.setdefault(key, len(self.names))
        if number == len(self.names):
            self.names.append(key)
            for column in (self.linked_at, self.last_seen, self.origin, self.type):
                column.append(0)
            for flags in (self.retired, self._forward, self._reverse):
                flags.append(0)
        return number

    def resolve_pointers(self) -> None:
        """Resolve and check the pointers between origins after every row was read."""
        self.root, self.canonical, self.joined_to = (
            self._numbers(raw) for raw in (self._roots, self._canonicals, self._joins)
        )
        for number, key in enumerate(self.names):
            if not self._reverse[number]:
                self.findings.add("reverse_missing", identifier_label(key))
        self._check_heads()

    def _numbers(self, raw: bytearray) -> Numbers:
        places = range(0, len(raw), _ID)
        find = (self.origins.get(bytes(raw[at : at + _ID]), NO_ORIGIN) for at in places)
        return np.fromiter(find, np.int64, len(places))

    def _check_heads(self) -> None:
        add, root = self.findings.add_profiles, self.root
        lost = (root == NO_ORIGIN) & ~self._pointing_nowhere()
        add("head_unknown", self.selected_ids(lost))
        add("head_moved", self.selected_ids((root != NO_ORIGIN) & (root[root] != root)))
        created, oldest_birth, populated = column(self.created), column(self.oldest_birth), self.populated
        order = np.flatnonzero(populated)[np.lexsort((created[populated], root[populated]))]
        at, first = np.unique(root[order], return_index=True)
        oldest = order[first]
        wrong = (self.canonical[at] != oldest) | (oldest_birth[at] != created[oldest])
        add("canonical_wrong", (self.ids[number] for number in at[wrong]))

    def _pointing_nowhere(self) -> Mask:
        """Selects the left-over ids that point to no profile at all."""
        nowhere = ~np.frombuffer(self._roots, np.uint8).reshape(-1, _ID).any(axis=1)
        selected: Mask = nowhere & (column(self.leftover) == 1)
        return selected

    @property
    def populated(self) -> Mask:
        """Selects the origins that hold rows of their own and have a root."""
        populated: Mask = (self.root != NO_ORIGIN) & (column(self.leftover) == 0)
        return populated

    def selected_ids(self, mask: Mask) -> Iterator[ProfileId]:
        """The ids of the origins the mask selects."""
        return (self.ids[number] for number in np.flatnonzero(mask))

    def shown(self, number: int) -> str:
        """The public id of an origin."""
        return public_profile(self.ids[number])

    def group_by(self, by: Numbers) -> Callable[[int], list[int]]:
        """A lookup from a number in `by` to the identifiers that have that number there."""
        order = np.argsort(by, kind="stable")
        ordered = by[order]

        def group(number: int) -> list[int]:
            low, high = np.searchsorted(ordered, (number, number + 1))
            found: list[int] = order[low:high].tolist()
            return found

        return group


def column(values: Any) -> Numbers:
    """A numpy copy of an array, which can keep growing."""
    return np.array(values, dtype=np.int64)
