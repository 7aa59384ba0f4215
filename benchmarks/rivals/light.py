"""The light sequence, after PostHog's: no crypto, no evidence, no feed, four tables.

One transaction per call: fetch the person of each identifier; create, attach, or move the identifiers
and delete; update the properties; store the event, whose key makes the call count once. A race on a
new identifier violates its unique key, and the call starts again.
"""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import AsyncConnection, errors
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from benchmarks.rivals.lean import Application, application

TEAM = 1
SCHEMA = """
CREATE TABLE person (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, uuid uuid NOT NULL, team_id int NOT NULL,
    properties jsonb NOT NULL, version bigint NOT NULL DEFAULT 0, created_at timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE TABLE distinct_id (
    team_id int NOT NULL, distinct_id text NOT NULL, person_id bigint NOT NULL, PRIMARY KEY (team_id, distinct_id)
);
CREATE INDEX ON distinct_id (person_id);
CREATE TABLE override (
    team_id int NOT NULL, old_person uuid NOT NULL, new_person uuid NOT NULL, PRIMARY KEY (team_id, old_person)
);
CREATE TABLE event (
    message_id text NOT NULL, team_id int NOT NULL, person uuid NOT NULL, name text NOT NULL,
    at timestamptz NOT NULL, body jsonb NOT NULL, PRIMARY KEY (message_id, team_id)
);
"""
COUNTS = """
SELECT (SELECT count(*) FROM event) AS calls, (SELECT count(*) FROM person) AS profiles,
       (SELECT count(*) FROM distinct_id) AS identifiers, (SELECT sum(version) FROM person) AS versions
"""

_FETCH = (
    "SELECT p.id, p.uuid, p.properties, p.version, p.created_at FROM person p "
    "JOIN distinct_id d ON d.person_id = p.id WHERE d.team_id = %s AND d.distinct_id = %s FOR UPDATE OF p"
)
_CREATE = "INSERT INTO person (uuid, team_id, properties, version, created_at) VALUES (%s, %s, %s, 0, %s) RETURNING id"
_ATTACH = "INSERT INTO distinct_id (team_id, distinct_id, person_id) VALUES (%s, %s, %s)"
_MOVE = "UPDATE distinct_id SET person_id = %s WHERE person_id = %s AND team_id = %s"
_DELETE = "DELETE FROM person WHERE id = %s"
_OVERRIDE = "INSERT INTO override (team_id, old_person, new_person) VALUES (%s, %s, %s)"
_UPDATE = "UPDATE person SET properties = %s, version = version + 1 WHERE id = %s"
_EVENT = (
    "INSERT INTO event (message_id, team_id, person, name, at, body) VALUES (%s, %s, %s, %s, %s, %s) "
    "ON CONFLICT DO NOTHING"
)
_ATTEMPTS = 20


class Light:
    """The light store."""

    def __init__(self, url: str, connections: int) -> None:
        self._pool: AsyncConnectionPool[AsyncConnection[TupleRow]] = AsyncConnectionPool(
            url, min_size=connections, max_size=connections, open=False, timeout=120.0
        )

    async def open(self) -> None:
        """Connect."""
        await self._pool.open(wait=True)

    async def close(self) -> None:
        """Disconnect."""
        await self._pool.close()

    async def write(self, call: dict[str, Any]) -> None:
        """Commit one call in one transaction."""
        for attempt in range(_ATTEMPTS):
            try:
                async with self._pool.connection() as connection:
                    await _write(connection, call)
            except (errors.UniqueViolation, errors.DeadlockDetected):
                if attempt + 1 == _ATTEMPTS:
                    raise
            else:
                return


async def _write(connection: AsyncConnection[TupleRow], call: dict[str, Any]) -> None:
    run = connection.execute
    traits = call.get("traits") or {}
    names = [call.get("userId"), traits.get("email"), call.get("anonymousId")]
    persons: dict[int, TupleRow] = {}
    fresh = []
    for name in names:
        if name is not None:
            row = await (await run(_FETCH, [TEAM, name], prepare=True)).fetchone()
            if row is None:
                fresh.append(name)
            else:
                persons[row[0]] = row
    now = datetime.now(UTC)
    if persons:
        target, *rest = sorted(persons.values(), key=lambda row: (row[4], row[0]))
        id_, uuid, known, _, _ = target
    else:
        uuid, known, rest = uuid4(), {}, []
        made = await (await run(_CREATE, [uuid, TEAM, Jsonb({}), now], prepare=True)).fetchone()
        assert made
        id_ = made[0]
    for name in fresh:
        await run(_ATTACH, [TEAM, name, id_], prepare=True)
    properties = dict(known)
    for other in rest:
        properties = {**other[2], **properties}
        await run(_MOVE, [id_, other[0], TEAM], prepare=True)
        await run(_DELETE, [other[0]], prepare=True)
        await run(_OVERRIDE, [TEAM, other[1], uuid], prepare=True)
    properties |= traits
    if properties != known:
        await run(_UPDATE, [Jsonb(properties), id_], prepare=True)
    name = call.get("event") or call["type"]
    await run(_EVENT, [call["messageId"], TEAM, uuid, name, now, Jsonb(call)], prepare=True)


def build(url: str, history: Iterable[list[dict[str, Any]]]) -> None:
    """Create the schema, and the rows that a history of calls leads to."""
    with psycopg.connect(url) as connection:
        connection.execute(SCHEMA)
        for calls in history:
            fill(connection, calls)


def fill(connection: psycopg.Connection[TupleRow], calls: list[dict[str, Any]]) -> None:
    """Add the rows of people whose first call is here and names all their identifiers."""
    now = datetime.now(UTC)
    known: dict[str, tuple[int, Any]] = {}
    persons, distincts, events = [], [], []
    row = connection.execute("SELECT coalesce(max(id), 0) FROM person").fetchone()
    assert row
    last = int(row[0])
    for call in calls:
        traits = call.get("traits") or {}
        names = [n for n in (call.get("userId"), traits.get("email"), call.get("anonymousId")) if n is not None]
        at = next((known[n] for n in names if n in known), None)
        if at is None:
            last += 1
            at = (last, uuid4())
            persons.append((last, at[1], TEAM, Jsonb(traits), 0, now))
        for name in names:
            if name not in known:
                known[name] = at
                distincts.append((TEAM, name, at[0]))
        events.append((call["messageId"], TEAM, at[1], call["type"], now, Jsonb(call)))
    for table, rows in (
        ("person (id, uuid, team_id, properties, version, created_at)", persons),
        ("distinct_id", distincts),
        ("event", events),
    ):
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN".encode()) as copy:
            for each in rows:
                copy.write_row(each)
    connection.execute("SELECT setval(pg_get_serial_sequence('person', 'id'), (SELECT max(id) FROM person))")


def create() -> Application:
    """The factory that uvicorn calls."""
    return application(Light(os.environ["BENCH_URL"], int(os.environ["BENCH_CONNECTIONS"])))
