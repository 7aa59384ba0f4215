"""Lists of Segment's Profile API about profiles: traits, external ids, metadata, and all profiles."""

from collections.abc import Container, Mapping, Sequence

from identity.operations.profiles.find_profile import require_shown
from identity.operations.profiles.list_places import after_mark, mark, read_place, write_place
from identity.operations.profiles.profile import OpenedProfile, open_profile
from identity.operations.profiles.segment_events import last_call
from identity.operations.profiles.segment_paging import ListParameters, Page
from identity.operations.profiles.segment_values import (
    USERS,
    CollectionTimes,
    ListedUser,
    SourcedIdentifier,
    SourcedTrait,
)
from identity.planning.resolution.stored_calls import StoredCall
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.space import Space
from identity.store.profiles import profile_queries
from identity.store.spaces import spaces_and_keys
from identity.values.documents import Stamped
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Micros, stamp_time

_LIST, _TRAITS, _IDS = b"users", b"user-traits", b"user-ids"


@retry_on_key_rotation
async def traits(space: Space, ref: str, wanted: ListParameters) -> Page[dict[str, SourcedTrait]]:
    """Read a page of traits by name. Onefold computes no traits, so a list of computed traits is empty."""
    profile = await open_profile(space, ref)
    folded, next_ = page_of(space, profile.folded(), wanted, profile.root.canonical, profile.subjects)
    sources: dict[str, str | None] = {}
    if wanted.verbose:
        source_ids = await read_source_ids(space)
        sources = {name: source_id(call, source_ids) for name, (_, call) in (await profile.set_by(folded)).items()}
    shown = {name: SourcedTrait(value, sources.get(name), Micros(time)) for name, (value, time, _) in folded.items()}
    return Page(profile.id, shown, next_)


def page_of(
    space: Space, folded: Mapping[str, Stamped], wanted: ListParameters, owner: bytes, owners: Container[bytes]
) -> tuple[dict[str, Stamped], str | None]:
    """The traits of a page by name, and the cursor of the next one. BadCursor.

    `owner` is the id of their profile or the mark of their group, and `owners` are all the ids that it has now.
    """
    names: Sequence[str] = [] if wanted.computed else sorted(folded)
    if wanted.next is not None:
        # Removed traits count as well: the last trait of the page before may have been removed since.
        names = after_mark(space, names, read_place(space, _TRAITS, owners, wanted.next), str.encode)
    names = [name for name in names if folded[name][0] is not None and (not wanted.include or name in wanted.include)]
    shown, rest = names[: wanted.limit], names[wanted.limit :]
    next_ = write_place(space, _TRAITS, owner, mark(space, shown[-1].encode())) if rest else None
    return {name: folded[name] for name in shown}, next_


@retry_on_key_rotation
async def external_ids(space: Space, ref: str, wanted: ListParameters) -> Page[list[SourcedIdentifier]]:
    """Read a page of identifiers in the order of linking."""
    profile = await open_profile(space, ref)
    names = await profile.names()
    held: Sequence[profile_queries.SealedIdentifierRow] = profile.identifiers
    if wanted.next is not None:
        held = after_mark(space, held, read_place(space, _IDS, profile.subjects, wanted.next), _key)
    held = [each for each in held if not wanted.include or names[each.type] in wanted.include]
    shown, rest = held[: wanted.limit], held[wanted.limit :]
    next_ = write_place(space, _IDS, profile.root.canonical, mark(space, shown[-1].key)) if rest else None
    return Page(profile.id, await linked_ids(profile, shown, await read_source_ids(space)), next_)


async def linked_ids(
    profile: OpenedProfile, shown: Sequence[profile_queries.SealedIdentifierRow], source_ids: dict[int, str]
) -> list[SourcedIdentifier]:
    """Identifiers with the calls that linked them."""
    names = await profile.names()
    calls = await profile.calls({(each.origin, each.linked_at) for each in shown})
    found = []
    for each in shown:
        call = calls.get((each.origin, each.linked_at))
        found.append(
            SourcedIdentifier(
                collection=USERS,
                type=names[each.type],
                value=profile.value(each),
                created_at=stamp_time(each.linked_at),
                call=call,
                source=source_id(call, source_ids),
            )
        )
    return found


@retry_on_key_rotation
async def metadata(space: Space, ref: str, _wanted: ListParameters) -> Page[CollectionTimes]:
    """Read the times of a profile, and its first and last calls."""
    profile = await open_profile(space, ref)
    oldest_birth = profile.root.oldest_birth
    created = await profile.calls({(origin.id, oldest_birth) for origin in profile.origins})
    first = next(iter(created.values()), None)
    last = await last_call(profile)
    source_ids = await read_source_ids(space)
    times = CollectionTimes(
        created_at=stamp_time(oldest_birth),
        updated_at=stamp_time(max(origin.stamp for origin in profile.origins)),
        first=first,
        first_source=source_id(first, source_ids),
        last=last,
        last_source=source_id(last, source_ids),
    )
    return Page(profile.id, times, None)


async def listed(space: Space, wanted: ListParameters) -> Page[list[ListedUser]]:
    """Read a page of all canonical profiles, by id."""
    after = bytes(16) if wanted.next is None else space.read_cursor(_LIST, wanted.next)
    async with space.database.reading() as connection:
        found = await profile_queries.list_canonical(connection, space.tenant, after, wanted.limit + 1)
    shown, rest = found[: wanted.limit], found[wanted.limit :]
    require_shown(space, [ProfileId(canonical) for canonical, _, _ in shown])
    next_ = space.write_cursor(_LIST, shown[-1][0]) if rest else None
    listed_users = [
        ListedUser(ProfileId(canonical), stamp_time(oldest_birth), stamp_time(stamp))
        for canonical, oldest_birth, stamp in shown
    ]
    return Page(None, listed_users, next_)


async def read_source_ids(space: Space) -> dict[int, str]:
    """The public ids of all keys that the space ever had, by number."""
    async with space.database.reading() as connection:
        return await spaces_and_keys.source_ids(connection, space.tenant.id)


def source_id(call: StoredCall | None, source_ids: dict[int, str]) -> str | None:
    """The public id of the key that sent a call."""
    return None if call is None else source_ids.get(call.source)


def _key(identifier: profile_queries.SealedIdentifierRow) -> BlindIndex:
    return identifier.key
