"""Reads the region of a person: a country of ISO 3166-1, alone or with one of its subdivisions of ISO 3166-2.

A code that does not exist is no region, since the rule for the region that was meant would not apply. Countries are
complete. Subdivisions are checked for the United States and Canada, whose law differs by them; of other countries any
code of the right form counts.
"""

import re
from collections.abc import Mapping
from typing import Final

_COUNTRIES: Final = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY "
    "BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK "
    "FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR "
    "IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK "
    "ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM "
    "PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF "
    "TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW "
)
_STATES: Final = (
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK "
    "OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC AS GU MP PR UM VI "
)
_PROVINCES: Final = "AB BC MB NB NL NS NT NU ON PE QC SK YT"
COUNTRIES: Final = frozenset(_COUNTRIES.split())
"""ISO 3166-1, and XK for Kosovo, which has no code there."""
SUBDIVISIONS: Final[Mapping[str, frozenset[str]]] = {
    "US": frozenset(_STATES.split()),
    "CA": frozenset(_PROVINCES.split()),
}
UNREADABLE: Final = "?"
"""Stands for a region that was stated and cannot be read: the strictest of all defaults applies."""

_FORM: Final = re.compile(r"([A-Z]{2})(?:-([A-Z0-9]{1,3}))?")
# Codes that are common and not in ISO 3166-1.
_OTHER_CODES: Final[Mapping[str, str]] = {
    "UK": "GB", "EL": "GR", "USA": "US", "GBR": "GB", "CAN": "CA", "DEU": "DE", "GER": "DE", "FRA": "FR", "ESP": "ES",
    "ITA": "IT", "NLD": "NL", "AUT": "AT", "CHE": "CH", "BRA": "BR", "IND": "IN", "AUS": "AU", "JPN": "JP", "CHN": "CN",
}  # fmt: skip


def parse_region(value: object) -> str | None:
    """A region in its stored form; None if the value is no region that exists."""
    found = _FORM.fullmatch(_code(value))
    if found is None:
        return None
    country, part = found.groups()
    known = country in COUNTRIES and (part is None or part in SUBDIVISIONS.get(country, (part,)))
    return found[0] if known else None


def has_form(value: str) -> bool:
    """Whether a text has the form of a region, in capitals; the region may not exist."""
    return _FORM.fullmatch(value) is not None


def region_hint(value: object) -> str:
    """A sentence about the region that a value probably means; it repeats nothing that is no code."""
    code = _code(value)
    country, _, part = code.replace("_", "-").replace(" ", "-").partition("-")
    near = _OTHER_CODES.get(country, country)
    for meant in (f"{near}-{part}" if part else near, f"{near}-{part[:2]}", f"US-{country}", near):
        if parse_region(meant) == meant and meant != value:
            return f"Did you mean {meant}?"
    if has_form(code):
        return f"ISO 3166 has no {code}."
    return "Write the two letters of the country, alone or with its subdivision, as ISO 3166 has them."


def _code(value: object) -> str:
    return value.strip().upper() if isinstance(value, str) else ""
