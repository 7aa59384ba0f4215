"""Rebuild: applies the rules in force to all stored calls, group by group, during ingest.

Each group of profiles is replayed and written in one transaction under the space lock, so a reader sees the group
before or after the rebuild. A group that already is as the rules make it is not touched, so an interrupted rebuild
starts over. If the index key is rotated meanwhile, the rebuild starts over too, once everything is rekeyed.
"""

from msgspec import Struct

from identity.operations.corrections.load_connected_profiles import Batch, Progress, load_connected_profiles
from identity.operations.corrections.replay_calls import ReplayedProfiles, replay
from identity.operations.corrections.reseal_origin import OriginResealer
from identity.planning.corrections.rebuild import DORMANT
from identity.planning.privacy.hold_refusals import UnderHold
from identity.planning.resolution.counters import counted
from identity.planning.resolution.plan import FeedChange
from identity.planning.resolution.planner_state import Profile
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.stored_calls import StoredCall, pack_demoted
from identity.spaces.exclusive_transaction import ExclusiveSpace, SpaceChange, SpaceReader, run_exclusive_with
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.origin_rows import to_row
from identity.spaces.rekey_space import finish_rotation
from identity.spaces.space import Space
from identity.store.ingest.write import Writes
from identity.store.postgres import rows, space_lock
from identity.store.postgres.snapshot import begin_long_snapshot
from identity.store.postgres.writer_connection import WriterConnection
from identity.store.privacy import holds
from identity.store.privacy.erase import profiles_on_hold
from identity.values.documents import Document
from identity.values.enums import FeedOperation, HistoryKind
from identity.values.ids import ProfileId
from identity.values.stamps import Stamp


class RebuildResult(Struct, frozen=True):
    """How many profiles a rebuild changed, and under which version of the rules."""

    profiles_changed: int
    rules_version: int


class _NewTypes(Exception):
    """The rules link identifiers of types that have no number yet; the argument has all types of the profiles."""


async def rebuild_space(space: Space, source: int, progress: Progress) -> RebuildResult:
    """Rebuilds all profiles of a space. `source` is the number of an API key."""
    writer = WriterConnection(space.database)
    try:
        while True:
            await finish_rotation(space)
            rules = await space.rules()
            changed = await _rebuild_all(writer, space, rules, source, progress)
            if changed is not None:
                return RebuildResult(profiles_changed=changed, rules_version=rules.version)
    finally:
        await writer.close()


async def _rebuild_all(
    writer: WriterConnection, space: Space, rules: Rules, source: int, progress: Progress
) -> int | None:
    """One walk through the space; None if other rules or another index key came into force meanwhile."""
    newest = space.keys.versions.newest
    found = await load_connected_profiles(space, rules, progress)
    done, total, changed = 0, found.profiles, 0
    for batch in found.batches():
        await progress(done, total)
        done += len(batch.roots)
        if await _settled(space, rules, batch.roots, found.since):
            continue
        more = await _rebuild(writer, space, batch, found.since, (rules.version, newest, newest), source)
        if more is None:
            return None
        changed += more
    await progress(total, total)
    return changed


@retry_on_key_rotation
async def _settled(space: Space, rules: Rules, roots: list[ProfileId], since: Stamp) -> bool:
    """Whether profiles are as the rules make them, read without holding up a writer.

    Later calls are planned under these rules, so the answer stays true.
    """
    async with space.database.transaction() as connection:
        await begin_long_snapshot(connection)
        lock_row = await space_lock.read(connection, space.tenant.id)
        if (
            lock_row.rules_version != rules.version
            or lock_row.versions != space.keys.versions
            or lock_row.live < lock_row.newest
        ):
            return False
        replayed = await replay(SpaceReader(space, connection, lock_row, rules), roots, since)
    return not replayed.rebuilt.changed and not _moved(replayed)


async def _rebuild(
    writer: WriterConnection,
    space: Space,
    batch: Batch,
    since: Stamp,
    under: tuple[int, int, int],
    source: int,
) -> int | None:
    """How many profiles changed, in one transaction; None if other rules or index keys are in force.

    A group that a hold covers stays as it is until a later rebuild; the others then have a transaction each.
    """

    async def decide(exclusive: ExclusiveSpace) -> SpaceChange[int | None]:
        if (exclusive.rules.version, exclusive.lock_row.newest, exclusive.lock_row.live) != under:
            return SpaceChange(None)
        await require_unheld(exclusive, batch.roots)
        replayed = await replay(exclusive, batch.roots, since)
        await require_unheld(exclusive, sorted(replayed.stored.profiles.keys() - set(batch.roots)))
        types = {gained.identifier.type for gained in replayed.rebuilt.links.values()}
        if not types <= space.codes.keys():
            raise _NewTypes(types)
        return await rebuilt_rows(exclusive, replayed, source)

    try:
        return await run_exclusive_with(writer, space, (), decide)
    except _NewTypes as new:
        # A type gets its number in a transaction of its own, which shares the space lock.
        await space.ensure_types(new.args[0])
        return await _rebuild(writer, space, batch, since, under, source)
    except UnderHold:
        alone = [Batch([group]) for group in batch.groups if len(batch.groups) > 1]
    changed = [await _rebuild(writer, space, each, since, under, source) for each in alone]
    return None if None in changed else sum(each or 0 for each in changed)


async def require_unheld(exclusive: ExclusiveSpace, profiles: list[ProfileId]) -> None:
    """UnderHold if a hold covers one of these profiles, or an erasure of one waits for a hold."""
    connection, tenant = exclusive.connection, exclusive.space.tenant
    if await holds.held_profiles(connection, tenant, profiles) or await profiles_on_hold(connection, tenant, profiles):
        raise UnderHold


async def rebuilt_rows(exclusive: ExclusiveSpace, replayed: ReplayedProfiles, source: int) -> SpaceChange[int | None]:
    """The rows to write, if anything changed."""
    opened, stored, rebuilt = replayed.opened, replayed.stored, replayed.rebuilt
    moved = _moved(replayed)
    roots = {rebuilt.profiles[id_].root for id_ in rebuilt.changed} | {p.root for p in moved}
    if not roots and not rebuilt.changed:
        return SpaceChange(0)
    stamp = exclusive.stamps(max(exclusive.lock_row.stamp, *(p.stamp for p in stored.profiles.values())))
    version = 1 + max(profile.version for profile in stored.profiles.values())
    for root in roots - {DORMANT}:
        rebuilt.profiles[root].version = version
    writes = Writes(lock_stamp=stamp, lane=exclusive.lane)
    codes = exclusive.space.codes
    for id_, profile in rebuilt.profiles.items():
        before = opened.rows.get(id_)
        if before is None or profile.root in roots or _differs(stored.profiles.get(id_), profile):
            profile.stamp = stamp
            row = to_row(profile, codes)
            if before is None:
                writes.new_origins.append(row)
            else:
                writes.touched.append((row, before.stamp))
    resealer = OriginResealer(opened, await exclusive.new_subject_keys(), writes)
    _fill(exclusive, replayed, resealer)
    for root in sorted(roots - {DORMANT}):
        line = rows.HistoryRow(
            origin=root,
            stamp=stamp,
            seq=0,
            kind=HistoryKind.REBUILT,
            other=None,
            keys=b"",
            rules_version=exclusive.rules.version,
            source=source,
        )
        resealer.history(root, line)
    writes.changes = [
        rows.ChangeRow(op=c.op, version=c.version, stamp=c.stamp, profile=c.profile, other=c.other)
        for c in _changes(replayed, roots, stamp)
    ]
    resealer.finish()
    return SpaceChange(len(roots - {DORMANT}), writes)


def _moved(replayed: ReplayedProfiles) -> list[Profile]:
    """The origins whose row changes."""
    stored = replayed.stored.profiles
    return [p for id_, p in replayed.rebuilt.profiles.items() if _differs(stored.get(id_), p)]


def _differs(before: Profile | None, after: Profile) -> bool:
    """Whether the row of an origin changes, apart from what is stored under it."""
    if before is None or before.own is not after.own:
        return True
    fields = ("root", "created", "events", "joined_to", "joined_at")
    if any(getattr(before, field) != getattr(after, field) for field in fields):
        return True
    if after.root != after.id:
        return False
    if (before.canonical, before.oldest_birth) != (after.canonical, after.oldest_birth):
        return True
    one, other = before.folded, after.folded
    return (counted(one), one.origins, one.cuts) != (counted(other), other.origins, other.cuts)


def _fill(exclusive: ExclusiveSpace, replayed: ReplayedProfiles, resealer: OriginResealer) -> None:
    """Seals everything of the origins whose content changes."""
    rebuilt = replayed.rebuilt
    codes, changed = exclusive.space.codes, rebuilt.changed
    resealer.lift(changed & replayed.opened.rows.keys())
    for id_ in sorted(changed):
        resealer.subject(id_)
        resealer.document(id_, rebuilt.documents.get(id_, Document()))
    for key, gained in rebuilt.links.items():
        if gained.origin in changed:
            identifier = gained.identifier
            seen = (gained.linked_at, gained.first_seen, gained.last_seen)
            link = rows.LinkRow(codes[identifier.type], gained.retired, gained.source, *seen)
            resealer.identifier(gained.origin, key, identifier.value.encode(), link)
    for (id_, set_), again in rebuilt.sightings.items():
        if id_ in changed:
            resealer.sighting(id_, set_, again)
    _fill_calls(exclusive, replayed, resealer)
    _fill_history(replayed, resealer)


def _fill_calls(exclusive: ExclusiveSpace, replayed: ReplayedProfiles, resealer: OriginResealer) -> None:
    """Seals the calls with the identifiers that they keep and demote under the rules, at their new origins."""
    opened, rebuilt = replayed.opened, replayed.rebuilt
    codes, version = exclusive.space.codes, exclusive.rules.version
    acts = {entry.stamp for entry in replayed.log if entry.call is None}
    moved: set[tuple[ProfileId, ProfileId]] = set()
    for sealed_rows in opened.evidence.values():
        for row, plain in sealed_rows:
            now = rebuilt.evidence[row.stamp]
            kept = row
            if row.stamp not in acts:
                demoted = pack_demoted(now.demoted, codes) if now.demoted else None
                kept = row._replace(kept=b"".join(now.kept), demoted=demoted, rules_version=version)
            if now.origin in rebuilt.changed:
                resealer.evidence(now.origin, kept, plain)
                if now.origin != row.origin:
                    moved.add((row.origin, now.origin))
    packed: dict[tuple[ProfileId, ProfileId, Stamp], list[tuple[Stamp, StoredCall]]] = {}
    for origin, calls in opened.events.items():
        for at, stamp, call in calls:
            packed.setdefault((rebuilt.events[stamp], origin, at), []).append((stamp, call))
    for (id_, _, _), together in packed.items():
        if id_ in rebuilt.changed:
            resealer.events(id_, together)
    resealer.writes.inherits = sorted(moved)


def _fill_history(replayed: ReplayedProfiles, resealer: OriginResealer) -> None:
    """Moves each line of history to the origin of its call."""
    rebuilt, lay = replayed.rebuilt, replayed.stored.evidence
    for origin, lines in replayed.opened.history.items():
        for line in lines:
            before = lay.get(line.stamp)
            follows = before is not None and before.origin == origin
            to = rebuilt.evidence[line.stamp].origin if follows else origin
            if to in rebuilt.changed:
                resealer.history(to, line)


def _changes(replayed: ReplayedProfiles, roots: set[ProfileId], stamp: Stamp) -> list[FeedChange]:
    """The changes of the feed: ids that are gone, ids that are new and the profiles they left, and updates."""
    before, after = replayed.stored.profiles, replayed.rebuilt.profiles
    was = {p.canonical for p in before.values() if p.root == p.id}
    now = {p.canonical: p for p in after.values() if p.root == p.id}
    changes = []
    for canonical, root in sorted(now.items()):
        if root.id not in roots:
            continue
        left = before.get(canonical)
        old = before[left.root].canonical if left is not None and left.root in before else None
        if canonical not in was and old in now and old is not None:
            changes.append(
                FeedChange(
                    op=FeedOperation.UNMERGE, profile=old, version=now[old].version, stamp=stamp, other=canonical
                )
            )
        changes.append(FeedChange(op=FeedOperation.UPSERT, profile=canonical, version=root.version, stamp=stamp))
    for id_, profile in sorted(before.items()):
        to = after.get(after[id_].root)
        led = before[profile.root].canonical if profile.root in before else None
        if to is None and id_ in was:
            changes.append(
                FeedChange(op=FeedOperation.UPSERT, profile=id_, version=before[profile.root].version + 1, stamp=stamp)
            )
        elif to is not None and to.canonical not in (id_, led):
            changes.append(
                FeedChange(op=FeedOperation.MERGE, profile=to.canonical, version=to.version, stamp=stamp, other=id_)
            )
    return changes
