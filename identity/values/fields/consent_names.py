"""Finds the statements of consent that a call holds in another place, or under another name, than those that are read.

The names are those of the IAB for URLs, requests and the storage of apps (`IABTCF_TCString`), of Google
(`ad_storage`), of browsers (`Sec-GPC`), and of consent managers; the places are also those of OpenRTB (`regs.ext`). The
names of an object cost one look-up together, since the calls of an application have few sets of names.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote

from identity.values.fields.consent_managers import BARE_ANSWERS, MANAGERS, exact_names
from identity.values.fields.consent_words import BY_WORDS, GRANTS, stated_by_words
from identity.values.fields.identity_token import is_token, is_token_name
from identity.values.fields.names import MisspeltField, bare
from identity.values.identity_tokens.claims import FIELD

CONSENT: Final = "context.consent"
GPC: Final = "context.gpc"
CATEGORIES: Final = f"{CONSENT}.categoryPreferences"
MANAGED: Final = "context.consentManagement"
CONSENT_MODE: Final = f"{CONSENT}.googleConsentMode"
STRINGS: Final = tuple(f"{CONSENT}.{name}" for name in ("tcf", "gpp", "usPrivacy"))
"""The signals that are texts; the interfaces of the IAB answer objects that hold them."""
TCF, _GPP, _US_PRIVACY = STRINGS
_MINOR: Final = f"{CONSENT}.minor"
_DO_NOT_SELL: Final = [
    f"donot{verb}{of}{thing}"
    for verb in ("sell", "share", "sellorshare", "sellandshare")
    for of in ("", "my")
    for thing in ("", "data", "info", "information", "personaldata", "personalinfo", "personalinformation")
]
_OPT_OUTS: Final = (
    "optout", "optedout", "optoutofsale", "optoutsale", "optoutofsharing", "saleoptout", "saleoptedout",
    "sharingoptout", "sharingoptedout", "ccpaoptout", "ccpaoptedout", "cpraoptout", "cpraoptedout",
    "targetedadvertisingoptout", "targetedadvertisingoptedout",
)  # fmt: skip


def _spellings(type_: str) -> str:
    """A type of Google's without its punctuation, also in British spelling and with `ads` for `ad`."""
    letters = type_.replace("_", "")
    plural = f"ads{letters[2:]}" if type_.startswith("ad_") else letters
    return " ".join(dict.fromkeys(each for name in (letters, plural) for each in (name, name.replace("iza", "isa"))))


PLACES: Final[Mapping[str, str]] = {
    CONSENT: "consent consents",
    CATEGORIES: "categorypreferences categorypreference consentpreferences consentpreference",
    MANAGED: "consentmanagement consentmanager",
    GPC: "gpc secgpc httpsecgpc gpcsignal gpcenabled gpcoptout globalprivacycontrol globalprivacycontrolenabled "
    f"{' '.join(_DO_NOT_SELL)} {' '.join(_OPT_OUTS)}",
    TCF: "tcf tcstring tcfstring tcfconsent tcfconsentstring tcfv2 tcfeuv2 tcdata euconsent euconsentv2 gdprconsent "
    "gdprconsentstring consentstring iabgpp2string",
    _GPP: "gpp gppstring gppconsent gppconsentstring",
    _US_PRIVACY: "usprivacy usprivacystring usp uspstring uspconsent uspconsentstring ccpastring ccpaconsentstring "
    "iabgpp6string",
    CONSENT_MODE: "googleconsentmode googleconsentmodev2 googleconsent consentmode consentmodev2 gcm gcs gcd",
    **{
        f"{CONSENT_MODE}.{name}": _spellings(name)
        for name in (
            "ad_storage",
            "ad_user_data",
            "ad_personalization",
            "analytics_storage",
            "personalization_storage",
            "functionality_storage",
        )
    },
    _MINOR: "minor isminor",
}
"""The path that is read for each statement, and its other spellings."""
FAMILIES: Final[Mapping[str, str]] = {
    "iabtcf": TCF,
    "iabconsent": TCF,
    "iabgpp": _GPP,
    "iabusprivacy": _US_PRIVACY,
    **MANAGERS,
}
"""The first letters of the names that the frameworks of the IAB have in the storage of an app, and of cookies."""

_HOLDERS: Final = (
    "headers", "httpheaders", "requestheaders", "request", "privacy", "privacysettings", "compliance", "regs",
    "regulations", "gdpr", "ccpa", "cmp", "iab", "ext", "user", "openrtb", "ortb2", "cookies",
    "cookie", "setcookie", "documentcookie", "cookieheader", "cookiestring", "cookiejar", "localstorage",
    "sessionstorage", "datalayer",
)  # fmt: skip
_HOLDER: Final = "holder"
_DEPTH: Final = 3
_MOST_KEPT: Final = 64
"""The most names of an object whose statements are kept for the next object of the same names."""
_COOKIES: Final = frozenset(
    ("cookie", "cookies", "setcookie", "documentcookie", "cookieheader", "cookiestring", "cookiejar")
)
_HEADERS: Final = frozenset(("headers", "httpheaders", "requestheaders"))
_ARGUMENTS: Final = ("0", "1")
"""Members of an object that a program made of the arguments of a function, as `gtag` does in a `dataLayer`."""
_OF_ANSWERS: Final = frozenset(("cmp", "gdpr", "ccpa", "privacy", "privacysettings"))
"""The objects whose members may be the answers themselves (`status`, `granted`, or a category)."""
_MOST_OF_LIST: Final = 100
_MOST_OF_TEXT: Final = 8192
_ONLY_OBJECTS: Final = frozenset({CONSENT, MANAGED})
_SPELLINGS: Final = (
    exact_names()
    | {spelling: right for right, spellings in PLACES.items() if right != _MINOR for spelling in spellings.split()}
    | dict.fromkeys(_HOLDERS, _HOLDER)
)
_FIRST_LETTERS: Final = tuple(FAMILIES)


def statements_elsewhere(
    members: Mapping[str, Any], prefix: str, *, of_traits: bool = False, depth: int = _DEPTH, own: bool = False
) -> list[MisspeltField]:
    """The statements of consent among the members of an object that are the customer's own, and identity tokens.

    `headers`, `privacy` and the like may hold some, and in them `consent` is a TC string, as in `user.consent` or
    `user.ext.consent` of OpenRTB, also where its value is none. Elsewhere `consent` of another form than an object is a
    value of the customer's own, and so is an object `consent` among traits, of which its members are compared. A minor
    is none. With `own` the object is `properties` or traits: a name that states an answer by its words alone
    (`marketingOptIn`) is the customer's own there.
    """
    names = tuple(members)
    stated = _named(names) if len(names) <= _MOST_KEPT else _statements_among(names)
    found: list[MisspeltField] = []
    for name, right in stated:
        value = members[name]
        if value is None or (own and right in BY_WORDS):
            continue
        if right == _HOLDER or (of_traits and right == CONSENT):
            if depth:
                for held in _objects_within(name, value):
                    found += statements_elsewhere(held, f"{prefix}{name}.", of_traits=of_traits, depth=depth - 1)
                    found += _bare_answers(held, f"{prefix}{name}.") if bare(name) in _OF_ANSWERS else ()
        elif right == FIELD:
            found += [MisspeltField(prefix + name, FIELD, value)] if is_token(name, value) else []
        elif right not in _ONLY_OBJECTS or isinstance(value, dict):
            found.append(MisspeltField(prefix + name, right, value))
        elif right == CONSENT and depth < _DEPTH:
            found.append(MisspeltField(prefix + name, TCF, value))
    return found


def _objects_within(name: str, value: object) -> list[dict[str, Any]]:
    """The objects of a member that may hold statements: itself, those of a list, or those in the text of headers."""
    entries = value[:_MOST_OF_LIST] if isinstance(value, list) else [value]
    found: list[dict[str, Any]] = []
    for entry in entries:
        if isinstance(entry, str):
            found += _objects_of_text(bare(name), entry)
        elif isinstance(entry, dict):
            found += _objects_of(entry)
        elif isinstance(entry, list):
            found += [each for each in entry[:_MOST_OF_LIST] if isinstance(each, dict)]
            found += _pair(*entry) if len(entry) == len(_ARGUMENTS) else ()
    return found


def _objects_of(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """An object; the pair that it is (`{"name": "Cookie", "value": ...}`); and objects among arguments."""
    found = [entry]
    if "value" in entry:
        found += _pair(entry.get("name", entry.get("key")), entry["value"])
    if all(each in entry for each in _ARGUMENTS):
        found += [each for each in entry.values() if isinstance(each, dict)]
    return found


def _pair(name: object, value: object) -> list[dict[str, Any]]:
    return [{name: value}] if isinstance(name, str) else []


def _objects_of_text(letters: str, text: str) -> list[dict[str, Any]]:
    """The cookies in a header, or the headers in a text with one in each line."""
    text = text[:_MOST_OF_TEXT]
    if letters in _COOKIES:
        pairs = (pair.partition("=") for pair in text.split(";"))
        return [{cookie.strip(): unquote(value.strip()) for cookie, _, value in pairs}]
    if letters not in _HEADERS:
        return []
    lines = (line.partition(":") for line in text.splitlines())
    return [{header.strip(): value.strip() for header, _, value in lines}]


def _bare_answers(members: Mapping[str, Any], prefix: str) -> list[MisspeltField]:
    """The answers among the members of an object of consent: a general one, or one on a category."""
    return [
        MisspeltField(prefix + name, GRANTS, value)
        for name, value in members.items()
        if value is not None and bare(name) in BARE_ANSWERS
    ]


def is_holder(name: str) -> bool:
    """Whether a member may hold statements of consent among others, or be an identity token."""
    return _right(name) in (_HOLDER, FIELD)


def _right(name: str) -> str | None:
    letters = bare(name)
    right = _SPELLINGS.get(letters)
    if right is not None or not letters:
        return right
    if letters.startswith(_FIRST_LETTERS):
        return next((path for first, path in FAMILIES.items() if letters.startswith(first)), None)
    return FIELD if is_token_name(letters) else stated_by_words(name)


def _statements_among(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The names of statements and holders, each with the path that is read."""
    return tuple((name, right) for name in names if (right := _right(name)) is not None)


_named = lru_cache(maxsize=2048)(_statements_among)
