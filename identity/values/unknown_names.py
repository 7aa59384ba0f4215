"""Finds the name that a request probably means, and the errors for names that nobody knows here.

A typo must not pass for a name: an erasure of `mail:ann@example.org` would erase nobody and look done. A message
repeats a name only where the name is short or like a known name, since a value may stand in its place.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Final

from msgspec import Struct

from identity.values.errors import BadIdentifier, BadInput, TooManyAsked

_SHORT: Final = re.compile(r"[\w.$ -]{1,20}")
_SHOWN: Final = re.compile(r"[\w.$ -]{1,64}")
_SIMILAR: Final = 0.6
_LONGEST: Final = 64
_FEWEST: Final = 3
_BEGINNING: Final = 0.8
LISTED: Final = 20
# Other words for the built-in types, without punctuation: those of other vendors, of OpenDSR, and of daily speech.
_SYNONYMS: Final[Mapping[str, str]] = {
    "uid": "user_id",
    "customerid": "user_id",
    "controllercustomerid": "user_id",
    "accountid": "user_id",
    "memberid": "user_id",
    "contactid": "user_id",
    "subscriberid": "user_id",
    "subscriberkey": "user_id",
    "contactkey": "user_id",
    "externalid": "user_id",
    "distinctid": "user_id",
    "mpid": "user_id",
    "emailaddress": "email",
    "phonenumber": "phone",
    "mobilenumber": "phone",
    "visitorid": "anonymous_id",
    "cookieid": "anonymous_id",
    "ajsanonymousid": "anonymous_id",
    "androidadvertisingid": "android.idfa",
    "googleadvertisingid": "android.idfa",
    "iosadvertisingid": "ios.idfa",
    "iosvendorid": "ios.id",
    "anon": "anonymous_id",
    "anonid": "anonymous_id",
    "deviceid": "anonymous_id",
    "cookie": "anonymous_id",
    "tel": "phone",
    "mobile": "phone",
    "msisdn": "phone",
    "idfa": "ios.idfa",
    "idfv": "ios.id",
    "gaid": "android.idfa",
    "aaid": "android.idfa",
    "clientid": "ga_client_id",
}


_PROFILE: Final = (
    "An id of a profile is no identifier type: where the id of a profile is taken, write it alone (prf_ and 32"
    " hexadecimal digits), else name the person by an identifier, such as user_id:u1."
)
# Names of things that are no identifiers of people, without punctuation, and what to write instead.
_INSTEAD: Final[Mapping[str, str]] = {
    **dict.fromkeys(("segmentid", "profileid", "canonicalid", "canonicalprofileid", "prf", "use"), _PROFILE),
    **dict.fromkeys(
        ("groupid", "companyid", "organizationid", "organisationid"),
        "A group is no person: DELETE /v1/groups/{group_id} deletes a group; name a person by an identifier,"
        " such as user_id:u1.",
    ),
    **dict.fromkeys(
        ("messageid", "sessionid", "eventid"),
        "It names no person: name the person by an identifier, such as user_id:u1.",
    ),
}


class EntryFault(Struct, frozen=True):
    """The fault of one entry of a list: its position, the code and the message."""

    index: int
    code: str
    detail: str


class UnknownType(BadInput):
    """No call, rule or built-in of this space knows this identifier type; nothing was done."""

    entries: Sequence[EntryFault] = ()


class NoneAsked(TooManyAsked):
    """The request names no identifier; name at least one. Nothing was done."""

    code = "no_identifiers"


class BadIdentifiers(BadIdentifier):
    """One or more identifiers of the request cannot be read; nothing was done."""

    code = BadIdentifier.code
    entries: Sequence[EntryFault] = ()


class UnknownPurpose(BadInput):
    """The space has no purpose of this name; PUT /v1/purposes defines purposes. Nothing was done."""


class UnknownParameter(BadInput):
    """The route has no query parameter of this name."""


def other_spelling(name: str, known: Iterable[str]) -> str | None:
    """The known name with the same letters and digits, or of the same meaning; None where there is none."""
    bare = _bare(name)
    by_bare = {_bare(each): each for each in sorted(known, reverse=True)}
    return by_bare.get(bare) or by_bare.get(_bare(_SYNONYMS.get(bare, "-")))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like a name, by its letters and digits; None where none is similar.

    A name too long to be a slip of the finger has none: comparing it would take long.
    """
    if len(name) > _LONGEST:
        return None
    bare = _bare(name)
    names = sorted(set(known))
    exact = other_spelling(name, names)
    if exact is not None:
        return exact
    scored = [(SequenceMatcher(None, bare, _bare(each)).ratio(), each) for each in names]
    best = max(scored, key=lambda item: item[0], default=(0.0, ""))
    return best[1] if best[0] >= _SIMILAR else None


def closest(name: str, known: str) -> float:
    """How like a known name a name is, by letters and digits: from 0 to 1; a beginning is much like the whole."""
    if name == known:
        return 1.0
    if len(name) > _LONGEST or min(len(name), len(known)) < _FEWEST:
        return 0.0
    likeness = SequenceMatcher(None, _bare(name), _bare(known)).ratio()
    return max(likeness, _BEGINNING) if known.startswith(name) else likeness


def hint(name: str, known: Iterable[str], listed: Iterable[str] | None = None) -> str:
    """A sentence that names the nearest known name, or else the known names; `listed` are those to list, if not all."""
    near = nearest(name, known := list(known))
    if near is not None:
        return f"Did you mean {near}?"
    names = sorted(set(known if listed is None else listed))
    if not names:
        return "None are known."
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"Known are {', '.join(names[:LISTED])}{more}."


def type_help(name: str, known: Iterable[str], listed: Iterable[str]) -> str:
    """What to write instead of an unknown identifier type: the nearest type, or what a name of something else means."""
    return _INSTEAD.get(_bare(name)) or hint(name, known, listed)


def shown(name: object, instead: str, known: Iterable[str] = ()) -> str:
    """A name as a message may repeat it, in backticks; `instead` for one that may be a value.

    A short name is repeated, and a longer one where it is like a known name.
    """
    if not isinstance(name, str) or not _SHOWN.fullmatch(name):
        return instead
    return f"`{name}`" if _SHORT.fullmatch(name) or nearest(name, known) is not None else instead


def unknown_purposes(named: Iterable[str], known: Iterable[str], field: str) -> UnknownPurpose | None:
    """The error for the purposes among some names that a space does not have; None where it has all of them."""
    names = sorted(set(known))
    unknown = [name for name in dict.fromkeys(named) if name not in names]
    if not unknown:
        return None
    listed = ", ".join(shown(name, "with an unusual name", names) for name in unknown[:LISTED])
    help_ = hint(unknown[0], names) if names else "The space has no purposes yet; define them with PUT /v1/purposes."
    return UnknownPurpose(f"{field}: no purpose of this space is called {listed}. {help_} Nothing was done.")


def _bare(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())
