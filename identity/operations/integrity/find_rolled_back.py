"""Finds rules, purposes, identity keys and destinations that are older than the journal records, or missing.

Somebody put a former row back, or deleted the newest: a withdrawn entitlement would be in force again. Such settings
are refused at every use; this search is for the log, `/readyz` and the audit.
"""

from collections.abc import Sequence

import structlog

from identity.spaces.space import Space, Spaces
from identity.store.integrity.settings_versions import (
    DestinationVersionRow,
    SettingsVersionsRow,
    destination_versions,
    settings_versions,
)
from identity.store.postgres.database import Connection
from identity.values.errors import OnefoldError
from identity.values.ids import SpaceNumber, public
from identity.values.not_ready import RolledBack
from identity.vault.threads import in_key_store
from identity.vault.vouching.journal_heads import Heads

RULES, PURPOSES, DESTINATION = "rules_rolled_back", "purposes_rolled_back", "destination_rolled_back"
IDENTITY_KEYS = "identity_keys_rolled_back"
_log = structlog.get_logger(__name__)
Found = tuple[SpaceNumber, str, str]
"""A space by its number, the kind of the older row, and a label of it."""


async def find_rolled_back(spaces: Spaces, known: frozenset[Found]) -> frozenset[Found]:
    """The older rows of all spaces that this process serves; the log names those that are not `known`."""
    opened = spaces.opened()
    # One thread for all of them: a thread for each of two thousand spaces costs more than its files.
    for space, error in await in_key_store(_read_heads, opened):
        _log.error("space.heads_unread", space=space.name_in_logs, code=error.code)
    # Heads that could not be read anew are a lower bound as well. They are taken before the rows are read.
    heads = {space.tenant.id: space.heads for space in opened}
    async with spaces.database.of_all_spaces.reading() as connection:
        found = frozenset(await older_rows(connection, heads))
    for number, kind, _ in sorted(found - known):
        _log.error("space.rolled_back", space=_name(opened, number), reason=kind)
    return found


async def older_rows(connection: Connection, heads: dict[SpaceNumber, Heads]) -> list[Found]:
    """The older rows of the spaces with these heads."""
    numbers = sorted(heads)
    settings = await settings_versions(connection, numbers)
    destinations = await destination_versions(connection, numbers)
    return [found for row in settings for found in _older_settings(heads[row.space_id], row)] + [
        (row.space_id, DESTINATION, public("dst", row.public_id))
        for row in destinations
        if _is_older(heads[row.space_id], row)
    ]


def _read_heads(spaces: Sequence[Space]) -> list[tuple[Space, OnefoldError]]:
    failed = []
    for space in spaces:
        try:
            space.read_heads_of_files()
        except OnefoldError as error:
            failed.append((space, error))
    return failed


def _older_settings(heads: Heads, row: SettingsVersionsRow) -> list[Found]:
    found = [
        (row.space_id, kind, f"version {version}, and the journal has {newest}")
        for kind, version, newest in (
            (RULES, row.rules, heads.rules),
            (PURPOSES, row.purposes, heads.purposes),
            (IDENTITY_KEYS, row.identity_keys, heads.identity_keys),
        )
        if version < newest
    ]
    if not row.rules_stored:
        found.append((row.space_id, RULES, f"version {row.rules} is in force, and its document is missing"))
    if row.defaults < heads.defaults:
        found.append((row.space_id, RULES, f"defaults {row.defaults}, and the journal has {heads.defaults}"))
    return found


def _is_older(heads: Heads, row: DestinationVersionRow) -> bool:
    try:
        heads.require_destination(row.public_id, row.version)
    except RolledBack:
        return True
    return False


def _name(opened: Sequence[Space], number: SpaceNumber) -> str:
    return next(space.name_in_logs for space in opened if space.tenant.id == number)
