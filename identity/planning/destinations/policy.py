"""Parses the entitlement of a destination and filters profiles by it; `visible` is the only such filter.

A trait follows the permissions of the origin of its value, an identifier those of its own origin. The newest
value counts even if it is not visible: an older value of another origin never takes its place.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from msgspec import Struct

from identity.planning.consent.permission import Permission, Verdict
from identity.planning.resolution.fold_documents import surviving
from identity.values.documents import Document
from identity.values.errors import BadDestination
from identity.values.identifiers import usable_type
from identity.values.ids import ProfileId
from identity.values.stamps import Micros
from identity.values.unknown_names import hint, shown

ALL: Final = "*"
MOST_NAMES: Final = 1_000
MOST_PURPOSES: Final = 50
LONGEST_TRAIT: Final = 500
LONGEST_PURPOSE: Final = 64
LONGEST_URL: Final = 2_000
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_KNOWN: Final = ("purposes", "without_consent", "traits", "identifiers", "callback_url")
_NO_PURPOSES: Final = (
    "purposes must name the purposes that a person has to grant;"
    ' for a destination that needs no consent, send "purposes": [] together with "without_consent": true.'
)


class Entitled(Struct, frozen=True):
    """The entitlement of a destination: its purposes, traits and types of identifiers by name (`*`: all).

    With `without_consent` there are no purposes, and data needs no consent. A configuration from before this field
    has neither purposes nor the field: then the default of the space for undecided purposes applies.
    """

    purposes: Sequence[str] = ()
    traits: Sequence[str] = ()
    identifiers: Sequence[str] = ()
    callback_url: str | None = None
    without_consent: bool = False

    def trait(self, name: str) -> bool:
        """Whether the destination may receive a trait."""
        return ALL in self.traits or name in self.traits

    def identifier(self, type_: str) -> bool:
        """Whether the destination may receive identifiers of a type."""
        return ALL in self.identifiers or type_ in self.identifiers

    @property
    def lists_nothing(self) -> bool:
        """Whether the destination sees nothing of anybody, since it lists no trait and no type of identifiers."""
        return not self.traits and not self.identifiers


class StoredDestination(Struct, frozen=True):
    """A stored destination: its entitlement and the secrets that sign its callbacks, newest first."""

    entitled: Entitled = Entitled()
    secrets: Sequence[bytes] = ()


def is_name(text: str) -> bool:
    """Whether a text can be the name of a destination."""
    return _NAME.fullmatch(text) is not None


def compile_entitled(document: object) -> Entitled:
    """The entitlement in a document. Raises BadDestination, whose message names the field and its allowed values."""
    if not isinstance(document, dict):
        raise _bad("A destination must be a JSON object.")
    for name in document:
        if name not in _KNOWN:
            raise _bad(f"The field {shown(name, 'with an unusual name', _KNOWN)} is unknown. {hint(name, _KNOWN)}")
    purposes = _names(document, "purposes", MOST_PURPOSES, LONGEST_PURPOSE)
    without_consent = document.get("without_consent", False)
    if not isinstance(without_consent, bool):
        raise _bad("without_consent must be true or false.")
    if without_consent and purposes:
        raise _bad("without_consent must be false where purposes are named; send one of the two.")
    if not purposes and not (without_consent and document.get("purposes") == []):
        raise _bad(_NO_PURPOSES)
    traits = _names(document, "traits", MOST_NAMES, LONGEST_TRAIT)
    types = _names(document, "identifiers", MOST_NAMES, LONGEST_PURPOSE)
    _refuse_patterns("traits", traits)
    _refuse_patterns("identifiers", types)
    if any(type_ != ALL and not usable_type(type_) for type_ in types):
        raise _bad("identifiers must be a list of types such as user_id or email.")
    url = document.get("callback_url")
    if url is not None and not (isinstance(url, str) and 0 < len(url) <= LONGEST_URL):
        raise _bad(f"callback_url must be an https address of at most {LONGEST_URL:,} characters, or null.")
    return Entitled(
        purposes=purposes, traits=traits, identifiers=types, callback_url=url, without_consent=without_consent
    )


def _names(document: Mapping[str, Any], field: str, most: int, longest: int) -> list[str]:
    stated = document.get(field, [])
    if not isinstance(stated, list) or len(stated) > most:
        raise _bad(f"{field} must be a list of at most {most} names.")
    if not all(isinstance(each, str) and 0 < len(each) <= longest for each in stated):
        raise _bad(f"{field} must hold texts of 1 to {longest} characters.")
    return list(dict.fromkeys(stated))


def _refuse_patterns(field: str, names: Sequence[str]) -> None:
    for at, name in enumerate(names):
        if ALL in name and name != ALL:
            raise _bad(f'{field}[{at}] is no pattern; list each name in full, or send "{field}": ["*"] for all.')
        if name.isspace():
            raise _bad(f"{field}[{at}] is blank; write a name.")


def _bad(message: str) -> BadDestination:
    return BadDestination(message)


class Visible(NamedTuple):
    """The visible part of a profile: traits by name, identifiers as indexes into the given list.

    `fields` are the visible names by origin, `until` is the end of the first grant that ends.
    """

    traits: dict[str, Any]
    identifiers: list[int]
    fields: dict[ProfileId, list[str]]
    until: Micros | None

    @property
    def nothing(self) -> bool:
        """Whether nothing is visible."""
        return not self.traits and not self.identifiers


def visible(
    entitled: Entitled,
    permission: Permission,
    documents: Mapping[ProfileId, Document],
    identifiers: Sequence[tuple[ProfileId, str]],
) -> Visible:
    """The part of a profile that a destination may see now; `identifiers` are (origin, type)."""
    seen = Visible({}, [], {}, None)
    ends: list[Micros] = []
    allowed: dict[ProfileId, bool] = {}

    def may(origin: ProfileId) -> bool:
        if origin not in allowed:
            verdict = permission_of(entitled, permission, origin)
            allowed[origin] = verdict.granted
            if verdict.granted and verdict.until is not None:
                ends.append(verdict.until)
        return allowed[origin]

    for name, (origin, entry) in surviving(documents).items():
        if entry[0] is not None and entitled.trait(name) and may(origin):
            seen.traits[name] = entry[0]
            seen.fields.setdefault(origin, []).append(name)
    for at, (origin, type_) in enumerate(identifiers):
        if entitled.identifier(type_) and may(origin):
            seen.identifiers.append(at)
            seen.fields.setdefault(origin, []).append(f"{type_}:")
    return seen._replace(until=min(ends, default=None))


def permission_of(entitled: Entitled, permission: Permission, origin: ProfileId) -> Verdict:
    """Whether data of an origin may go to a destination, by all of its purposes."""
    if entitled.without_consent:
        return Verdict(True, "without_consent")
    return permission.all_of(entitled.purposes, origin)
