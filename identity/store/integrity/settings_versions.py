"""Reads the versions of rules, purposes, identity keys and destinations that are in force in the database."""

from collections.abc import Sequence
from typing import NamedTuple

from identity.store.postgres.arrays import int4s
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.tenant import Tenant
from identity.values.enums import SpaceMark
from identity.values.ids import DestinationId, SpaceNumber
from identity.values.stamps import Stamp


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
    identity_keys: int


class DestinationVersionRow(NamedTuple):
    """A live destination."""

    space_id: SpaceNumber
    public_id: DestinationId
    version: int


async def settings_versions(connection: Connection, space_ids: Sequence[SpaceNumber]) -> list[SettingsVersionsRow]:
    """The versions of rules, purposes and identity keys in these spaces."""
    found = await rows(
        connection,
        """
        SELECT g.space_id, g.rules_version, coalesce(p.version, 0), g.rules_version = 0 OR EXISTS (
            SELECT FROM rules r WHERE r.space_id = g.space_id AND r.version = g.rules_version
        ), s.rules_defaults, coalesce(i.version, 0)
        FROM space_gate g JOIN space s ON s.id = g.space_id LEFT JOIN LATERAL (
            SELECT version FROM purposes WHERE space_id = g.space_id ORDER BY version DESC LIMIT 1
        ) p ON true LEFT JOIN LATERAL (
            SELECT version FROM identity_keys WHERE space_id = g.space_id ORDER BY version DESC LIMIT 1
        ) i ON true
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


async def marks_and_rules(connection: Connection, tenant: Tenant) -> tuple[int, Stamp]:
    """The marks of the tables in which a space has rows, and the stamp of its newest rules; 0 without any."""
    found = await row(
        connection,
        f"""
        SELECT
            CASE WHEN EXISTS (SELECT FROM suppression WHERE space_id = $1::int4 AND bucket = $2::int4)
                THEN {SpaceMark.SUPPRESSED.value} ELSE 0 END
            + CASE WHEN EXISTS (SELECT FROM blocked_key WHERE space_id = $1::int4 AND bucket = $2::int4)
                THEN {SpaceMark.BLOCKED.value} ELSE 0 END
            + CASE WHEN EXISTS (SELECT FROM cut WHERE space_id = $1::int4 AND bucket = $2::int4)
                THEN {SpaceMark.CUTS.value} ELSE 0 END,
            coalesce((SELECT max(stamp) FROM rules WHERE space_id = $1::int4), 0)
        """,  # noqa: S608 (numbers of marks)
        tenant.id,
        tenant.base,
    )
    return (0, Stamp(0)) if found is None else (int(found[0]), Stamp(found[1]))
