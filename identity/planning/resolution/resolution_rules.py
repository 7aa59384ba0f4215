"""Compiles the resolution rules of a space and answers questions about them.

A document compiles whole or is refused with the path of the wrong field; nothing is guessed. No error message
holds a pattern or a value of a document, since these may name people.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct

from identity.planning.resolution.rules import rules_fields as read
from identity.planning.resolution.rules.public_claims import PublicClaims, public_claims
from identity.planning.resolution.rules.rules_fields import EVERY_TYPE
from identity.planning.resolution.rules.trait_rules import DEFAULT_PROTECTED, TraitRules, trait_rules
from identity.values.calls import Call, Identifier
from identity.values.errors import BadRules
from identity.values.identifiers import ANONYMOUS_ID, BUILT_IN, EMAIL, GA_CLIENT_ID, PHONE, USER_ID

MOST_IN_WINDOW: Final = 64
MOST_DAYS: Final = 36_500
MOST: Final = 2**31 - 1

# Identifiers of devices rank behind custom types, the weakest last.
_DEVICE_TYPES = tuple(type_ for type_ in BUILT_IN if type_ not in (USER_ID, EMAIL, PHONE))
_FIELDS = (
    "limits",
    "default_limit",
    "shared_limit",
    "priority",
    "blocked",
    "max_identifiers",
    "max_merges",
    "region",
    "promote_property_email",
    "alias_rename",
    "trust",
    "public",
    "protected",
    "survivorship",
)


# An answer shows these beside the fields.
_READ_ONLY = ("version", "placeholders")


class TypeLimit(Struct, frozen=True):
    """How many identifiers of a type one profile may have, with `days` within that many days."""

    max: int
    days: int | None = None


DEFAULT_LIMIT: Final = TypeLimit(20)
"""The limit of devices and custom types: room for years of phones and accounts, too small for a crowd."""
SHARED_LIMIT: Final = TypeLimit(20)
# A mail address, a number or a browser is one of many that a person collects, and each of them stands for a person.
_PERSONAL = (EMAIL, PHONE, GA_CLIENT_ID, ANONYMOUS_ID)
_PERSONAL_LIMIT = TypeLimit(100)
MAX_IDENTIFIERS: Final = 1_000
"""How many identifiers a profile may have: all of them are read with it, so the number bounds the cost of a read."""
_OWN_LIMITS = {USER_ID: TypeLimit(1)}
_BUILT_IN_LIMITS = {type_: _PERSONAL_LIMIT if type_ in _PERSONAL else DEFAULT_LIMIT for type_ in BUILT_IN} | _OWN_LIMITS


class Rules(Struct, frozen=True):
    """One version of the rules of a space. Immutable; no repr shows its patterns."""

    version: int
    limits: Mapping[str, TypeLimit]
    default_limit: TypeLimit
    shared_limit: TypeLimit
    priority: tuple[str, ...]
    patterns: Mapping[str, tuple[str, ...]]
    max_identifiers: int
    max_merges: int
    region: str
    promote_property_email: bool
    alias_rename: Literal["server", "any"]
    public: PublicClaims
    traits: TraitRules
    windowed: frozenset[str]
    has_patterns: bool
    _ranks: Mapping[str, tuple[int, str]]
    _matchers: Mapping[str, Any]

    def __repr__(self) -> str:
        """Only the version: patterns and names are personal data."""
        return f"Rules(version={self.version})"

    def limit(self, type_: str) -> TypeLimit:
        """The limit of a type."""
        return self.limits.get(type_, self.default_limit)

    def is_strong(self, type_: str) -> bool:
        """Whether an identifier of a type names a person by itself: the types of `priority`."""
        return type_ in self.priority

    def rank(self, type_: str) -> tuple[int, str]:
        """The rank of a type in the order of priority; the smallest rank is the strongest.

        First the types of `priority`, then other types by name, then the built-in types of devices.
        """
        return self._ranks.get(type_) or (len(self.priority), type_)

    def blocked(self, type_: str, value: str) -> bool:
        """Whether a pattern of the space matches the whole normalised value; case matters.

        Takes time linear in the length of the value with any pattern.
        """
        if not self.has_patterns:
            return False
        matchers = self._matchers
        own, common = matchers.get(type_), matchers.get(EVERY_TYPE)
        return (own is not None and own.fullmatch(value) is not None) or (
            common is not None and common.fullmatch(value) is not None
        )

    def asks_for_proof(self, call: Call, identifier: Identifier) -> bool:
        """Whether a link that a call makes waits for proof: a server key may take the identifier over."""
        if call.vouches_for(identifier):
            return False
        return self.public.claimed(identifier.type) or self.traits.protects(identifier.type)

    def document(self) -> dict[str, Any]:
        """The document with every default; it compiles to the same rules."""
        return {
            "limits": {type_: _written(limit) for type_, limit in self.limits.items()},
            "default_limit": _written(self.default_limit),
            "shared_limit": _written(self.shared_limit),
            "priority": list(self.priority),
            "blocked": {type_: list(patterns) for type_, patterns in self.patterns.items()},
            "max_identifiers": self.max_identifiers,
            "max_merges": self.max_merges,
            "region": self.region,
            "promote_property_email": self.promote_property_email,
            "alias_rename": self.alias_rename,
            "trust": self.public.trust,
            "public": dict(self.public.by_type),
            "protected": list(self.traits.protected),
            "survivorship": dict(self.traits.by_name),
        }


def compile_rules(document: object, version: int) -> Rules:
    """The rules in a document; a missing or null field has its default.

    Ignores `version` and `placeholders` in the document, so that a client can send back an answer. `user_id` has
    the limit 1 unless `limits` names it. The other built-in types have limits of their own unless the document names
    them in `limits` or has a `default_limit`. Raises BadRules with the wrong field and the allowed values.
    """
    given = read.members(document, "The rules", (*_FIELDS, *_READ_ONLY), "{}")
    given = {name: value for name, value in given.items() if value is not None}
    built_in = _OWN_LIMITS if "default_limit" in given else _BUILT_IN_LIMITS
    limits = {**built_in, **_limits(given.get("limits", {}))}
    priority = read.priority(given.get("priority", [USER_ID, EMAIL, PHONE]))
    patterns = read.patterns(given.get("blocked", {}))
    rename = given.get("alias_rename", "server")
    if rename not in ("server", "any"):
        raise BadRules('`alias_rename` must be "server" or "any".')
    matchers = read.matchers(patterns)
    public = public_claims(given.get("trust", "source"), given.get("public", {}))
    return Rules(
        version=version,
        limits=limits,
        default_limit=_limit(given.get("default_limit", _written(DEFAULT_LIMIT)), "`default_limit`", windows=False),
        shared_limit=_limit(given.get("shared_limit", _written(SHARED_LIMIT)), "`shared_limit`", windows=False),
        priority=priority,
        patterns=patterns,
        max_identifiers=read.whole(given.get("max_identifiers", MAX_IDENTIFIERS), "`max_identifiers`", 1, MOST),
        max_merges=read.whole(given.get("max_merges", 1_000), "`max_merges`", 0, MOST),
        region=read.region(given.get("region", "US")),
        promote_property_email=read.flag(given.get("promote_property_email", False), "`promote_property_email`"),
        alias_rename=rename,
        public=public,
        traits=trait_rules(
            given.get("protected", [*DEFAULT_PROTECTED]), given.get("survivorship", {}), trusted=public.trusted
        ),
        windowed=frozenset(type_ for type_, limit in limits.items() if limit.days is not None),
        has_patterns=bool(matchers),
        _ranks=_ranks(priority),
        _matchers=matchers,
    )


def compile_stored_rules(document: Mapping[str, Any], version: int) -> Rules:
    """The rules in a stored document. One from before `trust` takes the claims of public keys as it did."""
    return compile_rules({"trust": "segment", **document}, version)


def _ranks(priority: tuple[str, ...]) -> dict[str, tuple[int, str]]:
    behind_custom = len(priority) + 1
    ranks = {type_: (behind_custom + i, "") for i, type_ in enumerate(_DEVICE_TYPES)}
    return ranks | {type_: (i, "") for i, type_ in enumerate(priority)}


def _written(limit: TypeLimit) -> dict[str, int]:
    return {"max": limit.max} if limit.days is None else {"max": limit.max, "days": limit.days}


def _limits(value: object) -> dict[str, TypeLimit]:
    given = read.as_object(value, "`limits`", '{"email": {"max": 5}}')
    read.type_names(given, "limits")
    return {type_: _limit(limit, read.place("limits", given, type_), windows=True) for type_, limit in given.items()}


def _limit(value: object, where: str, *, windows: bool) -> TypeLimit:
    example = '{"max": 5, "days": 30} or {"max": 5}' if windows else '{"max": 5}'
    given = read.members(value, where, ("max", "days") if windows else ("max",), example)
    if "max" not in given:
        raise BadRules(f"{where} has no max; write an object such as {example}.")
    if given.get("days") is None:
        return TypeLimit(read.whole(given["max"], f"max in {where}", 1, MOST))
    days = read.whole(given["days"], f"days in {where}", 1, MOST_DAYS)
    beside = " where days is given"
    return TypeLimit(read.whole(given["max"], f"max in {where}", 1, MOST_IN_WINDOW, beside), days)


_FIRST_DEFAULTS = {
    "limits": {type_: {"max": 1_000} for type_ in _PERSONAL},
    "max_identifiers": 100_000,
    "trust": "segment",
}

DEFAULT_RULES: Final = compile_rules({}, version=0)
GENERATIONS: Final = (compile_rules(_FIRST_DEFAULTS, version=0), DEFAULT_RULES)
"""The defaults of all releases, oldest first. Spaces keep those of the release that created them: a version of rules
never changes, and no rebuild splits a profile because of a new release."""
