"""Lists the joins that public keys claim: those that wait for proof, those that were made and those that were refused.

The value of a claimed identifier is read from the first call of the claim, which its profile holds.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from identity.operations.profiles.find_profile import require_shown
from identity.operations.profiles.profile import OpenedProfile
from identity.planning.corrections.waiting_claims import JoinNotFound, JoinNotWaiting, join_state
from identity.planning.resolution.stored_calls import unpack
from identity.spaces.index_versions import reading_one_version, retry_on_key_rotation
from identity.spaces.space import Space
from identity.spaces.stored_call_identifiers import identifiers_by_key
from identity.store.corrections import claims
from identity.store.corrections.claims import ClaimRow, Place
from identity.store.postgres.database import Connection
from identity.store.spaces import spaces_and_keys
from identity.values.calls import Call
from identity.values.enums import JoinState
from identity.values.ids import LAST_ID, BlindIndex, JoinId, ProfileId, private
from identity.values.stamps import Micros, Stamp, stamp_time
from identity.vault.seal import EVIDENCE

_LIST: Final = b"joins"
_FIRST: Final[Place] = (Stamp(2**63 - 1), ProfileId(LAST_ID), BlindIndex(b"\xff" * 32))
_PAGE: Final = 500
_MOST_SCANNED: Final = 10_000


class ClaimedJoin(Struct, frozen=True):
    """A join that a public key claims: the profile that claims, and the one that has the identifier, if any has.

    `source` is the public id of the key of the first call. A claim that is no call any more has no value.
    """

    id: JoinId
    state: JoinState
    type: str
    value: str
    claimed_by: ProfileId
    borne_by: ProfileId | None
    since: Micros
    last: Micros
    times: int
    source: str | None
    refused_at: Micros | None
    row: ClaimRow


class JoinOfProfile(Struct, frozen=True):
    """A join of a profile at one of its origins: the profile `claims` the identifier, or has what another claims."""

    join: ClaimedJoin
    origin: ProfileId
    claims: bool


class ClaimedJoins(Struct, frozen=True):
    """A page of the list, newest first, and the cursor after it, None on the last page."""

    joins: list[ClaimedJoin]
    next_cursor: str | None


@retry_on_key_rotation
async def list_joins(space: Space, state: JoinState | None, limit: int, cursor: str | None) -> ClaimedJoins:
    """Read a page of the joins in a state, or of all. BadCursor; RolledBack: see `require_shown`.

    A page may be shorter than the limit: it ends after a bounded number of joins in other states.
    """
    place = _FIRST if cursor is None else _place(space.read_cursor(_LIST, cursor))
    found: list[ClaimedJoin] = []
    scanned = 0
    async with reading_one_version(space) as connection:
        reader = _JoinReader(space, connection)
        await reader.prepare()
        while True:
            size = _PAGE if state is not None else min(_PAGE, limit - len(found))
            rows = await claims.list_claims(connection, space.tenant, place, size + 1)
            for row in rows[:size]:
                place = (row.since, row.origin, row.key)
                scanned += 1
                one = await reader.join(row, state)
                if one is not None:
                    found.append(one)
                if len(found) == limit or scanned == _MOST_SCANNED:
                    more = row is not rows[-1]
                    return ClaimedJoins(found, space.write_cursor(_LIST, _written(place)) if more else None)
            if len(rows) <= size:
                return ClaimedJoins(found, None)


@retry_on_key_rotation
async def read_join(space: Space, text: str) -> ClaimedJoin:
    """Read one join by its id. JoinNotFound."""
    async with reading_one_version(space) as connection:
        return await find_join(space, connection, text)


async def find_join(space: Space, connection: Connection, text: str) -> ClaimedJoin:
    """One join by its id, in a transaction. JoinNotFound."""
    id_ = private("jon", text)
    row = None if id_ is None else await claims.find_claim(connection, space.tenant, id_)
    reader = _JoinReader(space, connection)
    await reader.prepare()
    one = None if row is None else await reader.join(row, None)
    if one is None:
        raise JoinNotFound
    return one


async def decided_joins(space: Space, connection: Connection, calls: Iterable[Call]) -> set[str]:
    """The joins that calls confirm and that wait no more, by their ids."""
    decided = set()
    for text in [str(call.body["join"]) for call in calls if call.kind == "confirm"]:
        id_ = private("jon", text)
        row = None if id_ is None else await claims.find_claim(connection, space.tenant, id_)
        if row is None or _state(row) != JoinState.WAITING:
            decided.add(text)
    return decided


async def read_joins_of(
    opened: OpenedProfile, limit: int, cursor: str | None
) -> tuple[list[JoinOfProfile], str | None]:
    """The joins that a profile claims and those that others claim of it, newest first, and the cursor after them."""
    space = opened.space
    names = await opened.names()
    held = {each.key: each for each in opened.identifiers}
    origins = {origin.id for origin in opened.origins}
    place = _FIRST if cursor is None else _place(bytes.fromhex(cursor))
    found: list[JoinOfProfile] = []
    async with space.database.reading() as connection:
        reader = _JoinReader(space, connection)
        await reader.prepare()
        rows = await claims.claims_of(connection, space.tenant, sorted(origins), sorted(held), place, limit + 1)
        for row in rows[:limit]:
            if row.origin in origins:
                own = await reader.join(row, None)
                if own is not None:
                    found.append(JoinOfProfile(own, row.origin, claims=True))
                continue
            # The call belongs to somebody else; the profile itself has the value.
            identifier, state = held[row.key], _state(row)
            if state is not None and not row.hidden:
                of_other = _join(row, state, names[identifier.type], opened.value(identifier), None)
                found.append(JoinOfProfile(of_other, ProfileId(identifier.origin), claims=False))
    if len(rows) <= limit:
        return found, None
    last = rows[limit - 1]
    return found, _written((last.since, last.origin, last.key)).hex()


def require_waiting(join: ClaimedJoin) -> None:
    """Raises JoinNotWaiting for a join that is made or refused."""
    if join.state != JoinState.WAITING:
        raise JoinNotWaiting


class _JoinReader:
    """Reads joins in one transaction."""

    def __init__(self, space: Space, connection: Connection) -> None:
        self.space = space
        self.connection = connection
        self.source_ids: dict[int, str] = {}

    async def prepare(self) -> None:
        """Read the names of the keys."""
        self.source_ids = await spaces_and_keys.source_ids(self.connection, self.space.tenant.id)

    async def join(self, row: ClaimRow, wanted: JoinState | None) -> ClaimedJoin | None:
        """The join of a row; None where it has another state, nobody may see it, or no call claims any more."""
        state = _state(row)
        if state is None or row.hidden or row.payload is None or row.rules_version is None:
            return None
        if wanted is not None and state != wanted:
            return None
        space = self.space
        require_shown(space, [id_ for id_ in (row.origin, row.root, row.bearer_root) if id_ is not None])
        subject = space.keys.slot(row.slot, row.epoch, row.slot_wrapped).unwrap(row.key_id, row.wrapped)
        call = unpack(subject.open(EVIDENCE, row.origin, row.since, row.payload))
        rules = await space.rules(row.rules_version, self.connection)
        named = identifiers_by_key(space, call, rules).get(row.key)
        if named is None:
            return None
        return _join(row, state, *named, self.source_ids.get(call.source))


def _join(row: ClaimRow, state: JoinState, type_: str, value: str, source: str | None) -> ClaimedJoin:
    return ClaimedJoin(
        id=row.id,
        state=state,
        type=type_,
        value=value,
        claimed_by=row.canonical,
        borne_by=row.bearer,
        since=stamp_time(row.since),
        last=stamp_time(row.last),
        times=row.times,
        source=source,
        refused_at=None if row.refused is None else stamp_time(row.refused),
        row=row,
    )


def _state(row: ClaimRow) -> JoinState | None:
    return join_state(row.times, refused=row.refused is not None, together=row.bearer_root == row.root)


def _written(place: Place) -> bytes:
    return place[0].to_bytes(8, "big") + place[1] + place[2]


def _place(packed: bytes) -> Place:
    return Stamp(int.from_bytes(packed[:8], "big")), ProfileId(packed[8:24]), BlindIndex(packed[24:])
