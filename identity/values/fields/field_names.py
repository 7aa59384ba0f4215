"""Finds the members of a call that nothing reads because of the spelling or the place of their names.

The tables hold the names of each object of a call. `names` compares; `consent_names` has the statements of consent.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from identity.values.fields.beside_batch import BATCH, BATCHES, has_typed_calls, is_like_batch
from identity.values.fields.consent_managers import CATEGORY_ANSWERS, exact_names
from identity.values.fields.consent_names import CATEGORIES, FAMILIES, PLACES, is_holder, statements_elsewhere
from identity.values.fields.consent_words import stated_by_words
from identity.values.fields.names import MisspeltField, Names, bare, is_comparable, is_spelling
from identity.values.identity_tokens.claims import FIELD

_DECISIONS: Final = "decisions"
_PREFERENCES: Final = "preferences"
_ANSWERS: Final = exact_names(CATEGORY_ANSWERS)
_OF_TRAITS: Final = {
    name: f"context.traits.{right}"
    for right, names in {"email": "email emailaddress useremail", "phone": "phone phonenumber userphone"}.items()
    for name in names.split()
}
"""Identifiers that are read among traits alone."""
CONSENT: Final = Names(
    "categoryPreferences jurisdiction minor tcf gpp googleConsentMode usPrivacy",
    PLACES,
    FAMILIES,
    exact_names(),
    stated_by_words,
)
"""`context.consent`."""
CALL: Final = Names(
    "type userId anonymousId previousId previousIdType groupId traits properties context timestamp originalTimestamp "
    "receivedAt sentAt messageId event name category channel integrations version projectId writeKey _metadata force "
    "rudderId request_ip user_properties userProperties decisions options batch",
    {
        BATCH: BATCHES,
        "type": "type",
        "userId": "userid userids",
        "anonymousId": "anonymousid anonymousids anonid",
        "previousId": "previousid previousids",
        "previousIdType": "previousidtype",
        "groupId": "groupid groupids",
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
        FIELD: "identitytoken identitytokens",
        **PLACES,
    },
    FAMILIES,
    _ANSWERS | _OF_TRAITS,
    stated_by_words,
)
CONTEXT: Final = Names(
    "active app campaign consent consentManagement device externalIds gpc groupId identityToken instanceId integration "
    "integrations ip library locale location network os page protocols referrer screen sessionId sessionStart timezone "
    "traits userAgent userAgentData",
    {
        "userId": "userid userids",
        "anonymousId": "anonymousid anonymousids anonid",
        "context.groupId": "groupid groupids",
        "context.traits": "traits trait",
        "context.device": "device devices",
        "context.externalIds": "externalids externalid",
        "context.integrations": "integrations",
        FIELD: "identitytoken identitytokens",
        **PLACES,
        CATEGORIES: f"{PLACES[CATEGORIES]} {_PREFERENCES}",
    },
    FAMILIES,
    _ANSWERS,
    stated_by_words,
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
    {"context": "context contexts ctx", "sentAt": "sentat", **PLACES},
    FAMILIES,
    _ANSWERS,
    stated_by_words,
)
"""The object around the calls of a batch; what is misspelt there belongs to each call."""
_INTEGRATIONS: Final = Names("", {"context.integrations.Google Analytics": "googleanalytics"})
_GOOGLE: Final = Names("clientId", {"context.integrations.Google Analytics.clientId": "clientid"})
_GOOGLE_ANALYTICS: Final = "Google Analytics"
_CLIENT_ID: Final = f"{_GOOGLE_ANALYTICS}.clientId"
_TIMES: Final = ("timestamp", "originalTimestamp")
_USER_ID: Final = (
    "userid userids uid userkey userguid useruuid clientuserid customerid customerkey memberid contactid personid "
    "profileid subscriberid loginid"
)
_OTHER_OBJECTS: Final = re.compile(
    "(?:(?P<event>events?|track|page|screen|action)|user|custom|customer|person|people|profile|contact|group|account|"
    "company|organi[sz]ation|identify)?(?:traits?|attributes?|attrs?|properties|property|props?|params?|parameters)"
    "|profile"
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


def misspelt_fields(
    body: Mapping[str, Any], context: Mapping[str, Any] | None, *, of_group: bool = False
) -> list[MisspeltField]:
    """The misspelt members of a call, at the top level and in the objects of the context that are read.

    Another word for `timestamp` (`created_at`) is a member of its own in a call that states a time. Properties and
    traits are compared with the names of consent alone; with `of_group` the traits are those of a group, which
    consents to nothing.
    """
    found = [] if CALL.knows(body) else _misspelt_in_body(body)
    properties, traits = body.get("properties"), body.get("traits")
    if isinstance(properties, dict):
        found += statements_elsewhere(properties, "properties.", own=True)
    if isinstance(traits, dict):
        stated = statements_elsewhere(traits, "traits.", of_traits=True, own=True)
        found += [each for each in stated if not of_group or each.right == FIELD]
    integrations = body.get("integrations")
    if integrations and isinstance(integrations, dict):
        google = integrations.get(_GOOGLE_ANALYTICS)
        if isinstance(google, dict) and google.get("clientId") is not None:
            found.append(
                MisspeltField(f"integrations.{_CLIENT_ID}", f"context.integrations.{_CLIENT_ID}", google["clientId"])
            )
        found += _stated_in_integrations(integrations)
    options = body.get("options")
    if options and isinstance(options, dict):
        found += _stated_in_options(options)
    return found + _misspelt_in_context(context) if context else found


def _stated_in_integrations(integrations: Mapping[str, Any]) -> list[MisspeltField]:
    """The statements in the texts and the objects of `integrations`; a boolean there chooses a destination."""
    found: list[MisspeltField] = []
    for name, value in integrations.items():
        if isinstance(value, str):
            found += statements_elsewhere({name: value}, "integrations.")
        elif isinstance(value, dict) and is_comparable(name):
            found += statements_elsewhere(value, f"integrations.{name}.")
    return found


def _stated_in_options(options: Mapping[str, Any]) -> list[MisspeltField]:
    context = options.get("context")
    found = statements_elsewhere(options, "options.")
    return found + (statements_elsewhere(context, "options.context.") if isinstance(context, dict) else [])


def _misspelt_in_body(body: Mapping[str, Any]) -> list[MisspeltField]:
    found = CALL.misspelt(body)
    if found and any(body.get(name) is not None for name in _TIMES):
        found = [each for each in found if each.right != "timestamp" or is_spelling(each.path, "timestamp")]
    # A batch is also a thing that is brewed or printed.
    found = [each for each in found if each.right != BATCH or is_like_batch(each.value)]
    found = [each for each in found if each.right not in _OF_TRAITS.values() or isinstance(each.value, str)]
    lists = [name for name, value in body.items() if has_typed_calls(value) and CALL.lacks(name)]
    found += [
        MisspeltField(name, right, value)
        for name, value in body.items()
        if value and isinstance(value, dict) and CALL.lacks(name) and (right := _other_object(name)) is not None
    ]
    return found + [MisspeltField(name, BATCH, body[name]) for name in lists] + held_statements(body, "")


def _other_object(name: str) -> str | None:
    """The object that other vendors call by a name: `traits` or `properties`; None for another name."""
    found = _OTHER_OBJECTS.fullmatch(bare(name))
    return None if found is None else "properties" if found["event"] else "traits"


def _misspelt_in_context(context: Mapping[str, Any]) -> list[MisspeltField]:
    found: list[MisspeltField] = []
    if not CONTEXT.knows(context):
        found = [each for each in CONTEXT.misspelt(context, "context.") if not _is_own(each)]
        found += held_statements(context, "context.")
    traits = context.get("traits")
    if isinstance(traits, dict):
        found += statements_elsewhere(traits, "context.traits.", of_traits=True, own=True)
    device = context.get("device")
    if isinstance(device, dict):
        found += DEVICE.misspelt(device, "context.device.")
    integrations = context.get("integrations")
    if isinstance(integrations, dict):
        google = integrations.get(_GOOGLE_ANALYTICS)
        if isinstance(google, dict):
            found += _GOOGLE.misspelt(google, f"context.integrations.{_GOOGLE_ANALYTICS}.")
        elif google is None:
            others = _INTEGRATIONS.misspelt(integrations, "context.integrations.")
            found += [each for each in others if isinstance(each.value, dict)]
    return found


def shared_statements(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """What is misspelt beside a batch and belongs to each of its calls, with the objects that hold consent."""
    found = {each.path: each.value for each in ENVELOPE.misspelt(envelope)}
    if isinstance(envelope.get(_DECISIONS), dict):
        found[_DECISIONS] = envelope[_DECISIONS]
    for part in ("properties", "traits"):
        members = envelope.get(part)
        if isinstance(members, dict):
            found |= {name: value for name, value in members.items() if _states({name: value})}
    return found | {
        name: value
        for name, value in envelope.items()
        if any(each.right != FIELD for each in held_statements({name: value}, ""))
    }


def _states(member: Mapping[str, Any]) -> bool:
    """Whether a member of the customer's own is a statement of consent."""
    return any(each.right != FIELD for each in statements_elsewhere(member, "", own=True))


def _is_own(field: MisspeltField) -> bool:
    """Whether `preferences` of a context are no answers to a consent manager, but the settings of an application."""
    if field.right != CATEGORIES or not bare(field.path.rpartition(".")[2]).startswith(_PREFERENCES[:-1]):
        return False
    return not (isinstance(field.value, dict) and any(isinstance(each, bool) for each in field.value.values()))


def held_statements(members: Mapping[str, Any], prefix: str) -> list[MisspeltField]:
    """The statements of consent in members such as `headers`."""
    held = {name: value for name, value in members.items() if is_holder(name)}
    return statements_elsewhere(held, prefix) if held else []


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
