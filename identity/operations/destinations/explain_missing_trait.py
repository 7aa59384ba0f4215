"""Why a destination has or lacks a trait of a person: reads the facts that `gap_explanation` judges.

For administrators only, and every question is in the ledger: an answer about an identifier that leads
nowhere must not become an oracle of erased people.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from identity.operations.destinations.destination_rows import find_destination
from identity.operations.destinations.destination_scope import (
    Scope,
    field_set,
    open_scope,
    past_disclosures,
    visible_part,
)
from identity.operations.profiles.find_profile import MOST_DOCUMENTS
from identity.operations.profiles.profile import OpenedProfile
from identity.operations.profiles.recorded_withdrawals import add_recorded_withdrawals
from identity.planning.consent.permission import Permission
from identity.planning.destinations.feed_pages import unpack
from identity.planning.destinations.gap_explanation import (
    Facts,
    GateResult,
    Standing,
    TraitEntry,
    gates,
    standing,
    stopped_at,
    verdicts,
)
from identity.planning.destinations.policy import Visible
from identity.planning.resolution.claimed_identifiers import named, read
from identity.planning.resolution.fold_documents import surviving
from identity.planning.resolution.stored_calls import unpack_demoted
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.named_identifiers import fault_of, known_types, unknown_type
from identity.spaces.space import Space
from identity.store.destinations import deliveries, feed, unknown_identifiers
from identity.store.profiles import profile_queries
from identity.values.errors import BadIdentifier, DestinationNotFound
from identity.values.identifiers import usable_type
from identity.values.ids import BlindIndex, DestinationId, ProfileId, public
from identity.values.stamps import Micros, wall_time
from identity.values.unknown_names import UnknownType

MOST_ENTRIES = 20_000


class MissingTrait(Struct, frozen=True):
    """The gates between a trait and a destination, in order; `stopped_at` names the first that did not pass.

    `profile` is the canonical id of the person, None where the identifier leads nowhere.
    """

    destination: DestinationId
    trait: str
    profile: ProfileId | None
    stopped_at: str | None
    gates: list[GateResult]


@retry_on_key_rotation
async def explain_missing_trait(space: Space, name: str, ref: str, trait: str) -> MissingTrait:
    """The gates between a trait of the person behind a `type:value` and a destination, by name.

    DestinationNotFound; BadIdentifier where the reference is no `type:value`; TooMuch.
    """
    row = await find_destination(space, name)
    if row is None:
        raise DestinationNotFound
    scope = await open_scope(space, public("dst", row.public_id))
    facts, opened = await _facts(space, scope, ref, trait)
    judged = gates(facts)
    return MissingTrait(
        destination=scope.public_id,
        trait=trait,
        profile=None if opened is None else opened.id,
        stopped_at=stopped_at(judged),
        gates=judged,
    )


async def _facts(space: Space, scope: Scope, ref: str, trait: str) -> tuple[Facts, OpenedProfile | None]:
    type_, colon, text = ref.partition(":")
    type_ = type_.lower()
    rules = await space.rules()
    if not colon or not usable_type(type_):
        raise BadIdentifier(f"identifier {fault_of(ref, rules.region)}.")
    types = await known_types(space)
    if type_ not in types:
        raise UnknownType(f"identifier: {unknown_type(ref, types)}")
    asked = read(type_, text, rules)
    identifier = named(asked)
    unmet = verdicts(scope.entitled, Permission({}, (), scope.purposes, _now()), None)
    facts = Facts(trait=trait, entitled=scope.entitled, verdicts=unmet)
    if identifier is None:
        return msgspec.structs.replace(facts, usable=False), None
    async with space.database.reading() as connection:
        newest, keys = space.keys.versions.newest, space.keys.identifiers(type_, identifier.value)
        suppression = space.keys.suppression(type_, identifier.value)
        known = await unknown_identifiers.look_up(connection, space.tenant, keys, suppression)
        found = await profile_queries.by_keys(connection, space.tenant, [keys], MOST_DOCUMENTS + 1, newest)
    facts = msgspec.structs.replace(
        facts,
        suppressed=known.suppressed,
        erased=known.erased,
        blocked=asked is not identifier or known.blocked,
        # An erasure removes the identifier as well, and has a fact of its own.
        removed=known.removed and not (known.suppressed or known.erased),
        demoted=await _demoted(space, keys, known.demoted),
        refusals=known.refusals,
    )
    if 0 not in found.roots:
        return facts, None
    opened = OpenedProfile(space, found.roots[0], found.origins, found.identifiers)
    return await _linked(space, scope, facts, opened, keys), opened


async def _linked(space: Space, scope: Scope, facts: Facts, opened: OpenedProfile, keys: Sequence[BlindIndex]) -> Facts:
    """The facts of a person with a profile."""
    held = next(each for each in opened.identifiers if each.key in keys)
    entry = surviving(opened.documents).get(facts.trait)
    counted = None
    if entry is not None:
        origin, stamped = entry
        call = (await opened.calls([(origin, stamped[2])])).get((origin, stamped[2]))
        counted = TraitEntry(stamped[0] is not None, stamped[1], None if call is None else call.message_id, origin)
    await add_recorded_withdrawals(space, [opened])
    view = await visible_part(scope, opened)
    before = await past_disclosures(space, scope, [origin.id for origin in opened.origins])
    recorded = {(row.origin, row.fields) for row in before}
    reached, sent = await _standing(space, scope, opened)
    return msgspec.structs.replace(
        facts,
        first_seen=held.first_seen,
        retired=held.retired,
        origin=held.origin,
        canonical=opened.root.canonical,
        origins=len(opened.origins),
        entry=counted,
        verdicts=facts.verdicts
        if counted is None
        else verdicts(scope.entitled, scope.permission(opened, _now()), counted.origin),
        standing=reached,
        sent=sent,
        disclosed=counted is not None and _disclosed(space, view, counted.origin, recorded),
        person_disclosed=bool(before),
    )


async def _standing(space: Space, scope: Scope, opened: OpenedProfile) -> tuple[Standing, bool]:
    """The standing of the profile by the acknowledged position, and whether the pushed position settles it."""
    ids = [origin.id for origin in opened.origins]
    found: list[Standing] = []
    async with space.database.reading() as connection:
        delivery = await deliveries.get(connection, space.tenant, scope.id)
        lanes = {lane.lane: (lane.base, lane.seq) for lane in await feed.lanes(connection, space.tenant)}
        for packed_position in (delivery.acked, delivery.pushed):
            position = None if packed_position is None else unpack(packed_position)
            about = None
            if position is not None:
                read_lanes = {lane: position.lanes.get(lane, 0) for lane in lanes}
                about = await feed.mentions(connection, space.tenant, read_lanes, ids, MOST_ENTRIES)
            versions = (scope.version, scope.purposes.version)
            found.append(standing(position, versions, lanes, opened.root.canonical, about))
    return found[0], found[1] == "settled"


def _disclosed(space: Space, view: Visible, origin: ProfileId, recorded: set[tuple[ProfileId, bytes]]) -> bool:
    """Whether the visible fields of an origin are recorded as disclosed."""
    names = view.fields.get(origin)
    return names is not None and (origin, field_set(space, names)) in recorded


async def _demoted(space: Space, keys: Sequence[BlindIndex], packed: bytes | None) -> str | None:
    """Why a call arrived without the identifier."""
    if packed is None:
        return None
    names = await space.read_types()
    return next((why for each, why in unpack_demoted(packed, names.__getitem__) if each in keys), None)


def _now() -> Micros:
    return wall_time()
