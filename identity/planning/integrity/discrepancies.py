"""Collects the differences found by an audit: their kind, their number, and the first few places.

Examples are ids, stamps and blind indexes. No finding ever holds the value of an identifier or a trait.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from identity.values.ids import public_profile

MOST_SHOWN: Final = 20

DIFFERENCES: Final = {
    "linked_apart": "A call shows identifiers to be one profile that lie in two.",
    "together_unfounded": "No evidence ties all origins of a profile together.",
    "join_broken": "The joins of an origin do not lead to its head.",
    "join_unfounded": "An origin joined another one at a stamp that no call bears.",
    "link_unfounded": "An identifier was linked at a stamp at which no call kept it.",
    "evidence_elsewhere": "Evidence does not lie with its strongest identifier.",
    "evidence_unlinked": "Evidence keeps an identifier that is not linked and was never removed.",
    "forward_missing": "An identifier lies at an origin, but does not lead there.",
    "reverse_missing": "An identifier leads to an origin that does not hold it.",
    "reverse_elsewhere": "An identifier lies at another origin than it leads to.",
    "reverse_double": "An identifier lies at two origins.",
    "value_missing": "An identifier has no sealed value.",
    "head_unknown": "A profile points to a head that does not exist.",
    "head_moved": "A profile points to a head that points on.",
    "canonical_wrong": "The canonical id is not that of the oldest origin.",
    "own_counters": "The counters of an origin are not those of its identifiers.",
    "folded_counters": "The counters of a head are not those of its origins.",
    "cuts_wrong": "The cuts on a head are not those of its identifiers.",
    "window_wrong": "A window does not hold the newest identifiers of its type.",
    "events_missing": "An origin counts fewer events than lie there.",
    "lane_broken": "The entries of a lane of the feed are not exactly those after its base up to its head.",
    "version_untold": "The feed does not end at the version of a profile.",
    "change_unknown": "The feed names a profile that does not exist.",
    "erased_alive": "The feed says that a profile was erased, and it is there.",
    "erasure_unknown": "The feed names an erasure that does not exist.",
    "place_beyond": "A destination acknowledged or was sent what the feed does not hold.",
    "delivery_missing": "Of a destination it is not kept how far it is, or of one that does not exist it is.",
    "disclosure_orphaned": "A disclosure names a profile or a destination that does not exist.",
    "key_missing": "An origin or a group has no subject key, or its key no slot.",
    "key_orphaned": "A subject key belongs to nobody.",
    "row_orphaned": "A row lies at an origin that does not exist.",
    "ledger_broken": "An entry of the ledger is not bound to those before it, or one is missing.",
    "forgotten_linked": "An identifier is linked by a call from before its removal.",
    "blocked_linked": "An identifier is linked that is blocked.",
}
"""The kinds of difference, with the sentence of each."""


class Discrepancy(Struct, frozen=True):
    """One kind of difference: how often it was found, and where, at most MOST_SHOWN times."""

    kind: str
    count: int
    examples: list[str]


class Discrepancies:
    """Gathers differences; keeps a few of each kind and counts the rest."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = {}

    def add(self, kind: str, example: str) -> None:
        """One more."""
        assert kind in DIFFERENCES
        self._counts[kind] += 1
        shown = self._examples.setdefault(kind, [])
        if len(shown) < MOST_SHOWN:
            shown.append(example)

    def add_profiles(self, kind: str, ids: Iterable[bytes]) -> None:
        """One more for each of these profiles."""
        for id_ in ids:
            self.add(kind, public_profile(id_))

    def __iter__(self) -> Iterator[Discrepancy]:
        for kind in DIFFERENCES:
            if kind in self._counts:
                yield Discrepancy(kind, self._counts[kind], self._examples[kind])


def of_key(key: bytes) -> str:
    """How an identifier is named: by its blind index."""
    return f"identifier {key.hex()}"


def of_call(stamp: int, origin: bytes) -> str:
    """How a stored call is named: by its stamp and where it lies."""
    return f"{stamp} at {public_profile(origin)}"
