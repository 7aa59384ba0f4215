"""The rules for the traits of people: which value of a trait survives, and which traits a public key may not change.

Invariant: each rule orders the values of a trait totally, by value, event time and stamp. So a fold by a rule is
commutative, associative and idempotent, as the fold of the newest value is.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, cast, get_args

import msgspec
from msgspec import Struct
from msgspec.structs import force_setattr

from identity.planning.resolution.rules import rules_fields as read
from identity.values.documents import Document, Order, Stamped
from identity.values.errors import BadRules

Survivorship = Literal["newest", "oldest", "server_first", "min", "max"]
"""Which value of a trait survives; `server_first`: the newest of server keys, and else the newest."""
DEFAULT_PROTECTED: Final = ("email", "phone")
MOST_NAMES: Final = 200
LONGEST_NAME: Final = 256

_encode = msgspec.json.encode


class TraitRule(NamedTuple):
    """The rule of one trait: `order` None keeps the newest value.

    `apart`: the values of server keys stand apart and come before all others. `protected`: a public key may not change
    the value of a server key.
    """

    apart: bool
    protected: bool
    order: Order | None

    def fixed(self, document: Document, name: str) -> object:
        """The value of a server key, which hides the values of public keys; None where there is none."""
        entry = document.server_traits.get(name) if self.apart else None
        return None if entry is None else entry[0]


class TraitRules(Struct, frozen=True):
    """The protected traits, and the survivorship of the traits that do not keep the newest value.

    With `trusted` public keys count as server keys, and nothing is protected from them.
    """

    protected: tuple[str, ...] = ()
    by_name: Mapping[str, Survivorship] = {}
    trusted: bool = False
    _rules: Mapping[str, TraitRule] = {}

    def __post_init__(self) -> None:
        """Work out the rule of each trait that has one."""
        named = dict.fromkeys((*self.guarded, *self.by_name))
        force_setattr(self, "_rules", {name: self._rule(name) for name in named})

    def of(self, name: str) -> TraitRule | None:
        """The rule of a trait; None where the newest value survives, from any key."""
        return self._rules.get(name)

    def protects(self, name: str) -> bool:
        """Whether a public key may not change a trait that a server key has set."""
        return not self.trusted and name in self.protected

    @property
    def guarded(self) -> tuple[str, ...]:
        """The protected traits, which are the protected types of identifiers as well."""
        return () if self.trusted else self.protected

    def _rule(self, name: str) -> TraitRule:
        survivorship, protected = self.by_name.get(name), self.protects(name)
        return TraitRule(
            apart=protected or survivorship == "server_first",
            protected=protected,
            order=cast("Order", survivorship) if survivorship in get_args(Order) else None,
        )


NEWEST: Final = TraitRules()
"""Every trait keeps its newest value, and no trait is protected: the rules of the traits of groups."""


def survives(entry: Stamped, than: Stamped | None, order: Order | None = None) -> bool:
    """Whether an entry of a trait takes the place of another one. Null is no value, except that it may be the newest.

    Of equal values the older survives. In `min` and in `max` a number survives any text, and a text any other value.
    """
    if than is None:
        return True
    if order is None:
        return entry[1:] > than[1:]
    if (entry[0] is None) is not (than[0] is None):
        return than[0] is None
    if order != "oldest":
        one, other = _place(entry[0]), _place(than[0])
        if one[0] != other[0]:
            return one[0] < other[0]
        if one[1] != other[1]:
            return (one[1] < other[1]) is (order == "min")
    return entry[1:] < than[1:]


def _place(value: object) -> tuple[int, Any]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return 0, value
    return (1, value) if isinstance(value, str) else (2, _encode(value))


def trait_rules(protected: object, survivorship: object, *, trusted: bool) -> TraitRules:
    """The rules in two fields of a document. Raises BadRules."""
    if not isinstance(protected, list) or not all(isinstance(name, str) for name in protected):
        raise BadRules('`protected` must be a list of the names of traits, such as ["email"].')
    by_name = read.as_object(survivorship, "`survivorship`", '{"first_seen": "min"}')
    for field, names in (("protected", protected), ("survivorship", [*by_name])):
        if len(names) > MOST_NAMES:
            raise BadRules(f"`{field}` has more than {MOST_NAMES} traits. Name those that matter.")
        for nr, name in enumerate(names, 1):
            if not name or len(name) > LONGEST_NAME:
                raise BadRules(
                    f"Entry {nr} of `{field}` must be the name of a trait, of 1 to {LONGEST_NAME} characters."
                )
    for nr, rule in enumerate(by_name.values(), 1):
        if rule not in get_args(Survivorship):
            allowed = ", ".join(f'"{each}"' for each in get_args(Survivorship))
            raise BadRules(f"Entry {nr} of `survivorship` must be one of {allowed}.")
    # The newest is the rule of every trait that is not named.
    named = {name: cast("Survivorship", rule) for name, rule in by_name.items() if rule != "newest"}
    return TraitRules(tuple(dict.fromkeys(protected)), named, trusted)
