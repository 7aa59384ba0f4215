"""Native reads of one profile, of its identifiers, of many by identifier, of all, and of those under a hold.

No answer grows without a bound: a profile comes with its first identifiers, and a page of large profiles is short.
"""

from bisect import bisect_left
from collections.abc import Sequence
from hmac import compare_digest
from typing import Final

from msgspec import Struct

from identity.operations.profiles.find_profile import MOST_DOCUMENTS
from identity.operations.profiles.list_places import mark, read_place, write_place
from identity.operations.profiles.profile import FoldedProfile, OpenedProfile, ProfileIdentifier, open_profile, place
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.named_identifiers import read_identifiers, sort_identifiers
from identity.spaces.space import Space
from identity.store.privacy import holds
from identity.store.profiles import profile_queries
from identity.values.errors import HoldNotFound
from identity.values.ids import BlindIndex, ProfileId, private
from identity.values.stamps import Stamp
from identity.values.unknown_names import EntryFault

_LIST = b"profiles"
_IDENTIFIERS = b"identifiers"
_MOST_BYTES: Final = 16 * 1024 * 1024
_BYTES_OF_IDENTIFIER: Final = 160


class ProfilePage(Struct, frozen=True):
    """A page of profiles, and the cursor after it, None on the last page."""

    profiles: list[FoldedProfile]
    next_cursor: str | None


class IdentifierPage(Struct, frozen=True):
    """A page of the identifiers of a profile, the number of all, and the cursor after it, None on the last page."""

    profile_id: ProfileId
    identifiers: list[ProfileIdentifier]
    total: int
    next_cursor: str | None


class LookedUpProfiles(Struct, frozen=True):
    """The profile of each identifier as written, None where there is none, and the entries that cannot be read."""

    profiles: dict[str, FoldedProfile | None]
    faults: Sequence[EntryFault]


@retry_on_key_rotation
async def get_profile(space: Space, ref: str, *, verbose: bool = False) -> FoldedProfile:
    """Read a profile by `type:value` or by any id that it ever had. BadIdentifier, ProfileNotFound, TooMuch.

    With `verbose` each trait comes with the call that set it.
    """
    return await (await open_profile(space, ref)).fold_profile(set_traits=verbose)


@retry_on_key_rotation
async def list_identifiers(space: Space, ref: str, limit: int, cursor: str | None) -> IdentifierPage:
    """Read a page of the identifiers of a profile, in the order of linking.

    BadIdentifier, ProfileNotFound, BadCursor, TooMuch.
    """
    profile = await open_profile(space, ref)
    start = 0
    if cursor is not None:
        position = read_place(space, _IDENTIFIERS, profile.subjects, cursor)
        start = _after(space, profile.identifiers, position)
    shown = profile.identifiers[start : start + limit]
    more = start + limit < len(profile.identifiers)
    return IdentifierPage(
        profile.id,
        await profile.opened_identifiers(shown),
        len(profile.identifiers),
        write_place(space, _IDENTIFIERS, profile.id, _position(space, shown[-1])) if more else None,
    )


@retry_on_key_rotation
async def lookup(space: Space, texts: Sequence[str]) -> dict[str, FoldedProfile | None]:
    """Read many profiles at once; None for an identifier without a profile. BadIdentifier, UnknownType, TooMuch."""
    identifiers = await read_identifiers(space, texts)
    async with space.database.reading() as connection:
        newest = space.keys.versions.newest
        keys = [space.keys.identifiers(identifier.type, identifier.value) for identifier in identifiers]
        found = await profile_queries.by_keys(connection, space.tenant, keys, MOST_DOCUMENTS + 1, newest)
    folded = await _fold_each(space, found)
    roots = found.roots
    return {text: folded[roots[nr]] if nr in roots else None for nr, text in enumerate(texts)}


async def lookup_each(space: Space, texts: Sequence[str]) -> LookedUpProfiles:
    """Read many profiles at once; a faulty entry keeps no other entry from its answer. TooMuch."""
    identifiers, faults = await sort_identifiers(space, texts)
    good = [text for text, identifier in zip(texts, identifiers, strict=True) if identifier is not None]
    found = await lookup(space, good)
    return LookedUpProfiles({text: found.get(text) for text in texts}, faults)


@retry_on_key_rotation
async def held(space: Space, hold_id: str) -> list[FoldedProfile]:
    """Read the profiles under a hold, hidden from other reads or not. HoldNotFound, TooMuch."""
    id_ = private("hld", hold_id)
    async with space.database.reading() as connection:
        if id_ is None or all(each.id != id_ for each in await holds.list_holds(connection, space.tenant)):
            raise HoldNotFound
        found = await holds.profiles(connection, space.tenant, id_, MOST_DOCUMENTS + 1)
    return list((await _fold_each(space, found, under_hold=True)).values())


@retry_on_key_rotation
async def list_profiles(space: Space, limit: int, cursor: str | None) -> ProfilePage:
    """Every canonical profile of the space, page by page. BadCursor."""
    after = bytes(16) if cursor is None else space.read_cursor(_LIST, cursor)
    async with space.database.reading() as connection:
        ids = await profile_queries.list_roots(connection, space.tenant, after, limit)
        more = len(ids) == limit
        found = await profile_queries.by_ids(connection, space.tenant, ids, MOST_DOCUMENTS + 1)
        while len(ids) > 1 and (len(found.origins) > MOST_DOCUMENTS or _size(found) > _MOST_BYTES):
            # A page of very large profiles is shorter than asked for, never refused.
            ids, more = ids[: len(ids) // 2], True
            found = await profile_queries.by_ids(connection, space.tenant, ids, MOST_DOCUMENTS + 1)
    folded = await _fold_each(space, found)
    shown = dict.fromkeys(found.roots[nr] for nr in range(len(ids)) if nr in found.roots)
    next_cursor = space.write_cursor(_LIST, ids[-1]) if more else None
    return ProfilePage([folded[root] for root in shown], next_cursor)


async def _fold_each(
    space: Space, found: profile_queries.ProfileRows, *, under_hold: bool = False
) -> dict[ProfileId, FoldedProfile]:
    opened = OpenedProfile.each(space, found, under_hold=under_hold)
    return {root: await profile.fold_profile() for root, profile in opened.items()}


def _size(found: profile_queries.ProfileRows) -> int:
    """About how many bytes an answer with these profiles has."""
    documents = sum(len(origin.document or b"") for origin in found.origins)
    return documents + _BYTES_OF_IDENTIFIER * len(found.identifiers)


def _position(space: Space, identifier: profile_queries.SealedIdentifierRow) -> bytes:
    linked_at, type_, key = place(identifier)
    return linked_at.to_bytes(8, "big") + type_.to_bytes(4, "big") + mark(space, key)


def _after(space: Space, identifiers: Sequence[profile_queries.SealedIdentifierRow], position: bytes) -> int:
    """The number of identifiers up to a position; where its identifier is gone, up to those of its call and type."""
    call = Stamp(int.from_bytes(position[:8], "big")), int.from_bytes(position[8:12], "big")
    start = bisect_left(identifiers, (*call, BlindIndex(b"")), key=place)
    for number, identifier in enumerate(identifiers[start:], start + 1):
        if place(identifier)[:2] != call:
            break
        if compare_digest(mark(space, identifier.key), position[12:]):
            return number
    return start
