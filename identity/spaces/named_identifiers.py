"""Reads the identifiers that a request names, and refuses those that can never find anybody.

Invariant: a type that no call, rule or built-in of the space knows is refused, with the nearest known type. So a typo
is never answered as done. All entries of a list are checked, and the error names each faulty one by its position.
"""

from collections.abc import Callable, Sequence
from typing import Final

from identity.planning.corrections.rules_types import types_of
from identity.planning.resolution.resolution_rules import Rules
from identity.spaces.space import Space
from identity.values.calls import Identifier
from identity.values.errors import BadIdentifier, ProfileNotFound, TooManyAsked
from identity.values.identifiers import BUILT_IN, EMAIL, PHONE, parse, usable_type
from identity.values.ids import private
from identity.values.near_types import type_hint
from identity.values.placeholders.placeholder_values import is_of_nobody
from identity.values.unknown_names import BadIdentifiers, EntryFault, NoneAsked, UnknownType, shown, type_help

_PROFILE: Final = "prf"
_NAMED: Final = 3
_HINTED: Final = 20
"""The most types of a list for which the nearest type is searched."""
_NEW_TYPE: Final = "A type that no call has brought yet is named in the rules first (PUT /v1/rules)."
_PLACEHOLDER: Final = (
    "has a placeholder as its value, such as null or undefined, which programs send in place of a missing id; "
    "it is blocked in every space, so nobody has it: send the id of the person"
)
_WRITTEN: Final = "write type:value, such as user_id:u1 or email:ann@example.com"


def require_count(identifiers: Sequence[str], most: int, field: str = "identifiers") -> None:
    """Refuse a list that names nobody, or more than a request may name. NoneAsked, TooManyAsked."""
    if not identifiers:
        raise NoneAsked(f"{field} is empty; name at least one, 1 to {most:,}. Nothing was done.")
    if len(identifiers) > most:
        raise TooManyAsked(f"{field} names more than {most:,}; send several, each of 1 to {most:,}. Nothing was done.")


async def read_identifiers(
    space: Space, texts: Sequence[str], field: str = "identifiers", *, of_people: bool = False
) -> list[Identifier]:
    """The identifiers of a list, normalised. BadIdentifier, UnknownType: the message names each faulty entry.

    `of_people`: the request is about people, so a placeholder, which nobody can have, is refused.
    """
    identifiers, faults = await sort_identifiers(space, texts, field, of_people=of_people)
    if faults:
        raise _error(faults)
    return [each for each in identifiers if each is not None]


async def read_identifier(space: Space, text: str, field: str = "identifier", *, of_person: bool = False) -> Identifier:
    """One identifier, normalised; `of_person` refuses a placeholder. BadIdentifier, UnknownType."""
    identifiers, faults = await _sort(space, [text], lambda _: field, of_people=of_person)
    if identifiers[0] is None:
        raise _error(faults, listed=False)
    return identifiers[0]


async def find_identifier(space: Space, text: str) -> Identifier:
    """The identifier of a path, normalised. BadIdentifier; ProfileNotFound for a type that nobody has."""
    identifiers, faults = await _sort(space, [text], lambda _: "The identifier")
    if identifiers[0] is not None:
        return identifiers[0]
    if faults[0].code == UnknownType.code:
        raise ProfileNotFound(faults[0].detail)
    raise BadIdentifier(faults[0].detail)


def profile_not_found(ref: str) -> ProfileNotFound:
    """The error for a `type:value` that no profile has; the message depends on the type alone, never on a person."""
    hinted = type_hint([ref]) if ":" in ref else None
    return ProfileNotFound() if hinted is None else ProfileNotFound(hinted)


async def sort_identifiers(
    space: Space, texts: Sequence[str], field: str = "identifiers", *, of_people: bool = False
) -> tuple[list[Identifier | None], list[EntryFault]]:
    """The identifiers of a list with None for each faulty entry, and the faults."""
    return await _sort(space, texts, lambda at: f"{field}[{at}]", of_people=of_people)


async def known_types(space: Space) -> set[str]:
    """The identifier types that a call, a rule or a built-in of this space knows, those of other processes too."""
    await space.read_types()
    return {*space.codes, *types_of(await space.rules())}


async def require_types(space: Space, types: Sequence[str], field: str = "identifiers") -> None:
    """Refuse a list with a type that nothing here knows. UnknownType: the message names the first ones."""
    known = await known_types(space)
    unknown = [name for name in types if name not in known]
    if unknown:
        faults = [unknown_type(name, known) for name in unknown[:_NAMED]]
        more = f" {len(unknown) - _NAMED} more types are unknown." if len(unknown) > _NAMED else ""
        raise UnknownType(f"{field}: {' '.join(faults)}{more} {_NEW_TYPE} Nothing was done.")


async def _sort(
    space: Space, texts: Sequence[str], path_of: Callable[[int], str], *, of_people: bool = False
) -> tuple[list[Identifier | None], list[EntryFault]]:
    rules = await rules_to_read(space, texts)
    known = {*space.codes, *types_of(rules)}
    complete = False
    hints: dict[str, str] = {}
    identifiers: list[Identifier | None] = []
    faults: list[EntryFault] = []
    for at, text in enumerate(texts):
        try:
            identifier = parse(text, rules.region)
        except BadIdentifier:
            identifier = None
        type_ = type_of(text)
        if type_ is not None and type_ not in known and not complete:
            # A call may have brought the type to another process meanwhile.
            known, complete = await known_types(space), True
        if type_ is not None and type_ not in known:
            if type_ not in hints and len(hints) < _HINTED:
                hints[type_] = unknown_type(text, known)
            detail = hints.get(type_, "no identifier of this type is known here.")
            faults.append(EntryFault(at, UnknownType.code, f"{path_of(at)}: {detail}"))
            identifiers.append(None)
            continue
        if identifier is None or (of_people and is_of_nobody(identifier.type, identifier.value)):
            reason = _reason(text, rules.region) if identifier is None else _PLACEHOLDER
            faults.append(EntryFault(at, BadIdentifier.code, f"{path_of(at)} {reason}."))
            identifier = None
        identifiers.append(identifier)
    return identifiers, faults


async def rules_to_read(space: Space, texts: Sequence[str]) -> Rules:
    """The rules to read identifiers with: the newest where one of these depends on the region of the rules."""
    if any(type_of(text) == PHONE for text in texts):
        return await space.rules()
    return await space.recent_rules()


def type_of(text: str) -> str | None:
    """The type that an identifier names, known or not; None where no type can be read."""
    name, colon, _ = text.partition(":")
    type_ = name.lower()
    return type_ if colon and usable_type(type_) else None


def unknown_type(text: str, known: set[str]) -> str:
    """The message for an identifier of a type that is not among the known ones."""
    name = text.partition(":")[0]
    # The types of a space may name what a customer is about: only the built-in ones are listed.
    type_ = shown(name, "with this name", known)
    return f"no identifier of the type {type_} is known here. {type_help(name, known, BUILT_IN)}"


def fault_of(text: str, region: str) -> str | None:
    """What is wrong with an identifier that cannot be read, None for a good one; the words follow its place."""
    try:
        parse(text, region)
    except BadIdentifier:
        return _reason(text, region)
    return None


def _reason(text: str, region: str) -> str:
    name, colon, value = text.partition(":")
    type_ = name.lower()
    if not colon:
        return _without_type(text)
    if not usable_type(type_):
        return f"has no valid type before the colon (letters, digits, _ and .); {_WRITTEN}"
    if not value.strip():
        return f"has no value after the colon; {_WRITTEN}"
    if type_ == EMAIL:
        return "is no usable e-mail address; write one address without a name, such as email:ann@example.com"
    if type_ == PHONE:
        return f"is no usable phone number; write it with its country code, or as it is dialled in {region}"
    return "has a value that is too long or holds control characters; 1,024 characters are the most"


def _without_type(text: str) -> str:
    # An id in capitals or without its end is no identifier without a type, but an id that was copied wrongly.
    text = text.strip()
    if private(_PROFILE, text) is None and private(_PROFILE, text.lower()) is not None:
        return (
            "is the id of a profile in capitals; where the id of a profile is taken, write it in small letters (prf_"
            f" and 32 hexadecimal digits), else name the person by an identifier: {_WRITTEN}"
        )
    if private(_PROFILE, text) is not None:
        return f"is the id of a profile; name the person by an identifier: {_WRITTEN}"
    if text.lower().startswith(f"{_PROFILE}_"):
        return "is no whole profile id; copy all of it: prf_ and 32 hexadecimal digits in small letters"
    return f"has no type; {_WRITTEN}"


def _error(faults: Sequence[EntryFault], *, listed: bool = True) -> BadIdentifiers | UnknownType:
    bad = next((each for each in faults if each.code == BadIdentifier.code), None)
    kind = UnknownType if bad is None else BadIdentifiers
    first = " ".join(each.detail for each in faults[:_NAMED])
    more = f" {len(faults) - _NAMED} more entries are faulty." if len(faults) > _NAMED else ""
    error = kind(f"{first}{more} Nothing was done.")
    if listed:
        error.entries = faults
    return error
