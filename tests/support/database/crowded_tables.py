"""Fills the tables of people in a moment: rows with random ids and no meaning, so that only their number counts."""

import psycopg

# The tables that grow with people, and how a row of each follows from a number `n` of a space `s`.
_KEY = "sha256(('{table}' || s || '.' || n)::bytea)"
# After every id that an operation makes, so that a page of a list begins with people who can be read.
_ID = "('ffff' || right(md5(s || '.' || n), 28))::uuid"
TABLES = {
    "profile": f"(profile_id, space_id, bucket, version, stamp, born, elder, events, head, canonical, own, withheld) "
    f"SELECT {_ID}, s, b, 1, n, n, n, 1, {_ID}, {_ID}, '', true",
    "identifier": f"(key, space_id, bucket, profile_id) SELECT {_KEY}, s, b, {_ID}",
    "profile_identifier": f"(profile_id, key, space_id, bucket, type, source, linked_at, first_seen, last_seen, value) "
    f"SELECT {_ID}, {_KEY}, s, b, 1, 1, n, n, n, ''",
    "profile_document": f"(profile_id, space_id, bucket, version, document) SELECT {_ID}, s, b, 1, ''",
    "subject_key": f"(profile_id, space_id, bucket, slot, key_id, wrapped) SELECT {_ID}, s, b, n % 256, {_ID}, ''",
    "sighting": f"(profile_id, set_key, space_id, bucket, count, days, last_day, first_seen, last_seen, "
    f"sources) SELECT {_ID}, {_ID}, s, b, 1, 1, 1, n, n, ''",
    "evidence": f"(profile_id, stamp, space_id, bucket, kind, rules_version, kept, payload) "
    f"SELECT {_ID}, n, s, b, 0, 0, '', ''",
    "history": f"(profile_id, stamp, seq, space_id, bucket, kind, rules_version, keys) "
    f"SELECT {_ID}, n, 0, s, b, 0, 0, ''",
    "message": f"(key, space_id, bucket, batch) SELECT {_ID}, s, b, n",
    "account": f"(key, space_id, bucket, account_id, version, group_id, document) "
    f"SELECT {_KEY}, s, b, {_ID}, 1, '', ''",
    "membership": f"(group_key, profile_id, space_id, bucket) SELECT {_KEY}, {_ID}, s, b",
    "disclosure": f"(profile_id, destination, fields, space_id, bucket, first, last, until) "
    f"SELECT {_ID}, 1, {_ID}, s, b, n, n, 1::int8 << 62",
    "claim": f"(key, profile_id, space_id, bucket, join_id, since, last, times) "
    f"SELECT {_KEY}, {_ID}, s, b, {_ID}, n, n, 1",
    "suppression": f"(key, space_id, bucket) SELECT {_KEY}, s, b",
    "privacy_request": f"(request_id, space_id, bucket, front, kind, regulation, state, received_at, actor) "
    f"SELECT {_ID}, s, b, 0, 0, 0, 2, n, ''",
    "erasure": f"(erasure_id, space_id, bucket, request_id, nr, kind, regulation, state, type, key, hash, commitment, "
    f"received_at) SELECT {_ID}, s, b, {_ID}, 1, 0, 0, 2, 1, {_KEY}, {_KEY}, '', n",
}  # fmt: skip


def fill(connection: psycopg.Connection, spaces: str, rows: int) -> None:
    """Give each space of a query of (number, bucket) this many rows in every table; no statistics are made of them."""
    for table, columns in TABLES.items():
        values = columns.replace("{table}", table)
        statement = f"INSERT INTO {table} {values} FROM ({spaces}) AS space (s, b), generate_series(1, {rows}) n"
        connection.execute(statement.encode())
