"""Folds the traits, decisions, memberships and signals of calls into documents, key by key.

The entry with the greatest (event time, stamp) wins. If the rules give a trait another survivorship, the document names
its order, so that a read needs no rules. The fold is commutative, associative and idempotent, so neither the order of
arrival nor the order of origins changes its result. Null leaves a tombstone, so that no late older value returns.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from identity.planning.consent.devices import Choice, device_statements, newest_decision, newest_statement
from identity.planning.resolution.rules.trait_rules import NEWEST, TraitRules, survives
from identity.values.documents import (
    MINOR,
    DeviceStatements,
    Document,
    Order,
    Stamped,
    TimedSignal,
    cost,
    has_room,
)
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp


def newer(entry: Stamped, than: Stamped | None) -> bool:
    """Whether an entry replaces another one."""
    return than is None or entry[1:] > than[1:]


class FoldResult(NamedTuple):
    """The result of folding a call into a document: stored (newer than before), visible to readers, refused.

    `refused` are the names without room in a full document, `waiting` those of protected traits that a server key has
    set to another value.
    """

    stored: bool = False
    visible: bool = False
    refused: list[str] = []  # noqa: RUF012 (never changed in place)
    waiting: list[str] = []  # noqa: RUF012 (never changed in place)

    def __or__(self, other: "FoldResult") -> "FoldResult":
        """The results of two folds of one call as one."""
        return FoldResult(
            stored=self.stored or other.stored,
            visible=self.visible or other.visible,
            refused=list(dict.fromkeys([*self.refused, *other.refused])),
            waiting=[*self.waiting, *other.waiting],
        )


def merge_traits(
    document: Document,
    values: Mapping[str, Any],
    time: Micros,
    stamp: Stamp,
    rules: TraitRules = NEWEST,
    *,
    server: bool = False,
    proven: Collection[str] = (),
) -> FoldResult:
    """Fold in the traits of one call; a present key may change also in a full document.

    A public value of a protected trait that a server has set waits: no reader sees it. `proven` traits are not public.
    """
    stored = visible = False
    refused, waiting = [], []
    for name, value in values.items():
        sure, rule = server or name in proven, rules.of(name)
        traits, order, hidden = document.traits, None, False
        if rule is not None:
            order, fixed = rule.order, None if sure else rule.fixed(document, name)
            traits = document.server_traits if rule.apart and sure else traits
            hidden = fixed is not None
            if hidden and rule.protected and fixed != value:
                waiting.append(name)
        entry = (value, time, stamp)
        before = traits.get(name)
        if before is not None:
            if not survives(entry, before, order):
                continue
            if type(value) is not str or value != before[0]:  # deep inside, True equals 1 and is longer
                document.size += cost(name, value) - cost(name, before[0])
            visible |= not hidden and (value != before[0] or type(value) is not type(before[0]))
        elif not has_room(document, size := cost(name, value), server=sure):
            refused.append(name)
            continue
        else:
            document.size += size
            visible |= not hidden and (value is not None or name in document.traits)
        traits[name] = entry
        if order is not None or document.orders:
            document.note_order(name, order)
        stored = True
    return FoldResult(stored, visible, refused, waiting)


def merge_decisions(
    document: Document,
    decisions: Mapping[str, bool],
    time: Micros,
    stamp: Stamp,
    *,
    server: bool = False,
    device: str | None = None,
) -> FoldResult:
    """Fold in the consent decisions of one call; `device` is the tag of a public one.

    A denial by a server-side or privacy key always finds room, since it may be the only decision of its call.
    """
    own = document.server_decisions if server else document.consent
    places: list[tuple[dict[str, Stamped], Choice]] = [(own, newest_decision)]
    if device is not None and not server:
        places = [(each.consent, choose) for each, choose in device_statements(document, device, newest_decision)]
    sure, result = False if server else None, FoldResult()
    for into, choose in places:
        result |= _fold_in(document, into, decisions.items(), time, stamp, choose, spare=True, server=server, sure=sure)
    # A repeated decision may resolve a conflict with another origin.
    return result._replace(visible=result.stored)


def merge_membership(
    document: Document, group: str, time: Micros, stamp: Stamp, *, member: bool = True, server: bool = False
) -> FoldResult:
    """Fold in a membership. A departure always finds room, so it is never lost; one by a server has room of its own."""
    named = [(group, member)]
    return _fold_in(document, document.groups, named, time, stamp, _latest, always=not member, server=server)


def merge_signals(
    document: Document, signals: Mapping[str, TimedSignal], stamp: Stamp, *, device: str | None = None
) -> FoldResult:
    """Fold in the statements of one call on classes of purposes; their names are few and always find room.

    `device` is the tag of a public call. That the person is a minor is a statement about the person, not the device.
    """
    result = FoldResult()
    for name, (value, time) in signals.items():
        places: list[tuple[dict[str, Stamped], Choice]] = [(document.signals, newest_statement)]
        if device is not None and name != MINOR:
            places = [(each.signals, choose) for each, choose in device_statements(document, device, newest_statement)]
        for into, choose in places:
            result |= _fold_in(document, into, [(name, value)], time, stamp, choose, always=True)
    return result._replace(visible=result.stored)


def _fold_in(
    document: Document,
    into: dict[str, Stamped],
    values: Iterable[tuple[str, Any]],
    time: Micros,
    stamp: Stamp,
    choose: Callable[[str, Stamped, Stamped], Stamped],
    *,
    always: bool = False,
    spare: bool = False,
    server: bool = False,
    sure: bool | None = None,
) -> FoldResult:
    """Fold in named values; `choose` makes one entry of the present and the new one.

    In a full document there is room for every value with `always`, and else only for a value that is `sure`: the denial
    of a server key, which no flood of other values may keep out.
    """
    stored = visible = False
    refused = []
    for name, value in values:
        before, entry = into.get(name), (value, time, stamp)
        if before is None:
            size = cost(name, value)
            if not always and value is not sure and not has_room(document, size, spare=spare, server=server):
                refused.append(name)
                continue
            document.size += size
        else:
            entry = choose(name, before, entry)
            if entry is before:
                continue
            document.size += cost(name, entry[0]) - cost(name, before[0])
        visible |= before is None or entry[0] != before[0]
        into[name] = entry
        stored = True
    return FoldResult(stored, visible, refused)


def _latest(_: str, before: Stamped, entry: Stamped) -> Stamped:
    return entry if newer(entry, before) else before


def newest_stamp(document: Document) -> Stamp:
    """The greatest stamp of the traits in the document of a group; 0 without traits."""
    return max((stamp for _, _, stamp in document.traits.values()), default=Stamp(0))


def fold(documents: Iterable[Mapping[str, Stamped]]) -> dict[str, Stamped]:
    """The memberships of a profile, from the entries of its origins."""
    return _fold_by({}, documents)


def fold_traits(documents: Iterable[Document]) -> dict[str, Stamped]:
    """The traits of a profile, from the documents of its origins, tombstones included.

    A value of a server key that stands apart comes before the others; its tombstone hides older ones. A trait with
    several orders, since the rules changed between the calls of its origins, follows the last by name.
    """
    documents = list(documents)
    orders: dict[str, Order] = {}
    for document in documents:
        for name, order in document.orders.items():
            orders[name] = max(orders.get(name, order), order)
    folded = _fold_by(orders, (document.traits for document in documents))
    for name, entry in _fold_by(orders, (document.server_traits for document in documents)).items():
        if entry[0] is not None or newer(entry, folded.get(name)):
            folded[name] = entry
    return folded


def surviving(documents: Mapping[ProfileId, Document]) -> dict[str, tuple[ProfileId, Stamped]]:
    """The trait entries that a reader sees, each with its origin, tombstones included."""
    folded = fold_traits(documents.values())
    return {
        name: (origin, entry)
        for origin, document in documents.items()
        for entries in (document.traits, document.server_traits)
        for name, entry in entries.items()
        if folded[name] == entry
    }


def _fold_by(orders: Mapping[str, Order], documents: Iterable[Mapping[str, Stamped]]) -> dict[str, Stamped]:
    folded: dict[str, Stamped] = {}
    for entries in documents:
        for name, entry in entries.items():
            if survives(entry, folded.get(name), orders.get(name) if orders else None):
                folded[name] = entry
    return folded


def present(folded: Mapping[str, Stamped]) -> dict[str, Any]:
    """The values without tombstones, as a reader sees them."""
    return {name: value for name, (value, _, _) in folded.items() if value is not None}


def members(folded: Mapping[str, Stamped]) -> list[str]:
    """The groups a reader sees, sorted."""
    return sorted(name for name, (value, _, _) in folded.items() if value)


class _PackedDocument(msgspec.Struct, array_like=True):
    traits: dict[str, Stamped]
    consent: dict[str, Stamped]
    groups: dict[str, Stamped]
    size: int
    server_decisions: dict[str, Stamped] = {}
    signals: dict[str, Stamped] = {}
    server_traits: dict[str, Stamped] = {}
    orders: dict[str, Order] = {}
    devices: dict[str, tuple[dict[str, Stamped], dict[str, Stamped]]] = {}


_packer = msgspec.msgpack.Encoder()
_unpacker = msgspec.msgpack.Decoder(_PackedDocument)


def pack(document: Document) -> bytes:
    """The bytes of a document, ready to seal."""
    return _packer.encode(
        _PackedDocument(
            traits=document.traits,
            consent=document.consent,
            groups=document.groups,
            size=document.size,
            server_decisions=document.server_decisions,
            signals=document.signals,
            server_traits=document.server_traits,
            orders=document.orders,
            devices={tag: (stated.consent, stated.signals) for tag, stated in document.devices.items()},
        )
    )


def unpack(raw: bytes) -> Document:
    """The inverse of `pack`."""
    packed = _unpacker.decode(raw)
    return Document(
        traits=packed.traits,
        consent=packed.consent,
        groups=packed.groups,
        size=packed.size,
        server_decisions=packed.server_decisions,
        signals=packed.signals,
        server_traits=packed.server_traits,
        orders=packed.orders,
        devices={tag: DeviceStatements(*stated) for tag, stated in packed.devices.items()},
    )
