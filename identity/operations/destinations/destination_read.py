"""The reads of a destination: one profile or many, with what it may see of each now.

Who was never told of a person is told as little as of one who does not exist; who was is told that
there is nothing to see any more.
"""

from collections.abc import Sequence
from typing import Any

from identity.operations.destinations.destination_scope import Scope, disclose, only_id, open_scope, seen, told_before
from identity.operations.profiles.find_profile import MOST_DOCUMENTS
from identity.operations.profiles.profile import Opened
from identity.planning.destinations.policy import Visible
from identity.spaces.space import Space, retry_on_key_rotation
from identity.store.profiles import profile_queries
from identity.values.calls import Identifier
from identity.values.errors import Conflict, DatabaseUnavailable, ProfileNotFound
from identity.values.identifiers import parse
from identity.values.ids import private, public_profile

ATTEMPTS = 8
GRANTED, WITHHELD = "granted", "withheld"


async def get_profile(space: Space, destination_id: str, ref: str) -> dict[str, Any]:
    """What a destination may see of a profile. BadIdentifier, ProfileNotFound, DestinationNotFound, TooMuch."""
    told = (await lookup(space, destination_id, [ref]))[ref]
    if told is None:
        raise ProfileNotFound
    return told


@retry_on_key_rotation
async def lookup(space: Space, destination_id: str, refs: Sequence[str]) -> dict[str, dict[str, Any] | None]:
    """Many at once, by `type:value` or id as it was written; None where there is nobody to see.

    A destination finds people by ids, and by identifiers that it may see.
    """
    ours: set[bytes] = set()
    for _ in range(ATTEMPTS):
        scope = await open_scope(space, destination_id)
        found, asked = await _find(space, scope, refs)
        opened = Opened.each(space, found)
        views = {head: await seen(scope, each) for head, each in opened.items()}
        before = await told_before(space, scope, [member.id for member in found.members])
        knows = {row.origin for row in before} - ours
        saw = {row.origin for row in before if row.fields != only_id(space)} & knows
        try:
            fresh = await disclose(space, scope, [(opened[head], view) for head, view in views.items()], before)
        except Conflict:
            continue
        if fresh:
            # What takes it back finds on record that it was told only from now on: so it is read from now on.
            ours |= fresh - knows
            continue
        written = {row.origin for row in before}
        answers = {
            head: await answer(scope, each, view, written) if not view.nothing or _told(each, knows) else None
            for (head, each), view in zip(opened.items(), views.values(), strict=True)
        }
        return {
            ref: answers[head]
            if (head := found.heads.get(nr)) is not None and _by(asked.get(nr), opened[head], views[head], saw)
            else None
            for nr, ref in enumerate(refs)
        }
    raise DatabaseUnavailable


async def answer(scope: Scope, opened: Opened, view: Visible, knows: set[bytes]) -> dict[str, Any]:
    """A profile as a destination is shown it that `knows` these origins."""
    names = await opened.names()
    held = [opened.identifiers[at] for at in view.identifiers]
    return {
        "profile_id": opened.public_id,
        "merged_from": sorted(
            public_profile(m.id) for m in opened.members if m.id != opened.head.canonical and m.id in knows
        ),
        "version": opened.head.version + scope.offset,
        "consent": WITHHELD if view.nothing else GRANTED,
        "identifiers": [{"type": names[each.type], "value": opened.value(each)} for each in held],
        "traits": view.traits,
    }


def _told(opened: Opened, knows: set[bytes]) -> bool:
    return any(member.id in knows for member in opened.members)


def _by(keys: Sequence[bytes] | None, opened: Opened, view: Visible, saw: set[bytes]) -> bool:
    """Whether a profile may be found by an identifier: it is seen, or its origin was and nothing is any more."""
    if keys is None or any(opened.identifiers[at].key in keys for at in view.identifiers):
        return True
    return view.nothing and any(each.key in keys and each.origin in saw for each in opened.identifiers)


async def _find(
    space: Space, scope: Scope, refs: Sequence[str]
) -> tuple[profile_queries.Profiles, dict[int, Sequence[bytes]]]:
    """The profiles by questions, and which of these were by which identifier; each kind in one statement."""
    region = (await space.rules()).region
    ids: dict[int, bytes] = {}
    named: dict[int, Identifier] = {}
    for nr, ref in enumerate(refs):
        id_ = private("prf", ref)
        if id_ is not None:
            ids[nr] = id_
            continue
        identifier = parse(ref, region)
        if scope.entitled.identifier(identifier.type):
            named[nr] = identifier
    heads: dict[int, bytes] = {}
    members: dict[bytes, profile_queries.Member] = {}
    held: list[profile_queries.Held] = []
    async with space.database.reading() as connection:
        newest = space.keys.versions.newest
        keys = [space.keys.identifiers(each.type, each.value) for each in named.values()]
        for asked in (list(named), list(ids)):
            if not asked:
                continue
            if asked[0] in named:
                found = await profile_queries.by_keys(connection, space.tenant, keys, MOST_DOCUMENTS + 1, newest)
            else:
                found = await profile_queries.by_ids(connection, space.tenant, list(ids.values()), MOST_DOCUMENTS + 1)
            heads |= {asked[at]: head for at, head in found.heads.items()}
            # Who is found both ways has the identifiers that were read with the first.
            held += [each for each in found.identifiers if each.origin not in members]
            members |= {member.id: member for member in found.members if member.id not in members}
    return profile_queries.Profiles(heads, list(members.values()), held), dict(zip(named, keys, strict=True))
