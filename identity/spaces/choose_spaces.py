"""Finds the spaces that an operator names in a command; the refusal lists the spaces that there are."""

from collections.abc import Sequence
from typing import Final

from identity.store.postgres.database import Database
from identity.store.spaces import spaces_and_keys
from identity.store.spaces.spaces_and_keys import SpaceRow
from identity.values.errors import Misconfigured, SpaceNotFound
from identity.values.ids import public
from identity.values.unknown_names import LISTED

_LONGEST: Final = 36


async def choose_spaces(database: Database, space_ids: Sequence[str]) -> list[SpaceRow]:
    """The spaces with these public ids, in this order; all spaces where none is named. SpaceNotFound."""
    found = await _by_id(database)
    unknown = [each for each in space_ids if each not in found]
    if unknown:
        named = unknown[0] if len(unknown[0]) <= _LONGEST else "with this id"
        raise SpaceNotFound(f"There is no space {named}. {_listed(found)}")
    return [found[each] for each in space_ids] if space_ids else list(found.values())


async def choose_space(database: Database, space_id: str | None) -> SpaceRow:
    """The space with this public id, or the only one. SpaceNotFound; Misconfigured where several could be meant."""
    chosen = await choose_spaces(database, [] if space_id is None else [space_id])
    if len(chosen) > 1:
        raise Misconfigured(f"There are several spaces; add the id of one to the command. {_listed(_keyed(chosen))}")
    if not chosen:
        raise SpaceNotFound(_listed({}))
    return chosen[0]


async def _by_id(database: Database) -> dict[str, SpaceRow]:
    async with database.of_all_spaces.reading() as connection:
        return _keyed(await spaces_and_keys.list_spaces(connection))


def _keyed(rows: Sequence[SpaceRow]) -> dict[str, SpaceRow]:
    return {public("spc", row.public_id): row for row in rows}


def _listed(found: dict[str, SpaceRow]) -> str:
    if not found:
        return "There is no space yet; POST /v1/spaces makes one."
    entries = [f"{id_} ({row.name})" for id_, row in found.items()]
    more = f" and {len(entries) - LISTED} more" if len(entries) > LISTED else ""
    return f"The spaces are: {', '.join(entries[:LISTED])}{more}."
