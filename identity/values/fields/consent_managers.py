"""The names under which consent managers keep an answer of a person, and under which applications send a general one.

Such an answer is no statement that Onefold reads. A record of a consent manager has the categories of its vendor, which
nothing maps to the purposes of a space. So an answer under these names never grants, and it may be a withdrawal.
"""

from typing import Final

_READ: Final = "context.consent.categoryPreferences"
ANSWERS: Final = f"{_READ} by category"
"""The right place of a general answer (`consentGiven`). Among properties and traits it may be the customer's own."""
RECORDS: Final = f"{_READ} of each category"
"""The right place of the record of a consent manager (`OnetrustActiveGroups`)."""
WITHDRAWALS: Final = f"{_READ} with false"
"""The right place of a denial by its name (`consentDenied`)."""

_ANSWERED: Final = (
    "given", "granted", "accepted", "allowed", "status", "state", "value", "answer", "decision", "flag", "level",
)  # fmt: skip
_OF: Final = ("consent", "userconsent", "gdprconsent", "trackingconsent")
_KEPT: Final = (
    "consent", "consents", "consentstatus", "consentstate", "consentlevel", "consentpreferences", "preferences",
    "choices", "categories", "consentpolicy", "policyconsent",
)  # fmt: skip
_DENIED: Final = (
    "denied", "declined", "rejected", "refused", "revoked", "withdrawn", "withdrawal", "disallowed", "optout",
    "optedout",
)  # fmt: skip
_CATEGORY: Final = (
    "ad", "ads", "advertising", "advertisement", "analytics", "analytical", "functional", "functionality",
    "marketing", "performance", "personalization", "personalisation", "preferences", "social", "socialmedia",
    "statistics", "targeting",
)  # fmt: skip
CATEGORY_ANSWERS: Final = " ".join(
    [f"{each}consent" for each in _CATEGORY] + [f"consent{each}" for each in _CATEGORY if each != "preferences"]
)
"""Answers on one category. Among properties and traits such a name (`marketing_consent`) is the customer's own."""
BARE_ANSWERS: Final = frozenset(
    ("given", "granted", "accepted", "allowed", "status", "state", "value", "answer", "decision", *_CATEGORY)
)
"""The members of an object about consent that answer in themselves."""
OTHERS: Final = {
    ANSWERS: " ".join(
        (
            *(f"{of}{each}" for of in _OF for each in _ANSWERED),
            *(f"{first}{of}" for first in ("has", "is", "given", "user") for of in ("consent", "consented")),
            "hasuserconsent hasgdprconsent hastrackingconsent hascookieconsent hasgivenconsent consented",
            "userhasconsented trackingconsent trackingallowed trackingpermitted allowtracking consenttotracking",
            "cookiesaccepted cookiesallowed acceptcookies acceptedcookies acceptscookies allowcookies cookieaccepted",
            "gdpraccepted gdprgranted gdprallowed",
        )
    ),
    RECORDS: " ".join(
        (
            *(f"{of}{each}" for of in ("cookie", "cookies") for each in _KEPT),
            "consentdata consentsettings consentmap consentmodel consentrecord consentrecords consentitems",
            "consentchoices consentchoice consentcategories consentgroups consentpurposes consentoptions consentcookie",
            "consentlevels trackingpreferences privacypreferences privacychoices privacyconsent gdprconsentstatus",
            # OneTrust and CookiePro
            "onetrust onetrustactivegroups onetrustgroups onetrustconsent onetrustcategories optanon",
            "optanonactivegroups optanonconsent optanongroups cookiepro",
            # Cookiebot, Usercentrics, Didomi and the others, by product, cookie or object
            "cookiebot cookiebotconsent usercentrics usercentricsconsent ucsettings ucservices ucuserinteraction uccmp",
            "didomi didomistate didomitoken didomiconsent didomiuserstatus didomipurposes didomipurposesconsent",
            "didomipurposesconsentdenied didomivendorsconsentdenied didomivendorsconsent",
            "trustarc trustarcconsent cmapicookieprivacy noticepreferences noticegdprprefs truste",
            "osano osanoconsentmanager osanoconsent axeptio axeptiocookies axeptioconsent axeptiochoices",
            "cookieyes cookieyesconsent cookiefirst cookiefirstconsent cookiehub cookiehubconsent cookieinformation",
            "cookieinformationconsent cookiescript cookiescriptconsent cookiecontrol cookielawinfo",
            "cookielawinfoconsent iubenda iubendaconsent iubcs termly termlyconsent complianz complianzconsent borlabs",
            "borlabscookie tarteaucitron klaro klaroconsent ccm19 sourcepoint sourcepointconsent consentmgr",
            "tealiumconsent tealiumcmp transcendconsent ketchconsent securiticonsent evidonconsent ensightenconsent",
            "quantcast quantcastchoice quantcastconsent quantcastcmp qcchoice qcmp ketch ketchcookie transcend",
            "transcendconsentmanager evidon securiti securitiai secureprivacy enzuzo enzuzoconsent crownpeak inmobicmp",
            "inmobichoice inmobiconsent commandersact tagcommander tcprivacy tcprivacycenter trustcommander",
            "moovegdprpopup cookienoticeaccepted viewedcookiepolicy eupubconsent consentmanagernet",
            "uniconsent",
            "ppmsprivacy cccookie realcookiebanner hscookiecatpref hubspotconsent shopifyconsent customerprivacy",
            "mparticleconsent cmpdata cmpconsent cmpstatus",
        )
    ),
    WITHDRAWALS: " ".join(
        (
            *(f"{of}{each}" for of in _OF for each in _DENIED),
            *(f"{each}consent" for each in ("no", "without", *_DENIED, "withdraw", "revoke")),
            *(f"{of}{each}" for of in ("cookie", "cookies", "tracking", "allcookies") for each in _DENIED),
            "rejectcookies rejectedcookies declinedcookies denycookies nocookies",
        )
    ),
    "context.consent.minor": "coppa coppaapplies tagforunderageofconsent tagforchilddirectedtreatment tfua tfcd "
    "childdirected ischilddirected underage isunderage underageofconsent ischild",
}
"""The other names of a statement of consent by the place that is read; of a minor those of OpenRTB and ad networks."""
MANAGERS: Final = {"cookielawinfocheckbox": RECORDS, "cmplz": RECORDS, "iubcs": RECORDS}
"""The first letters of the names that consent managers give their cookies."""


def exact_names(*more: str) -> dict[str, str]:
    """The place that is read by each of the names, which count without a slip of the finger; `more` are answers."""
    names = {spelling: right for right, spellings in OTHERS.items() for spelling in spellings.split()}
    return dict.fromkeys(" ".join(more).split(), ANSWERS) | names
