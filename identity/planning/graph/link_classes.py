"""Finds how far each link of a profile is believed, and the sides that public keys alone have joined.

A link is as good as the best call that names both of its identifiers: a server-side key vouches for all identifiers of
its call, an identity token for those that the token names, a public key for none. Between two sides no chain of vouched
links leads: everybody who holds a public key can have joined them.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct

from identity.values.enums import TrustClass
from identity.values.ids import BlindIndex


class NamedTogether(Struct, frozen=True):
    """The identifiers that a call names together.

    `server`: the key of the call, or of another call with the same identifiers, was a server-side one. `proven` are
    those of the identifiers that an identity token of the call names.
    """

    keys: tuple[BlindIndex, ...]
    server: bool = False
    proven: frozenset[BlindIndex] = frozenset()

    @property
    def vouched(self) -> Sequence[BlindIndex]:
        """The identifiers between which the call proves the links."""
        return self.keys if self.server else [key for key in self.keys if key in self.proven]


class LinkClasses:
    """The class of each link of a profile."""

    def __init__(self, named: Iterable[NamedTogether]) -> None:
        self._calls: dict[TrustClass, dict[BlindIndex, set[int]]] = {TrustClass.SERVER: {}, TrustClass.PROVEN: {}}
        for number, each in enumerate(named):
            calls = self._calls[TrustClass.SERVER if each.server else TrustClass.PROVEN]
            for key in each.vouched:
                calls.setdefault(key, set()).add(number)

    def of(self, a: BlindIndex, b: BlindIndex) -> TrustClass:
        """The class of the link between two identifiers."""
        for trust, calls in self._calls.items():
            if not calls.get(a, set()).isdisjoint(calls.get(b, ())):
                return trust
        return TrustClass.PUBLIC


def sides(keys: Iterable[BlindIndex], named: Iterable[NamedTogether]) -> list[list[BlindIndex]]:
    """The identifiers of a profile by side; sides and identifiers are in the order of the keys."""
    to = {key: key for key in keys}

    def root(key: BlindIndex) -> BlindIndex:
        while to[key] != key:
            to[key] = key = to[to[key]]
        return key

    for each in named:
        first: BlindIndex | None = None
        for key in each.vouched:
            if key not in to:
                continue
            if first is None:
                first = key
            to[root(key)] = root(first)
    found: dict[BlindIndex, list[BlindIndex]] = {}
    for key in to:
        found.setdefault(root(key), []).append(key)
    return list(found.values())


def part(
    apart: Iterable[Sequence[BlindIndex]], named: AbstractSet[BlindIndex]
) -> tuple[list[BlindIndex], list[BlindIndex]]:
    """The identifiers on the sides of those that a request names, and those that public keys alone have joined."""
    side: list[BlindIndex] = []
    joined: list[BlindIndex] = []
    for each in apart:
        (joined if named.isdisjoint(each) else side).extend(each)
    return side, joined
