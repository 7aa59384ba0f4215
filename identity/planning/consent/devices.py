"""Keeps what public keys state on consent apart by device, so that no device speaks for another one.

A document holds the statements of each device by a tag. In a space that trusts public keys they count as one. Else each
device is a side of its own: its denials count for the person, its grants for the origin that it created alone, and they
lift nothing but its own denials. A device that a call attached to the profile of somebody else created no origin there,
so it grants nothing. A call without a device may come from anybody: it grants nothing and lifts nothing. Statements of
server-side keys, and those with an identity token, count for the person.
"""

from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from typing import Any, Final

from msgspec import Struct

from identity.planning.consent.fold import Meeting
from identity.planning.consent.regions import UNREADABLE
from identity.planning.consent.statements import OUT
from identity.values.documents import MAX_SIZE, MINOR, SERVER, STATED, DeviceStatements, Document, Stamped, TimedSignal
from identity.values.ids import ProfileId
from identity.values.placeholders.placeholder_values import is_placeholder
from identity.values.plain_text import UnusableValue, plain
from identity.values.stamps import Stamp

NO_DEVICE: Final = ""
"""The tag of public calls that name no device, where all devices count as one."""
KEPT: Final = "!"
"""The tag of the same calls where each device is a side of its own: their strictest statements count for good."""
OTHERS: Final = "*"
"""The tag of all further devices of a full document: their strictest statements count for good."""
MOST_DEVICES: Final = 20


Choice = Callable[[str, Stamped, Stamped], Stamped]
"""Which of two entries of one name stays."""


class ConsentSides(Struct, frozen=True):
    """The statements of a profile by side: by origin, and by device under an id that no origin has.

    `homes` maps the id of a device to the origin that the device created, None without one.
    """

    documents: Mapping[ProfileId, Document]
    meetings: list[Meeting]
    homes: Mapping[ProfileId, ProfileId | None]


def device_tag(value: str) -> str:
    """The tag of a device by the normalised value of its identifier."""
    return blake2b(value.encode(), digest_size=8).hexdigest()


def device_of(body: Mapping[str, Any]) -> str:
    """The tag of the device that a call names: its anonymous id, else the id of the device."""
    context = body.get("context")
    device = context.get("device") if isinstance(context, dict) else None
    for value in (body.get("anonymousId"), device.get("id") if isinstance(device, dict) else None):
        if value is None:
            continue
        try:
            text = plain(value)
        except UnusableValue:
            continue
        if text and not is_placeholder(text):
            return device_tag(text)
    return NO_DEVICE


def of_person(signals: Mapping[str, TimedSignal]) -> dict[str, TimedSignal]:
    """The signals of a call with an identity token, which count for the person as those of a server-side key do."""
    return {name + SERVER if _is_of_device(name) else name: each for name, each in signals.items()}


def as_one(documents: Mapping[ProfileId, Document]) -> Mapping[ProfileId, Document]:
    """The documents with the statements of all devices of an origin as those of one."""
    return {origin: _united(document) if document.devices else document for origin, document in documents.items()}


def by_side(
    documents: Mapping[ProfileId, Document], meetings: Iterable[Meeting], homes: Mapping[str, ProfileId]
) -> ConsentSides:
    """The statements of a profile by origin and device; `homes` maps the tag of a device to the origin it created.

    What an older release stored of public keys has no device, so its grants count again after a rebuild.
    """
    sides: dict[ProfileId, Document] = {}
    met, owners = list(meetings), dict[ProfileId, ProfileId | None]()
    for origin, document in documents.items():
        sides[origin] = Document(
            server_decisions=document.server_decisions,
            signals={name: entry for name, entry in document.signals.items() if not _is_of_device(name)},
        )
        for tag, stated in _sides(document).items():
            side = side_of(origin, tag)
            sides[side] = Document(consent=stated.consent, signals=stated.signals)
            met.append(Meeting(Stamp(0), side, origin))
            owners[side] = homes.get(tag)
    return ConsentSides(sides, met, owners)


def side_of(origin: ProfileId, tag: str) -> ProfileId:
    """The id of a device as a side of an origin."""
    return ProfileId(blake2b(origin + tag.encode(), digest_size=16).digest())


def _is_of_device(name: str) -> bool:
    """Whether a signal that has no device is one of public calls alone; an opt-out has no side."""
    return name != MINOR and not name.endswith(SERVER) and not name.startswith(OUT)


def _sides(document: Document) -> dict[str, DeviceStatements]:
    """The statements of each side by tag; those of an older release are without a device."""
    sides: dict[str, DeviceStatements] = {}
    for tag, stated in document.devices.items():
        if tag in (KEPT, OTHERS):
            sides |= _by_name(tag, stated)
        elif tag != NO_DEVICE:
            sides[tag] = stated
    signals = {name: entry for name, entry in document.signals.items() if _is_of_device(name)}
    if document.consent or signals:
        sides |= _by_name(NO_DEVICE, DeviceStatements(document.consent, signals))
    return sides


def _by_name(tag: str, stated: DeviceStatements) -> dict[str, DeviceStatements]:
    """A side for each signal of unknown devices: one may not lift by its statement what another one denied."""
    whole = {name: entry for name, entry in stated.signals.items() if name == STATED}
    each = {
        f"{tag}{name}": DeviceStatements({}, {name: entry}) for name, entry in stated.signals.items() if name != STATED
    }
    return {tag: DeviceStatements(stated.consent, whole), **each}


def _united(document: Document) -> Document:
    consent, signals = dict(document.consent), dict(document.signals)
    for stated in (each for tag, each in document.devices.items() if tag != KEPT):
        for name, entry in stated.consent.items():
            consent[name] = newest_decision(name, consent[name], entry) if name in consent else entry
        for name, entry in stated.signals.items():
            signals[name] = newest_statement(name, signals[name], entry) if name in signals else entry
    return Document(
        traits=document.traits,
        consent=consent,
        groups=document.groups,
        size=document.size,
        server_decisions=document.server_decisions,
        signals=signals,
        server_traits=document.server_traits,
        orders=document.orders,
    )


def device_statements(document: Document, device: str, newest: Choice) -> list[tuple[DeviceStatements, Choice]]:
    """Where the statements of a device go in a document, and which of two entries stays there.

    A document without room has one place for all further devices, where the strictest entries stay.
    """
    full = len(document.devices) >= MOST_DEVICES or document.size > MAX_SIZE
    tag = OTHERS if full and device not in document.devices else device
    places = {tag: strictest if tag == OTHERS else newest}
    if device == NO_DEVICE:
        places[KEPT] = strictest
    return [(document.devices.setdefault(each, DeviceStatements()), choose) for each, choose in places.items()]


def newest_decision(_: str, before: Stamped, entry: Stamped) -> Stamped:
    """The later decision; of one moment a denial wins."""
    return max(before, entry, key=lambda each: (each[1], not each[0], each[2]))


def newest_statement(name: str, before: Stamped, entry: Stamped) -> Stamped:
    """The later entry, and of one moment the strictest, so that the order of arrival changes nothing."""
    if entry[1] != before[1]:
        return entry if entry[1:] > before[1:] else before
    if isinstance(entry[0], list):
        both = [each for each in before[0] if each in entry[0]]
        return (both, entry[1], max(before[2], entry[2])) if both != before[0] else before
    if isinstance(entry[0], str):
        return max(before, entry, key=lambda each: each[0])
    strict = name == MINOR
    return max(before, entry, key=lambda each: (each[0] is strict, each[2]))


def strictest(_: str, before: Stamped, entry: Stamped) -> Stamped:
    """The strictest of both, whatever their times: for devices that have no place of their own."""
    if isinstance(entry[0], list):
        value: Any = [each for each in before[0] if each in entry[0]]
    elif isinstance(entry[0], str):
        value = before[0] if before[0] == entry[0] else UNREADABLE
    else:
        value = bool(before[0]) and bool(entry[0])
    both = (value, max(before[1], entry[1]), max(before[2], entry[2]))
    return before if both == before else both
