"""Finds which profiles of a space have to be replayed together: those whose calls name common identifiers.

Other rules may link what the rules in force keep apart, so every identifier that a call names counts, kept or not.
The walk runs during ingest; calls that arrive later are added by the replay.
"""

from collections.abc import Awaitable, Callable, Container, Iterable

from msgspec import Struct

from identity.planning.corrections.rebuild import DORMANT
from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.stored_calls import StoredCall, source, split_keys, unpack
from identity.spaces.blind_indexes import index_call
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.space import Space
from identity.store.corrections import connected_profiles
from identity.store.postgres.rows import EvidenceRow, KeyRow
from identity.store.profiles import evidence as evidence_queries
from identity.values.calls import ACTS, MICRO, STORED_KINDS, Call
from identity.values.errors import BadCall
from identity.values.ids import FIRST_PROFILE, BlindIndex, ProfileId
from identity.values.stamps import Micros, first_stamp, wall_time
from identity.vault.seal import EVIDENCE
from identity.vault.threads import in_analysis

PAGE = 500
# Calls of a transaction, which holds the space lock alone while it replays and writes them.
AT_ONCE = 500
# Commits under way at the start of the walk have slightly earlier stamps.
_MARGIN = 60 * MICRO
Progress = Callable[[int, int], Awaitable[None]]


class Batch(Struct, frozen=True):
    """The roots of several small groups, or of one large group."""

    groups: list[list[ProfileId]]

    @property
    def roots(self) -> list[ProfileId]:
        """The roots of all groups."""
        return [root for group in self.groups for root in group]


class ConnectedProfiles:
    """The profiles of a space in connected groups. Calls with stamps after `since` may be missing."""

    def __init__(self) -> None:
        self.since = first_stamp(Micros(wall_time() - _MARGIN))
        self._parent: dict[ProfileId, ProfileId] = {}
        self._calls: dict[ProfileId, int] = {}
        self._holder: dict[BlindIndex, ProfileId] = {}

    def add(self, root: ProfileId, keys: Iterable[BlindIndex]) -> None:
        """Adds a profile and the identifiers that one of its calls names."""
        self._parent.setdefault(root, root)
        self._calls[root] = self._calls.get(root, 0) + 1
        for key in keys:
            self._unite(self._holder.setdefault(key, root), root)

    @property
    def profiles(self) -> int:
        """The number of profiles."""
        return len(self._parent)

    def batches(self) -> list[Batch]:
        """All groups in batches."""
        groups: dict[ProfileId, list[ProfileId]] = {}
        for root in sorted(self._parent):
            groups.setdefault(self._root(root), []).append(root)
        found: list[Batch] = []
        weight = 0
        for group in groups.values():
            own = sum(self._calls[root] for root in group)
            weight += own
            if found and weight <= AT_ONCE:
                found[-1].groups.append(group)
            else:
                found.append(Batch([group]))
                weight = own
        return found

    def _root(self, root: ProfileId) -> ProfileId:
        parent = self._parent
        while parent[root] != root:
            parent[root] = parent[parent[root]]
            root = parent[root]
        return root

    def _unite(self, a: ProfileId, b: ProfileId) -> None:
        self._parent[self._root(a)] = self._root(b)


def read_again(space: Space, kept: StoredCall, rules: Rules, usable: Container[str]) -> Call:
    """A stored call as these rules read it; a call that they reject names no identifier.

    `usable` are the types that the space has or could have.
    """
    kind = STORED_KINDS[kept.kind]
    try:
        call = extract(
            kept.body,
            kind=kind,
            rules=rules,
            received=kept.received,
            sent_at=None,
            source=source(kept),
            token=kept.token,
        )
    except BadCall:
        return Call(
            kind=kind,
            message_id=kept.message_id,
            time=kept.time,
            received=kept.received,
            source=source(kept),
            body=kept.body,
            identifiers=[],
            demoted=[],
        )
    call.time, call.message_id = kept.time, kept.message_id
    call.identifiers = [i for i in call.identifiers if i.type in usable]
    index_call(space.keys, call, set())
    return call


def linkable_keys(call: Call) -> list[BlindIndex]:
    """The identifiers that a call could link."""
    keys = [identifier.key for identifier in call.identifiers]
    if call.alias is not None:
        keys += [i.key for i in (call.alias.user, call.alias.anonymous) if i is not None]
    return keys


async def load_connected_profiles(space: Space, rules: Rules, progress: Progress) -> ConnectedProfiles:
    """Reads all evidence of a space once and reports progress as (done, total) origins."""
    found = ConnectedProfiles()
    await space.read_types()
    async with space.database.reading() as connection:
        total = await connected_profiles.count_origins(connection, space.tenant)
    after, done = FIRST_PROFILE, 0
    while True:
        page = await _page(space, rules, after, found)
        if not page:
            return found
        after, done = page[-1][0], done + len(page)
        await progress(done, max(total, done))


@retry_on_key_rotation
async def _page(
    space: Space, rules: Rules, after: ProfileId, connected: ConnectedProfiles
) -> list[tuple[ProfileId, ProfileId]]:
    """The next origins, with the identifiers that their evidence names."""
    async with space.database.reading() as connection:
        page = await connected_profiles.list_origins(connection, space.tenant, after, PAGE)
        rows = await evidence_queries.by_range(connection, space.tenant, page[0][0], page[-1][0]) if page else []
    for id_, root in page:
        connected.add(id_ if root == DORMANT else root, ())
    await in_analysis(_look, space, rules, rows, connected)
    return page


def _look(
    space: Space, rules: Rules, rows: list[tuple[ProfileId, EvidenceRow, KeyRow]], connected: ConnectedProfiles
) -> None:
    for stored_root, row, key in rows:
        root = row.origin if stored_root == DORMANT else stored_root
        if STORED_KINDS[row.kind] in ACTS:
            connected.add(root, split_keys(row.kept))
            continue
        subject = space.keys.slot(key.slot, key.epoch, key.slot_wrapped).unwrap(key.key_id, key.wrapped)
        kept = unpack(subject.open(EVIDENCE, row.origin, row.stamp, row.payload))
        # Every type may be one that the space has room for; naming too much only makes groups larger.
        call = read_again(space, kept, rules, AnyType())
        connected.add(root, linkable_keys(call))


class AnyType:
    """Contains every type."""

    def __contains__(self, _item: object) -> bool:
        return True
