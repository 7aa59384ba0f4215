"""Reads the consent statements of a call other than decisions, as the signals that a document keeps.

    stated            the categories of a complete statement, which denies every category that it leaves out
    <class>           a grant or denial of a class of purposes, by a consent manager (TCF, Google)
    gcm:<type>        the same for one of the types of Google's that make up a class
    out:<class>       an opt-out (GPC, GPP, US Privacy), in force until the person decides otherwise
    minor             the person is a minor; only a server-side key can revoke this
    region            the jurisdiction of the person, as `DE` or `US-CA`; `?` for one that cannot be read

Statements of server-side keys are kept apart under names that end in `:server`, except opt-outs and `minor`.
An unreadable signal states nothing, so it never grants, and its name is listed as invalid. An unreadable statement
of categories denies as an empty one does: what cannot be read may have been a withdrawal, so no default that allows
undecided data applies to the person.

A string that contains the time of the person's choice counts from that time, whichever call carries it, but
never from a time after its call. Many strings contain the day alone. On that day such a string counts from the
time of the call. Later a grant counts from the start of the day and a denial from its end, so that a string
that is sent again never lifts a denial of its day.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from identity.planning.consent.misplaced_statements import NO_MISPLACED, Misplaced, denies_all, misplaced_members
from identity.planning.consent.plain_answers import has_denial
from identity.planning.consent.regions import UNREADABLE, parse_region
from identity.planning.consent.signals import google, gpc
from identity.planning.consent.signals.read_signals import Signal, Signals, read_signals
from identity.values.calls import DAY
from identity.values.documents import MINOR, SERVER, STATED, TimedSignal
from identity.values.fields.consent_managers import ANSWERS, RECORDS, WITHDRAWALS
from identity.values.fields.consent_names import CATEGORIES, MANAGED, STRINGS
from identity.values.fields.consent_names import CONSENT as CONSENT_PATH
from identity.values.fields.consent_words import BY_WORDS
from identity.values.fields.field_names import CONSENT
from identity.values.fields.names import bare
from identity.values.stamps import Micros

OUT: Final = "out:"
PART: Final = "gcm:"
REGION: Final = "region"
MOST_STATED: Final = 500
MOST_NAMED: Final = 100
"""The most parts of a call that are listed as invalid by their own names."""
_READ: Final = frozenset(
    ("categoryPreferences", "jurisdiction", "minor", "tcf", "gpp", "googleConsentMode", "usPrivacy")
)
_DENIED: Final = "deniedConsentIds"
_NOTHING: Final[tuple[object, ...]] = (None, "", [], {})
_STATEMENTS: Final = frozenset((CONSENT_PATH, CATEGORIES, MANAGED))
_PREFERENCES: Final = frozenset(
    (
        *("categorypreferences", "categorypreference", "consentmanagement", "categories", "preferences", "purposes"),
        *("choices", "decisions", "groups", "categoryconsents", "consentcategories", "purposeconsents"),
    )
)
_GENERAL: Final = frozenset(
    ("given", "granted", "accepted", "allowed", "status", "state", "value", "answer", "decision")
)
"""Members of `context.consent` that answer for all categories."""
_ANSWERED: Final = BY_WORDS | {ANSWERS, RECORDS, WITHDRAWALS}
_JOINTS: Final = re.compile(r"[\s_-]+")
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
_GRANTED: Final = TimedSignal(value=True, time=Micros(0))


class CallStatements(NamedTuple):
    """What a call states: the signals by name, the names of those it could not read, and its decisions by category.

    `categories` is None where the call makes no statement of categories.
    """

    signals: dict[str, TimedSignal]
    invalid: list[str]
    categories: dict[str, bool] | None = None


def statements(
    context: Mapping[str, Any] | None,
    misplaced: Misplaced = NO_MISPLACED,
    *,
    server: bool,
    received: Micros,
    time: Micros,
) -> CallStatements:
    """The statements in the context of a call, and what those under a misspelt name deny; times are in microseconds."""
    context = context or {}
    if not ("consent" in context or "gpc" in context or misplaced.any or "consentManagement" in context):
        return CallStatements({}, [])
    found: dict[str, TimedSignal] = {}
    suffix = SERVER if server else ""
    consent = context.get("consent")
    stated = _with_managed(category_decisions(consent, misplaced), context.get("consentManagement"))
    if stated is not None:
        found[STATED + suffix] = TimedSignal(sorted(stated)[:MOST_STATED], time)
    if isinstance(consent, dict):
        where = consent.get("jurisdiction")
        if where is not None:
            found[REGION + suffix] = TimedSignal(parse_region(where) or UNREADABLE, time)
        minor = consent.get("minor")
        if _is_minor(minor) or (minor is False and server):
            found[MINOR] = TimedSignal(bool(minor), time)
    signals = read_call_signals(context, server=server, received=received)
    for signal in signals.found:
        _add_classes(found, signal, suffix, time)
    for signal in signals.found:
        _add_parts(found, signal, suffix, time)
    nested = misplaced_members(consent) if isinstance(consent, dict) else NO_MISPLACED
    for name, value in (*misplaced.signals, *nested.signals):
        if name == "minor" and _is_minor(value):
            found[MINOR] = TimedSignal(value=True, time=time)
        _add_denials(
            found, read_signals({"consent": {name: value}}, header=False, server=server, now=received), suffix, time
        )
    opted_out = misplaced.opt_out or nested.opt_out
    found |= {OUT + class_: TimedSignal(value=False, time=time) for class_ in gpc.statements() if opted_out}
    unread = ["consent"] if _is_unreadable(context.get("consentManagement")) else []
    invalid = [*_unread_fields(consent), *unread, *signals.invalid, *misplaced.names]
    return CallStatements(found, list(dict.fromkeys(invalid)), stated)


def category_decisions(consent: object, misplaced: Misplaced = NO_MISPLACED) -> dict[str, bool] | None:
    """The decisions of a consent object by category; None where the object makes no statement of categories.

    A category without a readable decision is left out, which denies. So a statement of which nothing can be read
    counts as an empty one: `categoryPreferences` that is no object or has a misspelt name, a consent that is none, one
    in another place or within another one, or one whose members have other names.
    """
    unstated: dict[str, bool] | None = {} if misplaced.categories else None
    if consent is None or consent == []:  # PHP writes an empty object as an empty array.
        return unstated
    if not isinstance(consent, dict):
        return {}
    preferences = consent.get("categoryPreferences")
    if preferences is None:
        misspelt = any(_is_misspelt(name, value) for name, value in consent.items())
        return {} if misspelt or _is_own_form(consent) else unstated
    if not isinstance(preferences, dict):
        return {}
    denied = {_alike(each) for each, answer in preferences.items() if answer is not True and answer is not None}
    return {
        category: answer and not (denied and _alike(category) in denied)
        for category, answer in preferences.items()
        if isinstance(answer, bool)
    }


def _alike(category: str) -> str:
    """A category without capitals, blanks and joints, in which no two purposes differ alone."""
    return _JOINTS.sub("", category.casefold()) or category


def _with_managed(stated: dict[str, bool] | None, managed: object) -> dict[str, bool] | None:
    """The decisions with those in `context.consentManagement` of RudderStack, whose denied ids deny in any case.

    Its allowed ids are granted where it denies some and no other statement of categories stands in the call.
    """
    if managed in _NOTHING:
        return stated
    if _is_unreadable(managed) or not isinstance(managed, dict):
        return {}
    denied, allowed = (managed.get(name) for name in (_DENIED, "allowedConsentIds"))
    if not denied:
        return stated
    granted = {each: True for each in allowed if isinstance(each, str)} if isinstance(allowed, list) else {}
    return {**(granted if stated is None else stated), **{each: False for each in denied if isinstance(each, str)}}


def _is_unreadable(managed: object) -> bool:
    """Whether a part of `context.consentManagement` that may deny cannot be read, by its form or by its name."""
    if managed in _NOTHING:
        return False
    if not isinstance(managed, dict):
        return True
    denied = managed.get(_DENIED)
    misspelt = (name for name in managed if name != _DENIED and bare(name).removesuffix("s") == "deniedconsentid")
    return any(managed[name] not in _NOTHING for name in misspelt) or not (
        denied in _NOTHING or (isinstance(denied, list) and all(isinstance(each, str) for each in denied))
    )


def unknown_categories(decisions: Mapping[str, bool], purposes: Collection[str]) -> list[str]:
    """The names under which a call lists the categories that name none of these purposes."""
    return _unread_parts("purpose", [category for category in decisions if category not in purposes])


def read_call_signals(context: Mapping[str, Any], *, server: bool, received: Micros) -> Signals:
    """The signals of a call; for a public key the context holds the value of the Sec-GPC header."""
    # A browser that sets the field in its context opts out like one that sends the header.
    opted_out = not server and gpc.read_field(context.get("gpc")) is True
    return read_signals(context, header=opted_out, server=server, now=received)


def decided_at(updated: Micros | None, *, granted: bool, time: Micros) -> Micros:
    """When the person decided, by a string last updated at `updated` (None: it has no time) in a call at `time`."""
    if updated is None or updated >= time:
        return time
    if updated % DAY or time < updated + DAY:
        return updated if updated % DAY else time
    return updated if granted else Micros(updated + DAY - 1)


def _is_minor(value: object) -> bool:
    """Whether a value says that the person is a minor: `true`, 1, or the text of either."""
    return value is not None and gpc.read_field(value) is True


def _is_misspelt(name: str, value: object) -> bool:
    """Whether a member of a consent object is `categoryPreferences` in another spelling, or a whole consent."""
    if name in _READ or value is None:
        return False
    if "".join(filter(str.isalpha, name)).lower() in _PREFERENCES:
        return True
    right = CONSENT.right(name)
    if right in _ANSWERED:
        return denies_all(name, right, value)
    if right is None:
        return bare(name) in _GENERAL and has_denial(value)
    if right in STRINGS:  # `sp_consent` is no name of a string, and may be an answer.
        return "consent" in bare(name) and has_denial(value)
    return value not in _NOTHING and right in _STATEMENTS


def _is_own_form(consent: Mapping[str, Any]) -> bool:
    """Whether an object has answers and no member of a known name: the categories may stand in it directly."""
    return any(isinstance(value, bool) or has_denial(value) for value in consent.values()) and not any(
        name in _READ or ((right := CONSENT.right(name)) is not None and right not in BY_WORDS) for name in consent
    )


def _unread_fields(consent: object) -> list[str]:
    """The names of what the consent object of a call holds and nothing reads; an absent or null field is no fault."""
    if consent is None or consent == []:
        return []
    if not isinstance(consent, dict):
        return ["consent"]
    unread = _unread_parts("consent", [name for name in consent if name not in _READ])
    preferences = consent.get("categoryPreferences")
    if isinstance(preferences, dict):
        undecided = [name for name, value in preferences.items() if not isinstance(value, bool)]
        unread += _unread_parts("categories", undecided)
    elif preferences is not None:
        unread.append("categories")
    where, minor = consent.get("jurisdiction"), consent.get("minor")
    if where is not None and parse_region(where) is None:
        unread.append("jurisdiction")
    if minor is not None and not isinstance(minor, bool):
        unread.append("minor")
    return unread


def _unread_parts(field: str, names: list[str]) -> list[str]:
    """The names of parts after the name of their field; a part with an unusual name, or one of too many, has none."""
    parts = [f"{field}:{name}" if _NAME.fullmatch(name) else field for name in names[:MOST_NAMED]]
    return list(dict.fromkeys([*parts, field] if len(names) > MOST_NAMED else parts))


def _add_classes(signals: dict[str, TimedSignal], signal: Signal, suffix: str, time: Micros) -> None:
    """Add the statements on whole classes. Within a call a denial beats a grant, from the later of their times."""
    for name, granted in signal.stated.items():
        if signal.opt_out:
            if not granted:
                signals[OUT + name] = TimedSignal(value=False, time=time)
        elif signal.source != "gcm" or name not in google.PARTS:
            at = decided_at(signal.updated, granted=granted, time=time)
            before = signals.get(name + suffix, TimedSignal(granted, at))
            signals[name + suffix] = TimedSignal(before.value and granted, max(before.time, at))


def _add_denials(signals: dict[str, TimedSignal], read: Signals, suffix: str, time: Micros) -> None:
    """Add what signals in another place deny; such a signal never grants."""
    for each in read.found:
        denied = replace(
            each,
            stated={name: granted for name, granted in each.stated.items() if not granted},
            types={name: granted for name, granted in each.types.items() if not granted},
        )
        _add_classes(signals, denied, suffix, time)
        _add_parts(signals, denied, suffix, time)


def _add_parts(signals: dict[str, TimedSignal], signal: Signal, suffix: str, time: Micros) -> None:
    """Add the types of classes that have several. The denial of a class in the same call denies each of them."""
    for name, granted in signal.types.items():
        class_ = google.CLASSES.get(name)
        if class_ in google.PARTS:
            whole = signals.get(f"{class_}{suffix}", _GRANTED)
            signals[f"{PART}{name}{suffix}"] = TimedSignal(granted and whole.value, time)
