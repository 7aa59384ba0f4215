"""Recognises placeholder values, which programs send in place of a missing id.

A placeholder is a word, alone or in brackets, the text of a template that nobody filled, a number of zeros, or a
compound of such parts (`compound_placeholders`). A placeholder is blocked in every space and for every type, since any
program may lack the id of its user and identifiers with such a value would join strangers. A space adds patterns of its
own (`resolution_rules`).
"""

import re
from typing import Final
from unicodedata import normalize

from identity.values.identifiers import EMAIL
from identity.values.placeholders.unfilled_templates import has_unfilled_part

PLACEHOLDERS: Final = frozenset(
    {
        "-1", "null", "none", "nil", "undefined", "nan", "anonymous", "guest", "distinctid",
        "distinct_id", "id", "email", "user", "userid", "user_id", "not_authenticated", "true",
        "false", "object object", "unknown", "n/a", "na", "void", "test", "invalid", "optional(nil)",
        "[object object]", "nullptr", "(not set)", "not set", "n.a.", "n.a", "n. a.", "n/a.",
        "anonymousid", "anonymous_id", "9774d56d682e549c",
        "object undefined", "object null", "[object undefined]", "[object null]", "infinity", "-infinity",
        "#n/a", "#ref!", "#value!", "#name?", "#null!", "#num!", "#div/0!", "02:00:00:00:00:00", "020000000000",
        "ff:ff:ff:ff:ff:ff", "your_user_id", "your-user-id", "your user id", "youruserid", "your_id", "your_email",
        "undefined undefined", "undefined_undefined", "undefined-undefined", "undefinedundefined",
        "null null", "null_null", "null-null", "nullnull", "none none", "none_none", "none-none",
        "undef", "unset", "dbnull", "inf", "-inf", "1.#inf", "-1.#inf", "1.#qnan", "-1.#ind", "unavailable",
        "not available", "not applicable", "not provided", "not found", "promise { <pending> }",
        *(
            joint.join(words.split())
            for joint in ("", " ", "_", "-")
            for words in (
                "not logged in", "not signed in", "logged out", "signed out", "no user", "no user id", "no id",
                "not identified", "not authenticated", "no company", "no organization", "no organisation", "no group",
                "no account", "no team", "no customer", "no value", "not set", "not available", "not applicable",
                "not provided", "not found", "not specified", "not assigned", "not defined",
            )
        ),
        "unauthenticated", "unidentified",
    }
)  # fmt: skip

PLACEHOLDER_EMAILS: Final = frozenset(
    {
        "test@test.com", "noemail@noemail.com", "none@none.com", "no@email.com",
        "example@example.com", "test@example.com", "a@a.com", "null@null.com",
    }
)  # fmt: skip

PLACEHOLDER_PATTERNS: Final = (
    "[-0.:]*",
    "[Ff]{8}-?[Ff]{4}-?[Ff]{4}-?[Ff]{4}-?[Ff]{12}",
    r"\{\{.*\}\}",
    r"[$#]\{.*\}",
    "<%.*%>",
    "[Xx]{8}-?[Xx]{4}-?[Xx4]{4}-?[XxYy]{4}-?[Xx]{12}",
    "[Xx]{3,}|[*]+|[?]+",
    "__[A-Za-z_]+__",
    r"\*\|.*\|\*",
    "%%.*%%",
    r"%[A-Za-z][A-Za-z_.]*%",
    r"\[\[.*\]\]",
    "<([A-Za-z_. -]*[_. -][Ii][Dd]|[A-Za-z]*I[Dd])>",
    r"\{([0-9]|[A-Za-z_]+)\}",
    r"%([1-9]\$)?[sdiufxv@]|%\([A-Za-z_]+\)[sd]|\$[1-9]",
    r"\[[Oo]bject [A-Za-z]+\]|\[[Ff]unction(: [A-Za-z]+)?\]|<(class|built-in function) .*>",
)
"""What placeholders look like beside the words: zeros, the greatest UUID, masks, and templates."""

_SPACES = "".join(chr(c) for c in range(0x3001) if chr(c).isspace())
# The backslash covers text that is quoted twice: \"null\".
_QUOTES = "\\\"'`\u00ab\u00b4\u00bb\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2039\u203a\uff02\uff07"
_WRAPPING = _SPACES + _QUOTES
_BRACKETS: Final = _WRAPPING + "()<>[]{}"
_MARKS: Final = _BRACKETS + "%$"
_LONGEST = max(map(len, PLACEHOLDERS))
_PATTERN: Final = re.compile("|".join(PLACEHOLDER_PATTERNS), re.DOTALL)
_FIRST_OF_PATTERNS: Final = frozenset("-0.:Ff{$#<Xx*?_%[")
# What MySQL and Postgres write for a null in text; the backslash is a quote elsewhere.
_SQL_NULL: Final = re.compile(r"[\"']?\\+N[\"']?")


_NOTHING: Final = frozenset(
    {
        "null", "none", "nil", "undefined", "undef", "nan", "inf", "infinity", "nullptr", "void", "unknown", "invalid",
        "unset", "na", "dbnull", "unavailable", "true", "false",
    }
)  # fmt: skip
"""Words for no value."""
_NAMES: Final = frozenset({"anonymous", "guest", "distinctid", "id", "email", "user", "userid", "anonymousid", "test"})
"""Placeholders that name a field or a kind of person."""
_FURTHER_NAMES: Final = frozenset(
    {
        "customer", "visitor", "client", "member", "contact", "person", "account", "device", "name", "firstname",
        "lastname", "username", "phone", "uid", "guid", "uuid", "lead", "subscriber", "shopper", "buyer", "profile",
        "employee", "patient", "student", "player", "session", "cookie", "external", "address", "mobile",
        "emailaddress", "phonenumber", "hashed", "customerid", "visitorid", "clientid", "memberid", "contactid",
        "personid", "accountid", "deviceid", "leadid", "subscriberid", "profileid", "employeeid", "patientid",
        "sessionid", "cookieid", "externalid", "companyid", "organizationid", "organisationid", "orgid", "tenantid",
    }
)  # fmt: skip
"""Names that stand for nobody only beside a word for no value: `unknown_customer`."""
_BESIDE: Final = frozenset({"missing", "empty", "blank", "unassigned", "unspecified", "tbd", "tbc"})
"""Words for no value that count only beside a name."""
_SEPARATOR: Final = re.compile(r"[\s,;:|/\\&+=@.!_~()<>\[\]{}\"'`-]+")
_COUNT: Final = re.compile(r"[1-9](?![}$])")
"""A digit that counts, and is no part of a template: no compound has one, and nearly every id has."""
_ID: Final = re.compile(
    r"(?=[\x00-\x7f]*[1-9](?![}$]))[1-9A-EG-WYZa-eg-wyz](?:[\x00-\x7f]*[0-9A-Za-z])?",
)
"""Nearly every id: plain ends, the first of them in no pattern, and a digit that counts. Only a word can match."""
_NAMED_PHRASES: Final = (
    "your_user_id", "your-user-id", "your user id", "your_id", "your_email", "youruserid", "distinct_id", "user_id",
    "anonymous_id",
)  # fmt: skip
_PHRASES: Final = sorted(
    (each for each in PLACEHOLDERS - _NOTHING - _NAMES - {*_NAMED_PHRASES} if not _COUNT.search(each)),
    key=len,
    reverse=True,
)
_PHRASE: Final = re.compile(
    r"(?<![^\W_])(?:"
    + "|".join(
        (
            r"\{\{.*?\}\}|[$#]\{.*?\}|<%.*?%>|%%.*?%%|\*\|.*?\|\*|(?<!\{)\{(?:[0-9]|[a-z_]+)\}|%[sd@]",
            r"\[(?:object [a-z]+|function)\]|x{3,}|\*+|\?+",
            *map(re.escape, _PHRASES),
        )
    )
    + r")(?![^\W_])",
    re.DOTALL,
)
"""A part for no value that holds separators, or that is a template or a mask."""
_NAMED_PHRASE: Final = re.compile(rf"(?<![^\W_])(?:{'|'.join(_NAMED_PHRASES)})(?![^\W_])")
_ZEROS: Final = re.compile("0+")
_FIRST_TOKEN: Final = re.compile(r"[\W_]*([^\W_]+)")
_FIRST_TOKENS: Final = frozenset(
    found[1]
    for each in _NOTHING | _BESIDE | _NAMES | _FURTHER_NAMES | PLACEHOLDERS
    if (found := _FIRST_TOKEN.match(each)) is not None
)
_NO_TOKEN: Final = re.compile(r"0*|x{3,}")
_TEMPLATE_MARKS: Final = frozenset("{$#<%*?[")
_SHARED_DOMAINS: Final = _NOTHING | {"example"}
"""Domains without a person, under any end: `undefined.com`, `example.org`."""


def is_blocked_everywhere(type_: str, value: str) -> bool:
    """Whether a normalised identifier is a placeholder of its type, which no rules allow."""
    return is_placeholder(value) or (type_ == EMAIL and value in PLACEHOLDER_EMAILS)


def is_of_nobody(type_: str, value: str) -> bool:
    """Whether a normalised identifier is a placeholder and no compound, so that no profile has the identifier.

    A profile of an earlier release may have a compound, and its person can ask to be erased by it.
    """
    return _is_alone(_core(value), value) or (type_ == EMAIL and value in PLACEHOLDER_EMAILS)


def is_placeholder(text: str) -> bool:
    """Whether a plain text is a placeholder.

    Case, surrounding quotes and brackets, and the width of the letters do not matter. "" and text of only zeros, points
    and dashes (an all-zero UUID) are placeholders.
    """
    if has_unfilled_part(text):
        return True
    if _ID.fullmatch(text):
        return len(text) <= _LONGEST and text.casefold() in PLACEHOLDERS
    core = _core(text)
    return _is_alone(core, text) or is_compound(core)


def _core(text: str) -> str:
    return (text if text.isascii() else normalize("NFKC", text)).strip(_WRAPPING)


def _is_alone(core: str, text: str) -> bool:
    if len(core) <= 1 and (not core or (core == "N" and _SQL_NULL.fullmatch(text.strip()))):
        return True
    first = core[0]
    if first in _FIRST_OF_PATTERNS and _PATTERN.fullmatch(core):
        return True
    if first not in _MARKS and core[-1] not in _MARKS:
        # Nearly every id: nothing to strip, and most are longer than any word.
        return len(core) <= _LONGEST and core.casefold() in PLACEHOLDERS
    bare = core.strip(_MARKS)
    if len(bare) > _LONGEST:
        return False
    return not core.strip(_BRACKETS) or bare.casefold() in PLACEHOLDERS or core.casefold() in PLACEHOLDERS


def is_compound(text: str) -> bool:
    """Whether a text has only placeholders between its separators.

    `unknown_user` and `null,null` are compounds. A number of zeros counts beside words for no value alone, since
    `user_0` may be the first of many. An address is a compound if nobody can have it.
    """
    if _COUNT.search(text) is not None:
        return False
    first = _FIRST_TOKEN.match(text)
    token = "" if first is None else first[1].casefold()
    if token not in _FIRST_TOKENS and text[0] not in _TEMPLATE_MARKS and not _NO_TOKEN.fullmatch(token):
        return False
    folded = text.casefold()
    return _is_address(folded) or _is_list(folded)


def _is_list(text: str) -> bool:
    phrased = _NAMED_PHRASE.sub(" user ", _PHRASE.sub(" null ", text))
    bare = (each.strip("%$#") for each in _SEPARATOR.split(phrased))
    parts = {"0" if _ZEROS.fullmatch(each) else each for each in bare if each}
    if not parts <= _NOTHING | _BESIDE | _NAMES | _FURTHER_NAMES | {"0"}:
        return False
    names = parts - _NOTHING - _BESIDE - {"0"}
    if "0" in parts:
        return not names and parts.isdisjoint(_BESIDE)
    if parts & _BESIDE:
        return bool(names)
    return bool(parts) and (bool(parts & _NOTHING) or names <= _NAMES)


def _is_address(text: str) -> bool:
    """Whether an address is that of nobody: a placeholder at a domain of nobody or of the same name."""
    local, at, domain = text.partition("@")
    labels = domain.split(".")
    if not at or len(labels) == 1 or not is_placeholder(local):
        return False
    names = labels[:-2] if len(labels) > 2 and labels[-2] in ("co", "com") else labels[:-1]  # noqa: PLR2004
    return names == [local] or _SHARED_DOMAINS.issuperset(names)
