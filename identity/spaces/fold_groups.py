"""Writes the rows of groups anew from the stored calls, without the calls of a person who goes.

`part_groups` takes a person out of the groups that the person's calls named: a trait that only the person vouches for
goes, and so does a group that nobody else names. `fold_groups` folds groups from the calls of everybody, and
`fold_stored_groups` also writes the result, to repair a database.

Invariant: a group that stays gets a new key for its id and traits, and the old key is destroyed, since a backup may
hold under the old key what the person stated.
"""

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from identity.planning.privacy.group_calls import GroupCall, fold_group, has_traits_of
from identity.planning.resolution import fold_documents
from identity.planning.resolution.extract import group_traits, stated_group
from identity.planning.resolution.stored_calls import unpack
from identity.spaces.new_subject_keys import NewSubjectKeys, random_key_slot
from identity.spaces.origin_rows import unwrap_key
from identity.spaces.space import Space
from identity.store.ingest import load
from identity.store.ingest.write import Writes, apply
from identity.store.postgres import space_lock
from identity.store.postgres.database import Connection
from identity.store.postgres.pipeline import PipelineConnection
from identity.store.postgres.rows import GroupStateRow
from identity.store.privacy import group_rows
from identity.store.profiles import evidence, snapshot_queries
from identity.values.calls import STORED_KINDS
from identity.values.documents import Document
from identity.values.enums import StoredKind
from identity.values.ids import GroupRowId, ProfileId, new_id
from identity.vault.seal import EVIDENCE, GROUP_ID, GROUP_TRAITS

AT_ONCE = 500
DELETED = "deleted"
"""The field of a stored call that takes a profile out of a group because the group is deleted."""
Statements = Mapping[bytes, Collection[int]]


class PartedGroups(Struct):
    """The groups without a person: `written` to insert, and the ids and key ids of the rows that were deleted.

    `gone` counts the groups that nobody else names.
    """

    written: list[GroupStateRow] = []
    ids: list[GroupRowId] = []
    key_ids: list[bytes] = []
    gone: int = 0


async def group_calls(
    space: Space, connection: Connection, origins: Sequence[ProfileId], keys: Collection[bytes] | None = None
) -> list[GroupCall]:
    """The calls at these origins that join a group, one of `keys` or any, or leave it as it is deleted."""
    found = []
    wanted = sorted(set(origins))
    for at in range(0, len(wanted), AT_ONCE):
        part = wanted[at : at + AT_ONCE]
        subjects = {
            key.id: unwrap_key(space, key)
            for key in await snapshot_queries.subject_keys(connection, space.tenant, part)
        }
        for row in await evidence.by_origins(connection, space.tenant, part, [StoredKind.GROUP, StoredKind.LEAVE]):
            call = unpack(subjects[row.origin].open(EVIDENCE, row.origin, row.stamp, row.payload))
            group_id = stated_group(call.body, STORED_KINDS[row.kind], await space.rules(row.rules_version, connection))
            deletes = row.kind == StoredKind.LEAVE
            if group_id is None or (deletes and not call.body.get(DELETED)):
                continue
            key = space.keys.group(group_id)
            if keys is None or key in keys:
                given = {} if deletes else group_traits(call.body)
                found.append(
                    GroupCall(
                        group_key=key,
                        origin=row.origin,
                        group_id=group_id,
                        time=call.time,
                        stamp=row.stamp,
                        traits=given,
                        deletes=deletes,
                    )
                )
    return found


async def stated_by(space: Space, connection: Connection, origins: Sequence[ProfileId]) -> dict[bytes, set[int]]:
    """The groups that the calls at these origins join, each with the stamps of the calls."""
    stated: dict[bytes, set[int]] = {}
    for call in await group_calls(space, connection, origins):
        if call.deletes:
            continue
        stated.setdefault(call.group_key, set()).add(call.stamp)
    return stated


async def part_groups(
    space: Space,
    connection: Connection,
    new_keys: NewSubjectKeys,
    stated: Statements,
    without: Sequence[bytes],
) -> PartedGroups:
    """Take the origins `without` out of the groups that they named; `stated` has the stamps of their calls by group.

    Deletes the old rows; the caller writes the new ones. The space lock is held alone.
    """
    parted = PartedGroups()
    rows = await group_rows.by_keys(connection, space.tenant, sorted(stated))
    stating = await group_rows.stating(connection, space.tenant, [row.key for row, _ in rows], without)
    members = {each.group_key for each in stating if each.member}
    opened = {}
    for row, key in rows:
        subject = unwrap_key(space, key)
        stored = fold_documents.unpack(subject.open(GROUP_TRAITS, row.id, row.version, row.document))
        opened[row.key] = subject.open(GROUP_ID, row.id, 0, row.group_id).decode(), stored
        parted.ids.append(row.id)
        parted.key_ids.append(key.key_id)
    touched = {key for key, (_, stored) in opened.items() if key not in members or has_traits_of(stored, stated[key])}
    others = [each.origin for each in stating if each.group_key in touched]
    calls = await group_calls(space, connection, others, touched)
    roots = {each.origin: each.root for each in stating}
    for row, _ in rows:
        group_id, kept = opened[row.key]
        own = [call for call in calls if call.group_key == row.key]
        document = fold_group(own, roots) if row.key in touched else kept
        if document is None:
            parted.gone += 1
        else:
            parted.written.append(_sealed(new_keys, row.key, row.id, group_id, document))
    if rows:
        await group_rows.delete_groups(connection, space.tenant, [row.key for row, _ in rows], parted.ids)
    return parted


async def fold_groups(
    space: Space, connection: Connection, new_keys: NewSubjectKeys, keys: Sequence[bytes]
) -> PartedGroups:
    """Fold groups anew from the stored calls of everybody, whether or not they have rows of their own by now."""
    folded = PartedGroups()
    rows = {row.key: (row, key) for row, key in await group_rows.by_keys(connection, space.tenant, keys)}
    stating = await group_rows.stating(connection, space.tenant, keys)
    calls = await group_calls(space, connection, [each.origin for each in stating], set(keys))
    roots = {each.origin: each.root for each in stating}
    for key in keys:
        own = [call for call in calls if call.group_key == key]
        document = fold_group(own, roots)
        row = rows.get(key)
        if row is not None:
            folded.ids.append(row[0].id)
            folded.key_ids.append(row[1].key_id)
            folded.gone += document is None
        if document is not None:
            id_ = GroupRowId(new_id()) if row is None else row[0].id
            folded.written.append(_sealed(new_keys, key, id_, own[0].group_id, document))
    if rows:
        await group_rows.delete_groups(connection, space.tenant, list(rows), folded.ids)
    return folded


async def fold_stored_groups(space: Space, connection: PipelineConnection, keys: Sequence[bytes]) -> None:
    """Fold groups anew and write them, in a transaction that holds the space lock alone and repairs a database."""
    if not keys:
        return
    key_slot = random_key_slot()
    locked = await load.lock(connection, space.tenant, (), set(), (), (), key_slot)
    epoch = (await space_lock.read(connection, space.tenant.id)).epoch
    new_keys = NewSubjectKeys(space, epoch, key_slot, locked.slot_key)
    folded = await fold_groups(space, connection, new_keys, keys)
    writes = Writes(new_groups=folded.written, new_slot_key=new_keys.new_slot_key, subject_keys=new_keys.rows)
    await apply(connection, space.tenant, writes)


def _sealed(new_keys: NewSubjectKeys, key: bytes, id_: GroupRowId, group_id: str, document: Document) -> GroupStateRow:
    subject = new_keys.make(id_)
    return GroupStateRow(
        key=key,
        id=id_,
        version=1,
        group_id=subject.seal(GROUP_ID, id_, 0, group_id.encode()),
        document=subject.seal(GROUP_TRAITS, id_, 1, fold_documents.pack(document)),
    )
