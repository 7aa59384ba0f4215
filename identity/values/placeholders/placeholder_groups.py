"""Recognises the placeholder values that stand for no group, beside those that stand for nothing at all.

A program that knows no company of its user sends what its form or its template says: `default`, `My Company`,
`company_name`, `personal`, `org_null`, `%GROUP%`. A group with such an id is one account of strangers. The words are
those for a missing choice, the names of the field, and a kind of group beside a word for no value. A word that a
customer may choose for a group (`demo`, `other`, `admin`) is none.
"""

import re
from typing import Final
from unicodedata import normalize

from identity.values.placeholders.placeholder_values import (
    PLACEHOLDER_EMAILS,
    PLACEHOLDER_PATTERNS,
    PLACEHOLDERS,
    is_placeholder,
)
from identity.values.placeholders.unfilled_templates import PATTERNS_WITHIN

_THING: Final = "(company|organi[sz]ation|org|account|team|workspace|group|tenant|business|employer|customer|client)"
_KIND: Final = (
    "(company|companies|organi[sz]ations?|orgs?|accounts?|teams?|workspaces?|groups?|tenants?|business|employers?|"
    "customers?|clients?|firms?|enterprise|corporation|corp|schools?|department|dept|division|projects?|merchants?|"
    "vendors?|agency|institution|subscription|firma|unternehmen|organisationen|gruppe|konto|kunde|mandant|verein|"
    "arbeitgeber|empresa|compania|negocio|organizacion|organizacao|grupo|equipo|equipe|cuenta|conta|cliente|entreprise|"
    "societe|groupe|compte|client|azienda|societa|gruppo|organizzazione|bedrijf|organisatie|groep|klant|foretag|firmy)"
)
"""Kinds of groups, which stand for no group beside a word for no value alone."""
_PART: Final = "(name|id|key|slug|code|number|uuid|guid|type|domain)?"
_WHICH: Final = (
    "(no|unknown|missing|default|my|your|unassigned|untitled|unnamed|personal|individual|example|sample|dummy|test|new)"
)
_NONE_OF: Final = (
    "(no|kein|keine|keiner|keines|ohne|aucun|aucune|sans|sin|ningun|ninguna|ninguno|sem|nenhum|nenhuma|nessun|nessuna|"
    "nessuno|senza|geen|zonder|ingen|inget|brak)"
)
_NULL: Final = (
    "(null|none|nil|undefined|undef|unset|dbnull|unknown|missing|invalid|unavailable|unspecified|unassigned|"
    "inconnue?|unbekannt|desconocid[oa]|sconosciut[oa]|onbekend|objectobject|not(set|available|applicable|provided|found|assigned|specified|selected|defined|given|known|entered)|"
    "noneselected|tb[dca]|todo)"
)
"""Words for no value, before a kind of group or behind one."""
_NULL_BEHIND: Final = "(nan|na|nullptr|void|true|false|default|empty|blank|placeholder|untitled|unnamed)"
"""Words for no value behind a kind of group alone: in front of one they may be a name (`True Group`, `NA team`)."""
PLACEHOLDER_GROUPS: Final = (
    f"{_WHICH}?{_THING}(name|id|key|slug)?",
    f"({_NULL}|{_NONE_OF})+({_KIND}{_PART})+({_NULL}|{_NULL_BEHIND})*",
    f"({_KIND}{_PART})+({_NULL}|{_NULL_BEHIND})+",
    "default|personal|individual|unassigned|ungrouped|unaffiliated|untitled|unnamed|unspecified|placeholder|blank|empty",
    "not(assigned|specified|selected|employed|affiliated|given|defined|known|entered)|none?selected|selfemployed",
    "freelancer?|unemployed|missing|tb[dca]|tobe(determined|confirmed|decided|announced|defined|assigned)|todo",
    "(private|natural)(person|individual)|privatperson|particulier|noaffiliation|(just|only)me|(my)?self",
    (
        "kein(e|er|es)?|(keine|ohne)angaben?|(nicht|niet)(angegeben|opgegeven|zugeordnet|zugewiesen|toegewezen|vorhanden|"
        "verfugbar|beschikbaar|definiert|gesetzt|ausgewahlt|ausgefullt|ingevuld|bekannt|bekend|vantoepassing|zutreffend)|"
        "unbekannt|onbekend|privat(person)?|selbst(st)?andig|freiberufler"
    ),
    (
        "aucune?|non(renseignee?|specifiee?|definie?|disponible|applicable|communiquee?|attribuee?|precisee?|fournie?|"
        "indiquee?|specificat[oa]|assegnat[oa]|definit[oa]|indicat[oa]|disponibile|applicabile)|inconnue?|sconosciut[oa]|"
        "sansobjet|independante?"
    ),
    (
        "ningun[oa]?|nenhuma?|nessun[oa]?|(no|sin|nao)?(especificad[oa]|asignad[oa]|definid[oa]|informad[oa])|sin(asignar|"
        "especificar|definir|datos?|nombre)|no(aplica|disponible|indicad[oa])|desconocid[oa]|desconhecid[oa]|indefinid[oa]|"
        "autonom[oa]|naoaplicavel|geen|ingen"
    ),
)
"""Patterns for the letters and digits of a group id alone, in small letters and without accents."""
TEMPLATES_OF_GROUPS: Final = (
    r".*(\{\{.*\}\}|[$#]\{.*\}|<%.*%>|\{%.*%\}|<\?.*\?>|\[\[.*\]\]|\[%.*%\]|%%.*%%|\*\|.*\|\*).*",
    r"(.*[\W_])?(%[A-Za-z_]{2}[A-Za-z_. -]*%|\$[A-Za-z_]{2}[A-Za-z_]*)([\W_].*)?",
    r"<[^<>]*>|\{[A-Za-z_.]+\}|[:@][a-z]+[_A-Z][A-Za-z_]*|@@.*@@|##.*##|~.*~",
    r"(?i:n[./] ?[ad]\.?|k[./] ?a\.?|n\. ?v\. ?t\.?|me)",
    rf"(?i:n[./] ?a\.?[\W_]*{_KIND}[\W_]*{_PART})",
)
"""Patterns for a whole group id: the marks of a template that nobody filled, and what is short for no answer."""
_PATTERN: Final = re.compile("|".join(PLACEHOLDER_GROUPS))
_PLAIN: Final = re.compile("[0-9A-Za-z-]{3,}")
"""Letters and digits that are no template."""
_COUNTS: Final = re.compile("[0-9]")
"""A digit, which no pattern for the letters has."""
_TEMPLATE: Final = re.compile("|".join(TEMPLATES_OF_GROUPS), re.DOTALL)
_QUOTES: Final = " \t\r\n\"'`()"
_LONGEST: Final = 40


def is_placeholder_group(group: str) -> bool:
    """Whether a group id is a placeholder, or names no group of anybody."""
    return is_placeholder(group) or group.lower() in PLACEHOLDER_EMAILS or _names_none(group)


def _names_none(group: str) -> bool:
    text = (group if group.isascii() else normalize("NFKC", group)).strip(_QUOTES)
    if _PLAIN.fullmatch(text) is None and _TEMPLATE.fullmatch(text):
        return True
    if len(text) > _LONGEST or _COUNTS.search(text):
        return False
    letters = "".join(filter(str.isalnum, text if text.isascii() else normalize("NFKD", text))).casefold()
    return _PATTERN.fullmatch(letters) is not None


def shown_placeholders() -> dict[str, list[str]]:
    """The placeholders as the rules of every space show them."""
    return {
        "values": sorted(PLACEHOLDERS),
        "patterns": [*PLACEHOLDER_PATTERNS, *(f".*({each}).*" for each in PATTERNS_WITHIN)],
        "emails": sorted(PLACEHOLDER_EMAILS),
        "groups": [*PLACEHOLDER_GROUPS, *TEMPLATES_OF_GROUPS],
    }
