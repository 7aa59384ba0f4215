"""Finds the members of a call that nothing reads because of the spelling or the place of their names.

A member counts as misspelt where the name has the letters of a known name (`Traits`, `external_ids`), is a plural or
another word for that name, or differs from a long one by one slip of the finger. Names that SDKs send are never
misspelt. A null is absent. The names of a call cost one look-up each; only a name that no SDK sends is compared.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

_LONGEST: Final = 40
_SHORTEST_TYPO: Final = 7
_PUNCTUATION: Final = str.maketrans("", "", "_-. ")
# One letter away from `context` and `consent`, and words of their own.
_WORDS: Final = frozenset({"content", "contents", "contest"})


class MisspeltField(NamedTuple):
    """A member that is not read: the path of the member, the path of the known one, and the value."""

    path: str
    right: str
    value: Any


class Names:
    """The names of one object of a call: those that are read or that SDKs send, and the other spellings of the former.

    `read` has the path that is read by each spelling, which consists of small letters and digits.
    """

    __slots__ = ("_known", "_read", "_typos")

    def __init__(self, sent: str, read: Mapping[str, str]) -> None:
        self._known = frozenset(sent.split())
        self._read = {spelling: right for right, spellings in read.items() for spelling in spellings.split()}
        long = [(spelling, right) for spelling, right in self._read.items() if len(spelling) >= _SHORTEST_TYPO]
        self._typos = {part: right for spelling, right in long for part in (spelling, *_shortened(spelling))}

    def misspelt(self, members: Mapping[str, Any], prefix: str = "") -> list[MisspeltField]:
        """The misspelt members of an object, in the order of the object."""
        if self._known.issuperset(members):
            return []
        found = ((name, self.right(name)) for name in members if name not in self._known)
        return [
            MisspeltField(prefix + name, right, members[name])
            for name, right in found
            if right is not None and members[name] is not None
        ]

    def right(self, name: str) -> str | None:
        """The path that is read in the place of a name that is not known; None for a name like no other."""
        if name in self._known or len(name) > _LONGEST or not (name.isascii() and name.isprintable()):
            return None
        bare = name.translate(_PUNCTUATION).lower()
        right = self._read.get(bare)
        if right is not None or len(bare) < _SHORTEST_TYPO - 1 or bare in _WORDS:
            return right
        typos = self._typos
        right = typos.get(bare)
        if right is not None:
            return right
        return next(
            (typos[part] for part in _shortened(bare) if len(part) >= _SHORTEST_TYPO - 1 and part in typos), None
        )


def _shortened(name: str) -> Iterable[str]:
    """A name without one of its letters, the last excepted: `userIp` is no slip for `userId`."""
    return (name[:at] + name[at + 1 :] for at in range(len(name) - 1))


_CONSENT = {
    "context.consent": "consent consents",
    "context.consent.categoryPreferences": "categorypreferences categorypreference",
    "context.consentManagement": "consentmanagement consentmanager",
    "context.gpc": "gpc globalprivacycontrol",
}
_SIGNALS = {
    "context.consent.tcf": "tcf tcstring tcfstring",
    "context.consent.gpp": "gpp gppstring",
    "context.consent.usPrivacy": "usprivacy usprivacystring usp",
    "context.consent.googleConsentMode": "googleconsentmode consentmode gcm",
    "context.consent.minor": "minor isminor",
}
_PRIVACY = {**_CONSENT, **_SIGNALS}
CONSENT: Final = Names("categoryPreferences jurisdiction minor tcf gpp googleConsentMode usPrivacy", _PRIVACY)
"""`context.consent`."""
_STATEMENTS: Final = frozenset({"consent", "gpc", "gpp", "tcf", "usPrivacy", "us_privacy", "googleConsentMode"})
CALL: Final = Names(
    "type userId anonymousId previousId previousIdType groupId traits properties context timestamp originalTimestamp "
    "receivedAt sentAt messageId event name category channel integrations version projectId writeKey _metadata force "
    "rudderId request_ip user_properties userProperties decisions options",
    {
        "type": "type",
        "userId": "userid",
        "anonymousId": "anonymousid anonid",
        "previousId": "previousid",
        "groupId": "groupid",
        "messageId": "messageid",
        "event": "event eventname",
        "traits": "traits trait",
        "properties": "properties property propertys props",
        "context": "context contexts ctx",
        "timestamp": "timestamp timestamps time date datetime createdat eventtime eventtimestamp eventdate eventat "
        "occurredat happenedat loggedat recordedat trackedat clienttimestamp timestampms ts",
        "originalTimestamp": "originaltimestamp",
        "receivedAt": "receivedat",
        "sentAt": "sentat",
        "context.externalIds": "externalids externalid",
        "context.device": "device",
        **_PRIVACY,
    },
)
CONTEXT: Final = Names(
    "active app campaign consent consentManagement device externalIds gpc groupId instanceId integration integrations "
    "ip library locale location network os page protocols referrer screen sessionId sessionStart timezone traits "
    "userAgent userAgentData",
    {
        "context.traits": "traits trait",
        "context.device": "device devices",
        "context.externalIds": "externalids externalid",
        "context.integrations": "integrations",
        **_PRIVACY,
    },
)
DEVICE: Final = Names(
    "adTrackingEnabled advertisingId attTrackingStatus brand id manufacturer model name token trackingStatus type "
    "version",
    {
        "context.device.id": "id deviceid idfv",
        "context.device.type": "type devicetype",
        "context.device.advertisingId": "advertisingid advertiserid idfa gaid aaid",
        "context.device.token": "token pushtoken devicetoken",
        "context.device.adTrackingEnabled": "adtrackingenabled",
    },
)
"""`context.device`."""
ENVELOPE: Final = Names(
    "batch context sentAt integrations messageId writeKey type timestamp version channel",
    {"context": "context contexts ctx", "sentAt": "sentat", **_PRIVACY},
)
"""The object around the calls of a batch."""
_INTEGRATIONS: Final = Names("", {"context.integrations.Google Analytics": "googleanalytics"})
_GOOGLE: Final = Names("clientId", {"context.integrations.Google Analytics.clientId": "clientid"})
_GOOGLE_ANALYTICS: Final = "Google Analytics"
_TIMES: Final = ("timestamp", "originalTimestamp")
_USER_ID: Final = (
    "userid userids uid userkey userguid useruuid clientuserid customerid customerkey memberid contactid personid "
    "profileid subscriberid loginid"
)
_OTHER_WORDS: Final = {
    right: frozenset(words.split())
    for right, words in {
        "event": "event eventname eventtype eventtitle eventkey track action activity metric name",
        "event in properties": "event eventname",
        "type": "type types typ tpye calltype eventtype messagetype kind method action call operation op",
        "userId": _USER_ID,
        "userId of a person": f"{_USER_ID} id user username login identity customer",
        "userId of an alias": f"{_USER_ID} to toid newid newuserid alias",
        "anonymousId": "anonymousid anonid anonymoususerid deviceid visitorid clientid guestid cookieid browserid",
        "userId or anonymousId": "distinctid",
        "groupId": "groupid group groupkey companyid company accountid organizationid organisationid orgid teamid "
        "workspaceid tenantid",
        "context.traits.email": "email emails emailaddress mail useremail",
        "context.traits.phone": "phone phones phonenumber mobile mobilephone tel telephone userphone",
    }.items()
}
_IDENTIFIERS: Final = (
    "userId of a person", "anonymousId", "userId or anonymousId", "context.traits.email", "context.traits.phone",
)  # fmt: skip


def misspelt_fields(body: Mapping[str, Any], context: Mapping[str, Any] | None) -> list[MisspeltField]:
    """The misspelt members of a call, at the top level and in the objects of the context that are read.

    Another word for `timestamp` (`created_at`) is a member of its own in a call that states a time.
    """
    found = CALL.misspelt(body)
    if found and any(body.get(name) is not None for name in _TIMES):
        found = [each for each in found if each.right != "timestamp" or _is_spelling(each.path, "timestamp")]
    properties = body.get("properties")
    if isinstance(properties, dict) and not properties.keys().isdisjoint(_STATEMENTS):
        found += _statements_in(properties)
    if not context:
        return found
    found += CONTEXT.misspelt(context, "context.")
    device, integrations = context.get("device"), context.get("integrations")
    if isinstance(device, dict):
        found += DEVICE.misspelt(device, "context.device.")
    if isinstance(integrations, dict):
        google = integrations.get(_GOOGLE_ANALYTICS)
        if isinstance(google, dict):
            found += _GOOGLE.misspelt(google, f"context.integrations.{_GOOGLE_ANALYTICS}.")
        elif google is None:
            others = _INTEGRATIONS.misspelt(integrations, "context.integrations.")
            found += [each for each in others if isinstance(each.value, dict)]
    return found


def other_word(members: Mapping[str, Any], meaning: str, prefix: str = "") -> str | None:
    """The path of the first member that stands for a field by another spelling or a word of other vendors.

    Such a member is kept with the call, as any unknown one; the path helps where the call lacks the field.
    """
    words = _OTHER_WORDS[meaning]
    found = (prefix + name for name, value in members.items() if value is not None and bare(name) in words)
    return next((path for path in found if path != meaning), None)


def other_identifier(body: Mapping[str, Any]) -> tuple[str, str] | None:
    """The path of the first member of a call that may hold an identifier where nothing reads one, and the right field.

    An `id` among properties is that of a thing.
    """
    context = body.get("context")
    places = (
        ("", body),
        ("traits.", body.get("traits")),
        ("context.traits.", context.get("traits") if isinstance(context, dict) else None),
        ("properties.", body.get("properties")),
        ("context.", context),
    )
    for prefix, members in places:
        if not isinstance(members, Mapping):
            continue
        for meaning in _IDENTIFIERS:
            personal = meaning != "userId of a person" or prefix not in ("properties.", "context.")
            path = other_word(members, meaning if personal else "userId", prefix)
            if path is not None:
                return path, meaning.removesuffix(" of a person")
    return None


def bare(name: str) -> str:
    """The letters and digits of a name in small letters, without the `$` of some vendors; empty for an odd name."""
    if len(name) > _LONGEST or not (name.isascii() and name.isprintable()):
        return ""
    return name.translate(_PUNCTUATION).lstrip("$").lower()


def _statements_in(properties: Mapping[str, Any]) -> list[MisspeltField]:
    """The statements of consent among the properties of an event; a `consent` that is no object is a property."""
    found = ((name, properties[name]) for name in properties if name in _STATEMENTS)
    return [
        MisspeltField(f"properties.{name}", CALL.right(name) or name, value)
        for name, value in found
        if value is not None and (name != "consent" or isinstance(value, dict))
    ]


def _is_spelling(name: str, right: str) -> bool:
    """Whether a name has about the letters of the right one; another word has not."""
    return abs(len(name.translate(_PUNCTUATION)) - len(right)) <= 1 and name[:1].lower() == right[:1]
