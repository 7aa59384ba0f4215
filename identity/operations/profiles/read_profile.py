"""Native reads of one profile, of many by identifier, of all, and of those under a litigation hold."""

from collections.abc import Sequence

from identity.operations.profiles.answers import CanonicalProfile, ProfileList
from identity.operations.profiles.find_profile import MOST_DOCUMENTS
from identity.operations.profiles.profile import OpenedProfile, open_profile
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.space import Space
from identity.store.privacy import holds
from identity.store.profiles import profile_queries
from identity.values.errors import HoldNotFound
from identity.values.identifiers import parse
from identity.values.ids import private

_LIST = b"profiles"


@retry_on_key_rotation
async def get_profile(space: Space, ref: str, *, verbose: bool = False) -> CanonicalProfile:
    """Read a profile by `type:value` or by any id that it ever had. BadIdentifier, ProfileNotFound, TooMuch.

    With `verbose` each trait comes with its provenance.
    """
    profile = await open_profile(space, ref)
    answer = await profile.answer()
    if verbose:
        answer.traits = dict(await profile.provenance())
    return answer


@retry_on_key_rotation
async def lookup(space: Space, identifiers: Sequence[str]) -> dict[str, CanonicalProfile | None]:
    """Read many profiles at once; None for an identifier without a profile. BadIdentifier, TooMuch."""
    rules = await space.rules()
    parsed = [parse(text, rules.region) for text in identifiers]
    async with space.database.reading() as connection:
        newest = space.keys.versions.newest
        keys = [space.keys.identifiers(identifier.type, identifier.value) for identifier in parsed]
        found = await profile_queries.by_keys(connection, space.tenant, keys, MOST_DOCUMENTS + 1, newest)
    answers = await _answers(space, found)
    heads = found.heads
    return {text: answers[heads[nr]] if nr in heads else None for nr, text in enumerate(identifiers)}


@retry_on_key_rotation
async def held(space: Space, hold_id: str) -> list[CanonicalProfile]:
    """Read the profiles under a hold, hidden from other reads or not. HoldNotFound, TooMuch."""
    id_ = private("hld", hold_id)
    async with space.database.reading() as connection:
        if id_ is None or all(each.id != id_ for each in await holds.list_holds(connection, space.tenant)):
            raise HoldNotFound
        found = await holds.profiles(connection, space.tenant, id_, MOST_DOCUMENTS + 1)
    return list((await _answers(space, found)).values())


@retry_on_key_rotation
async def list_profiles(space: Space, limit: int, cursor: str | None) -> ProfileList:
    """Every canonical profile of the space, page by page. BadCursor."""
    after = bytes(16) if cursor is None else space.read_cursor(_LIST, cursor)
    async with space.database.reading() as connection:
        ids = await profile_queries.list_roots(connection, space.tenant, after, limit)
        more = len(ids) == limit
        found = await profile_queries.by_ids(connection, space.tenant, ids, MOST_DOCUMENTS + 1)
        while len(found.members) > MOST_DOCUMENTS and len(ids) > 1:
            # A page of very large profiles is shorter than asked for, never refused.
            ids, more = ids[: len(ids) // 2], True
            found = await profile_queries.by_ids(connection, space.tenant, ids, MOST_DOCUMENTS + 1)
    answers = await _answers(space, found)
    shown = dict.fromkeys(found.heads[nr] for nr in range(len(ids)) if nr in found.heads)
    next_cursor = space.write_cursor(_LIST, ids[-1]) if more else None
    return ProfileList([answers[root] for root in shown], next_cursor)


async def _answers(space: Space, found: profile_queries.ProfileRows) -> dict[bytes, CanonicalProfile]:
    return {root: await profile.answer() for root, profile in OpenedProfile.each(space, found).items()}
