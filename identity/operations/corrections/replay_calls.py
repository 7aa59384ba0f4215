"""Reads profiles whole and replays their calls under other rules."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from identity.operations.corrections.load_connected_profiles import AnyType, linkable_keys, read_again
from identity.operations.corrections.unseal_profiles import UnsealedProfiles, unseal_profiles
from identity.planning.corrections.profile_snapshot import Evidence
from identity.planning.corrections.rebuild import (
    RebuiltProfiles,
    ReplayedEvent,
    ReplayedEvidence,
    StoredProfiles,
    rebuild,
)
from identity.planning.corrections.replay import Replay, ReplayConstraints, ReplayEntry
from identity.planning.corrections.rules_types import nameable_types
from identity.planning.resolution.planner_state import Sighting
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.stored_calls import split_keys, unpack_demoted
from identity.spaces.blind_indexes import older_keys
from identity.spaces.exclusive_transaction import SpaceReader
from identity.spaces.stored_call_identifiers import plain_call_keys
from identity.store.ingest import constraints
from identity.store.ingest.identifier_owners import owners as owners_of
from identity.store.postgres.keep_alive import kept_alive
from identity.store.profiles import evidence as evidence_queries
from identity.values.calls import ACTS, STORED_KINDS, Identifier
from identity.values.ids import BlindIndex, ProfileId, SetKey, new_profile_id
from identity.values.stamps import Stamp
from identity.vault.threads import in_analysis


class ReplayedProfiles:
    """Profiles as they are stored, and as the rules make them."""

    def __init__(
        self, opened: UnsealedProfiles, stored: StoredProfiles, rebuilt: RebuiltProfiles, log: list[ReplayEntry]
    ) -> None:
        self.opened = opened
        self.stored = stored
        self.rebuilt = rebuilt
        self.log = log


async def replay(view: SpaceReader, roots: Iterable[ProfileId], since: Stamp) -> ReplayedProfiles:
    """Replays these profiles, and all others that their calls name by now, under the rules of the reader.

    `since` is the stamp up to which the walk saw every call.
    """
    space, rules = view.space, view.rules
    wanted = set(roots)
    late = await evidence_queries.demoted_since(view.connection, space.tenant, since)
    while True:
        opened = await unseal_profiles(view, *sorted(wanted))
        await opened.open(opened.rows.keys())
        log = await _log(opened, rules)
        keys = {key for entry in log for key in (linkable_keys(entry.call) if entry.call is not None else entry.named)}
        events = _events(opened, rules)
        keys |= opened.snapshot.links.keys()
        keys |= {key for event in events.values() for key in event.keys}
        found = set((await owners_of(view.connection, space.tenant, sorted(keys))).values())
        for row in late:
            refused = {
                key
                for key, reason in unpack_demoted(row.demoted or b"", space.names.__getitem__)
                if reason != "blocked"
            }
            if not keys.isdisjoint((*split_keys(row.kept), *refused)):
                found.add(row.origin)
        if found <= opened.rows.keys():
            break
        wanted = opened.rows.keys() | found
    constraints = await _constraints(view, opened, log, keys)
    stored = _stored(opened, events)
    again = Replay(rules, constraints, new_profile_id)

    def run() -> RebuiltProfiles:
        again.run(log)
        return rebuild(stored, log, again, new_profile_id)

    # The calls of one group may take minutes to replay.
    async with kept_alive(view.connection):
        rebuilt = await in_analysis(run)
    return ReplayedProfiles(opened, stored, rebuilt, log)


async def _constraints(
    view: SpaceReader, opened: UnsealedProfiles, log: Iterable[ReplayEntry], keys: AbstractSet[BlindIndex]
) -> ReplayConstraints:
    """The removals, blocks and cuts of these identifiers, under every version of the index key."""
    space, oldest = view.space, view.lock_row.oldest
    older: dict[BlindIndex, BlindIndex] = {}
    if oldest < view.lock_row.newest:
        named = [Identifier(link.type, opened.value(key).decode()) for key, link in opened.snapshot.links.items()]
        for call in (entry.call for entry in log if entry.call is not None):
            previous = () if call.alias is None else (call.alias.user, call.alias.anonymous)
            named += [*call.identifiers, *(each for each in previous if each is not None)]
        older = older_keys(space.keys, named, oldest)
    named_keys = keys | older.keys()
    forgotten, blocked, cuts = await constraints.constraints(view.connection, space.tenant, sorted(named_keys))
    # A block whose row somebody deleted.
    blocked += [key for key in named_keys if key in space.recorded.blocked_keys]
    until: dict[BlindIndex, Stamp] = {}
    for key, stamp in forgotten.items():
        until[older.get(key, key)] = max(stamp, until.get(older.get(key, key), stamp))
    by_cut: dict[bytes, list[tuple[BlindIndex, int]]] = {}
    for key, cut, side in cuts:
        by_cut.setdefault(cut, []).append((older.get(key, key), side))
    return ReplayConstraints(until, frozenset(older.get(key, key) for key in blocked), by_cut)


async def _log(opened: UnsealedProfiles, rules: Rules) -> list[ReplayEntry]:
    """Every call and act at the origins in the order of the stamps, as these rules read them."""
    space = opened.exclusive.space
    log = [
        _entry(opened, origin, item, rules)
        for origin, content in opened.snapshot.contents.items()
        for item in content.evidence
    ]
    calls = [entry.call for entry in log if entry.call is not None]
    unknown = {i.type for call in calls for i in call.identifiers} - space.codes.keys()
    named = (nameable_types({i.type for i in call.identifiers} & unknown, call.source, rules) for call in calls)
    usable = await space.possible_types(set().union(*named)) | space.codes.keys()
    for call in calls:
        if any(identifier.type not in usable for identifier in call.identifiers):
            call.identifiers = [identifier for identifier in call.identifiers if identifier.type in usable]
    return sorted(log, key=lambda entry: entry.stamp)


def _entry(opened: UnsealedProfiles, origin: ProfileId, item: Evidence, rules: Rules) -> ReplayEntry:
    kept = item.call
    kind = STORED_KINDS[kept.kind]
    if kind == "unmerge":
        cut = kept.body["cut"]
        births = tuple(sorted(created for _, _, created in kept.body["twins"]))
        cut_id = None if cut is None else bytes.fromhex(cut)
        return ReplayEntry(
            stamp=item.stamp,
            origin=origin,
            stored=kept,
            call=None,
            named=frozenset(item.kept),
            cut=cut_id,
            births=births,
        )
    if kind in ACTS:
        return ReplayEntry(stamp=item.stamp, origin=origin, stored=kept)
    return ReplayEntry(
        stamp=item.stamp, origin=origin, stored=kept, call=read_again(opened.exclusive.space, kept, rules, AnyType())
    )


def _stored(opened: UnsealedProfiles, events: dict[Stamp, ReplayedEvent]) -> StoredProfiles:
    """The profiles as the database holds them."""
    space, snapshot = opened.exclusive.space, opened.snapshot
    evidence: dict[Stamp, ReplayedEvidence] = {}
    sightings: dict[tuple[ProfileId, SetKey], Sighting] = {}
    shown = {item.stamp: item.shown for content in snapshot.contents.values() for item in content.evidence}
    for origin, rows in opened.evidence.items():
        for row, _ in rows:
            demoted = list(unpack_demoted(row.demoted or b"", space.names.__getitem__))
            evidence[row.stamp] = ReplayedEvidence(origin, split_keys(row.kept), demoted, shown[row.stamp])
    for origin, content in snapshot.contents.items():
        sightings |= {(origin, set_): seen for set_, seen in content.sightings.items()}
    return StoredProfiles(
        profiles=snapshot.profiles,
        links=snapshot.links,
        documents=opened.documents,
        sightings=sightings,
        evidence=evidence,
        events=events,
    )


def _events(opened: UnsealedProfiles, rules: Rules) -> dict[Stamp, ReplayedEvent]:
    """The plain calls of the profiles.

    A plain call is not replayed, so it links nothing: an identifier that these rules read in its body counts only
    where the call had the identifier when it arrived.
    """
    space = opened.exclusive.space
    return {
        stamp: ReplayedEvent(
            origin, [key for key in plain_call_keys(space, call, rules) if key in opened.event_keys[stamp]]
        )
        for origin, packed in opened.events.items()
        for _, stamp, call in packed
    }
