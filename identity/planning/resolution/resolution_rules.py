"""Compiles the resolution rules of a space and answers questions about them.

A document compiles whole or is refused with the name of the wrong field; nothing is guessed. No error message
holds text of a document, since patterns and type names may name people.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import phonenumbers
import re2
from msgspec import Struct

from identity.values.errors import BadRules
from identity.values.identifiers import ANONYMOUS_ID, BUILT_IN, EMAIL, GA_CLIENT_ID, PHONE, USER_ID, usable_type

EVERY_TYPE: Final = "*"

MOST_TYPES: Final = 64
MOST_IN_WINDOW: Final = 64
MOST_DAYS: Final = 36_500
MOST: Final = 2**31 - 1
MOST_PATTERNS: Final = 500
LONGEST_PATTERN: Final = 256

# Also bounds the time of a match: the slowest match costs the length of the value times the program.
_MOST_INSTRUCTIONS = 4_000
_MOST_PATTERN_MEMORY = 1 << 20

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
_PERSONAL_LIMIT = TypeLimit(1_000)
_OWN_LIMITS = {USER_ID: TypeLimit(1)}
_BUILT_IN_LIMITS = {
    type_: _PERSONAL_LIMIT if type_ in (EMAIL, PHONE, GA_CLIENT_ID, ANONYMOUS_ID) else DEFAULT_LIMIT
    for type_ in BUILT_IN
} | _OWN_LIMITS


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
        }


def compile_rules(document: object, version: int) -> Rules:
    """The rules in a document; a missing or null field has its default.

    Ignores `version` and `placeholders` in the document, so that a client can send back an answer. `user_id` has
    the limit 1 unless `limits` names it. The other built-in types have limits of their own unless the document names
    them in `limits` or has a `default_limit`. Raises BadRules with the wrong field and the allowed values.
    """
    given = _object(document, "The rules")
    if not given.keys() <= {*_FIELDS, *_READ_ONLY}:
        raise BadRules(f"The rules have an unknown field; use only: {', '.join(_FIELDS)}.")
    given = {name: value for name, value in given.items() if value is not None}
    built_in = _OWN_LIMITS if "default_limit" in given else _BUILT_IN_LIMITS
    limits = {**built_in, **_limits(given.get("limits", {}))}
    priority = _priority(given.get("priority", [USER_ID, EMAIL, PHONE]))
    patterns = _patterns(given.get("blocked", {}))
    region = given.get("region", "US")
    if not isinstance(region, str) or region not in phonenumbers.SUPPORTED_REGIONS:
        raise BadRules("region must be the two capital letters of a country, such as US.")
    promote = given.get("promote_property_email", False)
    if not isinstance(promote, bool):
        raise BadRules("promote_property_email must be true or false.")
    rename = given.get("alias_rename", "server")
    if rename not in ("server", "any"):
        raise BadRules('alias_rename must be "server" or "any".')
    matchers = {type_: _matcher(listed) for type_, listed in patterns.items() if listed}
    return Rules(
        version=version,
        limits=limits,
        default_limit=_limit(given.get("default_limit", _written(DEFAULT_LIMIT)), "default_limit", windows=False),
        shared_limit=_limit(given.get("shared_limit", _written(SHARED_LIMIT)), "shared_limit", windows=False),
        priority=priority,
        patterns=patterns,
        max_identifiers=_whole(given.get("max_identifiers", 100_000), "max_identifiers", 1, MOST),
        max_merges=_whole(given.get("max_merges", 1_000), "max_merges", 0, MOST),
        region=region,
        promote_property_email=promote,
        alias_rename=rename,
        windowed=frozenset(type_ for type_, limit in limits.items() if limit.days is not None),
        has_patterns=bool(matchers),
        _ranks=_ranks(priority),
        _matchers=matchers,
    )


def _ranks(priority: tuple[str, ...]) -> dict[str, tuple[int, str]]:
    behind_custom = len(priority) + 1
    ranks = {type_: (behind_custom + i, "") for i, type_ in enumerate(_DEVICE_TYPES)}
    return ranks | {type_: (i, "") for i, type_ in enumerate(priority)}


def _written(limit: TypeLimit) -> dict[str, int]:
    return {"max": limit.max} if limit.days is None else {"max": limit.max, "days": limit.days}


def _object(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise BadRules(f"{name} must be an object.")
    return value


def _whole(value: object, name: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadRules(f"{name} must be a whole number from {least} to {most}.")
    return value


def _types(names: Mapping[str, Any] | list[str], field: str) -> None:
    if sum(name not in BUILT_IN for name in names) > MOST_TYPES:
        raise BadRules(f"{field} names too many identifier types; at most {MOST_TYPES} custom types are allowed.")
    if not all(usable_type(name) for name in names):
        raise BadRules(f"{field} names an invalid identifier type; use small letters, digits, _ and . only.")


def _limits(value: object) -> dict[str, TypeLimit]:
    given = _object(value, "limits")
    _types(given, "limits")
    return {type_: _limit(limit, "every entry of limits", windows=True) for type_, limit in given.items()}


def _limit(value: object, name: str, *, windows: bool) -> TypeLimit:
    given = _object(value, name)
    allowed = {"max", "days"} if windows else {"max"}
    if "max" not in given or not given.keys() <= allowed:
        raise BadRules(f"{name} must have max" + (" and may have days." if windows else " and nothing else."))
    if given.get("days") is None:
        return TypeLimit(_whole(given["max"], f"max in {name}", 1, MOST))
    days = _whole(given["days"], f"days in {name}", 1, MOST_DAYS)
    return TypeLimit(_whole(given["max"], f"max beside days in {name}", 1, MOST_IN_WINDOW), days)


def _priority(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise BadRules("priority must be a list of identifier types.")
    _types(value, "priority")
    if len(set(value)) != len(value):
        raise BadRules("priority must name every identifier type only once.")
    return tuple(value)


def _patterns(value: object) -> dict[str, tuple[str, ...]]:
    given = _object(value, "blocked")
    _types([type_ for type_ in given if type_ != EVERY_TYPE], "blocked")
    for listed in given.values():
        if not isinstance(listed, list) or not all(
            isinstance(pattern, str) and len(pattern) <= LONGEST_PATTERN for pattern in listed
        ):
            raise BadRules(f"Every entry of blocked must be a list of texts up to {LONGEST_PATTERN} long.")
    if sum(map(len, given.values())) > MOST_PATTERNS:
        raise BadRules(f"blocked may hold at most {MOST_PATTERNS} patterns.")
    return {type_: tuple(listed) for type_, listed in given.items()}


def _matcher(patterns: tuple[str, ...]) -> Any:
    """One program for all patterns of a type, so that a match reads the value only once."""
    for pattern in patterns:
        # Each pattern must compile alone first: joined, a stray bracket of one could close a bracket of another.
        if _compiled(pattern) is None:
            raise BadRules(
                "A pattern of blocked is not a regular expression of RE2 or is too large; correct or shorten it."
            )
    program = _compiled("|".join(f"(?:{pattern})" for pattern in patterns))
    if program is None or program.programsize > _MOST_INSTRUCTIONS:
        raise BadRules(
            "The patterns of one entry of blocked are too large together or name a group twice; change them."
        )
    return program


def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.max_mem = _MOST_PATTERN_MEMORY
    options.never_capture = True
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError):
        return None


DEFAULT_RULES: Final = compile_rules({}, version=0)
