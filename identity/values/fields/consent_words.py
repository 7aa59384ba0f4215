"""Finds by its words whether a name states an answer to a request for consent: a grant, or a denial.

A name is compared by its words (`hasOptedOut`, `analytics_opt_in`), so that no list has to hold each composition. A
name about another thing than the answer (`consentBannerShown`, `consent_id`), or about messages to a person
(`emailOptIn`), states none.
"""

import re
from typing import Final

_READ: Final = "context.consent.categoryPreferences"
GRANTS: Final = f"{_READ} of all categories"
"""The right place of an answer by the words of its name (`analyticsOptIn`); a clear no denies."""
OPT_OUTS: Final = f"{_READ} without the denied categories"
"""The right place of a denial by the words of its name (`hasOptedOut`); a clear yes denies."""
REFUSALS: Final = f"{_READ} with false for each denied category"
"""The right place of the time, the list or the fact of a refusal (`consent_revoked_at`); any value but a no denies."""
BY_WORDS: Final = frozenset({GRANTS, OPT_OUTS, REFUSALS})

_CORE: Final = re.compile("opt|consent|accept|reject|den[iy]|declin|refus|revok|withdr|disallow", re.IGNORECASE)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_OPT: Final = re.compile(r"(?<!ad)opt(?:ed|s)?_?(in|out)(?![a-z])")
_REFUSED: Final = re.compile(
    "_(?:reject(?:ed|s)?|deny|denies|denied|declined?|refused?|revoked?|withdraw|withdrawn|withdrew|withdrawal|"
    "disallow(?:ed)?)_"
)
_ACCEPTED: Final = re.compile("_accept(?:ed|s)?_")
_OF_CONSENT: Final = re.compile(
    "consent|_(?:all|cookies?|gdpr|ccpa|privacy|tracking|analytics|ads?|marketing|advertising|purposes?|vendors?|"
    "categor(?:y|ies)|cmp|iab|tcf)_"
)
_TIME: Final = re.compile("_(?:at|on|date|time|timestamp|ts)_")
_OTHER: Final = re.compile(
    "_(?:id|ids|uuid|key|version|revision|text|url|uri|link|href|label|title|name|message|copy|wording|banner|dialog|"
    "popup|modal|prompt|notice|ui|widget|button|form|page|screen|shown|shows?|display|displayed|visible|hidden|hide|"
    "seen|viewed|open|opened|closed|requires?|required|needs?|needed|applies|applicable|mandatory|expected|pending|"
    "waiting|expired|expires|expiry|expiration|ttl|days|duration|age|lifetime|loaded|ready|initiali[sz]ed|init|changed|"
    "updated|error|failed|language|lang|locale|country|region|jurisdiction|source|method|channel|format|framework|"
    "scope|hash|signature|manager|management|platform|provider|tool|script|sdk|api|debug|count|number|index|implicit|"
    "double|deadline|mode|emails?|sms|mails?|newsletters?|push|phone|calls?|notifications?|whatsapp|fax|payments?|"
    "orders?|invites?|invitations?|terms|string|encoding|content|model)_"
)


def stated_by_words(name: str) -> str | None:
    """The right place of an answer that a name states by its words; None for a name of another thing."""
    if _CORE.search(name) is None:
        return None
    words = f"_{'_'.join(_WORD.findall(name)).lower()}_"
    if _OTHER.search(words):
        return None
    opt, timed = _OPT.search(words), _TIME.search(words) is not None
    of_consent = _OF_CONSENT.search(words) is not None
    if of_consent and _REFUSED.search(words):
        return REFUSALS
    if opt is not None and opt[1] == "out":
        return REFUSALS if timed else OPT_OUTS
    stated = opt is not None or "consent" in words or (of_consent and _ACCEPTED.search(words) is not None)
    return GRANTS if stated and not timed else None
