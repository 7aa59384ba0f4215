"""Normalises identifiers, so that all spellings of one identifier become the same value.

Normalisation is idempotent. A doubtful value is refused, never repaired or cut: a lost identifier costs one link,
a wrong one joins strangers. Every stored blind index depends on these rules, and no stored row names the rules that
it was made by: docs/architecture.md says what a changed result does to stored data.
"""

import re
import unicodedata
from typing import Final

import idna

from identity.values.calls import Identifier
from identity.values.enums import UnlinkedReason
from identity.values.errors import BadIdentifier
from identity.values.phone_numbers import phone_number, stored_phone_number
from identity.values.plain_text import LONGEST_VALUE, UnusableValue, plain, shown

USER_ID: Final = "user_id"
EMAIL: Final = "email"
PHONE: Final = "phone"
GA_CLIENT_ID: Final = "ga_client_id"
ANONYMOUS_ID: Final = "anonymous_id"
BUILT_IN: Final = (
    USER_ID,
    EMAIL,
    PHONE,
    "android.id",
    "android.idfa",
    "android.push_token",
    "ios.id",
    "ios.idfa",
    "ios.push_token",
    GA_CLIENT_ID,
    ANONYMOUS_ID,
)
"""The built-in types. The position of a type, counted from 1, is its stored number: only append."""

LONGEST_TYPE: Final = 48

_TYPE_START = frozenset("abcdefghijklmnopqrstuvwxyz")
_TYPE_REST = _TYPE_START | frozenset("0123456789_.")
_LONGEST_DOMAIN = 253
_LONGEST_LABEL = 63
_PREFIX = "xn--"
_SEPARATORS = frozenset(",;|")
# RFC 5322 allows these in quotes alone; outside they are the syntax of lists, names and links.
_NOT_IN_LOCAL_PART = frozenset("()<>[]:;,\\")
_LINKS = ("mailto:", "smtp:")
_PLAIN_LABEL = r"(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# Nearly every domain: it stays as it is.
_PLAIN_DOMAIN = re.compile(rf"(?:{_PLAIN_LABEL}\.)+{_PLAIN_LABEL}")


def usable_type(name: str) -> bool:
    """Whether a name is a valid identifier type: `[a-z][a-z0-9_.]{0,47}`."""
    return 0 < len(name) <= LONGEST_TYPE and name[0] in _TYPE_START and _TYPE_REST.issuperset(name)


def normalise(type_: str, value: object, region: str) -> str:
    """The normalised value of an identifier; raises UnusableValue with the reason for a refused one.

    `region` is the two-letter country of phone numbers without a country code. `placeholder_values` and the
    rules of a space decide whether a value is blocked.
    """
    text = plain(value)
    if type_ == EMAIL:
        return _email(text)
    if type_ == PHONE:
        number = phone_number(text, region)
        if number is None:
            raise UnusableValue(UnlinkedReason.INVALID_PHONE, shown(text))
        return number
    return text


def parse(text: str, region: str) -> Identifier:
    """The identifier in a text `type:value`, normalised as at ingest.

    A phone number that ingest accepted once and refuses now is read as it was stored, so that its person is found.
    Raises BadIdentifier for an invalid type or a refused value.
    """
    name, colon, value = text.partition(":")
    type_ = name.lower()
    if not colon or not usable_type(type_):
        raise BadIdentifier
    try:
        return Identifier(type_, normalise(type_, value, region))
    except UnusableValue as unusable:
        stored = stored_phone_number(plain(value), region) if unusable.reason == UnlinkedReason.INVALID_PHONE else None
        if stored is None:
            raise BadIdentifier from None
        return Identifier(type_, stored)


def _email(text: str) -> str:
    # The Turkish capital I with a dot becomes i and a combining dot, and the dotless small i stays: neither
    # becomes a plain i.
    address = text.lower()
    if not address.isascii():
        address = unicodedata.normalize("NFC", address)
    local, _, rest = address.partition("@")
    if not local or not rest or "@" in rest or len(address.split()) != 1:
        raise UnusableValue(_malformed_email(text), shown(text))
    domain = _domain(rest)
    if domain is None or not _NOT_IN_LOCAL_PART.isdisjoint(local):
        reason = _malformed_email(text)
        if domain is None and reason == UnlinkedReason.INVALID_EMAIL:
            reason = UnlinkedReason.EMAIL_DOMAIN
        raise UnusableValue(reason, shown(text))
    if len(local) + 1 + len(domain) > LONGEST_VALUE:
        raise UnusableValue(UnlinkedReason.TOO_LONG, shown(text))
    return f"{local}@{domain}"


def _malformed_email(text: str) -> UnlinkedReason:
    """What is wrong with a text that is no single address."""
    if text.count("@") > 1 and (_SEPARATORS.intersection(text) or len(text.split()) > 1):
        return UnlinkedReason.SEVERAL_EMAILS
    if "@" in text and (text.lower().startswith(_LINKS) or "<" in text or "(" in text or len(text.split()) > 1):
        return UnlinkedReason.EMAIL_WITH_NAME
    return UnlinkedReason.INVALID_EMAIL


def _domain(domain: str) -> str | None:
    if len(domain) > _LONGEST_DOMAIN:
        return None
    if _PLAIN_DOMAIN.fullmatch(domain):
        return domain
    try:
        if not domain.isascii():
            domain = idna.uts46_remap(domain, std3_rules=True, transitional=False)
        parts = domain.split(".")
        if sum(len(part) + (1 if part.isascii() else 1 + len(_PREFIX)) for part in parts) - 1 > _LONGEST_DOMAIN:
            # In ASCII each of the labels has at least so many characters.
            return None
        labels = [_label(part) for part in parts]
    except UnicodeError:
        return None
    name = ".".join(labels)
    if len(labels) == 1 or "" in labels or len(name) > _LONGEST_DOMAIN:
        return None
    return name


def _label(label: str) -> str:
    """One label of a domain in ASCII; "" where it is long, or has other than letters, digits and hyphens."""
    if len(label) > _LONGEST_LABEL:
        return ""
    if not label.isascii() or label.startswith(_PREFIX):
        return idna.alabel(label).decode("ascii")
    if label[:1] == "-" or label[-1:] == "-":
        return ""
    return label if label.replace("-", "").isalnum() else ""
