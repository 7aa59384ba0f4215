"""Reads the versions of rules, purposes and destinations that are in force in the database."""

from collections.abc import Sequence
from typing import NamedTuple

from identity.store.postgres.arrays import int4s
from identity.store.postgres.database import Connection, rows
from identity.values.ids import DestinationId, SpaceNumber


class SettingsVersionsRow(NamedTuple):
    """The versions in force in one space; 0 before the first document.

    `rules_stored`: the database holds the document of the rules in force, or there is none yet. `defaults` is the
    generation of default rules that the space began with.
    """

    space_id: SpaceNumber
    rules: int
    purposes: int
    rules_stored: bool
    defaults: int


class DestinationVersionRow(NamedTuple):
    """A live destination."""

    space_id: SpaceNumber
    public_id: DestinationId
    version: int


async def settings_versions(connection: Connection, space_ids: Sequence[SpaceNumber]) -> list[SettingsVersionsRow]:
    """The versions of rules and purposes in these spaces."""
    found = await rows(
        connection,
        """
        SELECT g.space_id, g.rules_version, coalesce(p.version, 0), g.rules_version = 0 OR EXISTS (
            SELECT FROM rules r WHERE r.space_id = g.space_id AND r.version = g.rules_version
        ), s.rules_defaults
        FROM space_gate g JOIN space s ON s.id = g.space_id LEFT JOIN LATERAL (
            SELECT version FROM purposes WHERE space_id = g.space_id ORDER BY version DESC LIMIT 1
        ) p ON true
        WHERE g.space_id = ANY ($1::int4[])
        """,
        int4s(space_ids),
    )
    return [SettingsVersionsRow(*each) for each in found]


async def destination_versions(connection: Connection, space_ids: Sequence[SpaceNumber]) -> list[DestinationVersionRow]:
    """The versions of the live destinations of these spaces."""
    found = await rows(
        connection,
        "SELECT space_id, public_id, version FROM destination WHERE space_id = ANY ($1::int4[]) AND deleted_at IS NULL",
        int4s(space_ids),
    )
    return [DestinationVersionRow(*each) for each in found]
