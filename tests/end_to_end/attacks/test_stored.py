"""Attacks 43 to 50: sealed bytes that were altered, moved or put back into their rows, then read through the API."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import psycopg
import pytest

from tests.app.conftest import Shop

SECRET = "of-ann-7d1f"
HEADER, LEAST = 68, 84
Rows = psycopg.Connection[Any]


class StoredDocument(NamedTuple):
    """A person's stored document with its version, and the id of the key that seals it."""

    profile: str
    version: int
    document: bytes
    key_id: bytes


@pytest.fixture
def ann(shop: Shop, rows: Rows) -> Iterator[StoredDocument]:
    """Ann, who is read again as she was when the test ends."""
    shop.send({"type": "identify", "userId": "ann", "traits": {"secret": SECRET}})
    stored = stored_document(shop, rows, "ann")
    yield stored
    put(rows, stored)
    response = shop.ask("GET", "/v1/profiles/user_id:ann")
    assert (response.status_code, response.json()["traits"]) == (200, {"secret": SECRET})


def stored_document(shop: Shop, rows: Rows, user: str) -> StoredDocument:
    """The stored document of a person."""
    profile = shop.ask("GET", f"/v1/profiles/user_id:{user}").json()["profile_id"].removeprefix("prf_")
    query = """SELECT d.version, d.document, s.key_id FROM profile_document d JOIN subject_key s USING (profile_id)
               WHERE profile_id = %s"""
    version, document, key_id = rows.execute(query, [profile]).fetchone() or (0, b"", UUID(int=0))
    return StoredDocument(profile, version, bytes(document), key_id.bytes)


def put(rows: Rows, stored: StoredDocument) -> None:
    """Overwrites a profile's document."""
    update = "UPDATE profile_document SET version = %s, document = %s WHERE profile_id = %s"
    assert rows.execute(update, [stored.version, stored.document, stored.profile]).rowcount == 1


def refused(shop: Shop, rows: Rows, stored: StoredDocument, **changed: Any) -> httpx.Response:
    """The answer to a reader of what was altered, which must be a refusal that shows nothing."""
    put(rows, stored._replace(**changed))
    response = shop.ask("GET", "/v1/profiles/user_id:ann")
    assert (response.status_code, response.json()["code"]) == (503, "seal_broken"), changed
    assert SECRET not in response.text
    return response


def test_attack_43_an_altered_byte_is_refused(shop: Shop, rows: Rows, ann: StoredDocument) -> None:
    """No altered byte is read, be it of the head or of what follows, and all are refused in the same words."""
    answers = set()
    for at in [*range(HEADER), *range(HEADER, len(ann.document), 7), len(ann.document) - 1]:
        altered = bytearray(ann.document)
        altered[at] ^= 1 << at % 8
        answers.add(refused(shop, rows, ann, document=bytes(altered)).content)
    assert len(answers) == 1


def test_attacks_44_and_45_a_document_of_another_person_is_refused(
    shop: Shop, other_shop: Shop, rows: Rows, ann: StoredDocument
) -> None:
    """The document of another person, or of another space, is nobody's here; who it belongs to is read as before."""
    for where in (shop, other_shop):
        where.send({"type": "identify", "userId": "bob", "traits": {"secret": "of-bob"}})
        bob = stored_document(where, rows, "bob")
        assert "of-bob" not in refused(shop, rows, ann, version=bob.version, document=bob.document).text
        assert where.ask("GET", "/v1/profiles/user_id:bob").json()["traits"] == {"secret": "of-bob"}


@pytest.mark.parametrize(
    "column",
    ["value FROM profile_identifier", "payload FROM evidence", "payload FROM event"],
)
def test_attack_46_bytes_of_another_column_are_refused(
    shop: Shop, rows: Rows, ann: StoredDocument, column: str
) -> None:
    """What was sealed for one column is not read from another, although key and person are right."""
    shop.send({"type": "track", "event": "E", "userId": "ann"})
    (other,) = rows.execute(f"SELECT {column} WHERE profile_id = %s".encode(), [ann.profile]).fetchone() or (b"",)
    refused(shop, rows, ann, document=bytes(other))


def test_attack_47_an_older_version(shop: Shop, rows: Rows, ann: StoredDocument) -> None:
    """Neither an old document in the new row is read, nor a new one in the old row."""
    shop.send({"type": "identify", "userId": "ann", "traits": {"secret": "newer"}})
    newer = stored_document(shop, rows, "ann")
    assert newer.version > ann.version
    refused(shop, rows, ann, document=newer.document)
    refused(shop, rows, newer, document=ann.document)


def test_attacks_48_and_49_malformed_bytes_are_refused(shop: Shop, rows: Rows, ann: StoredDocument) -> None:
    """Unknown versions, algorithms and flags, and what is too short to be anything, crash nothing."""
    for at, value in ((0, 0), (1, 2), (2, 0), (2, 255), (3, 0x80), (5, 9), (6, 1)):
        refused(shop, rows, ann, document=ann.document[:at] + bytes([value]) + ann.document[at + 1 :])
    for length in (0, 1, LEAST - 1, LEAST, len(ann.document) - 1):
        refused(shop, rows, ann, document=ann.document[:length])
    refused(shop, rows, ann, document=ann.document + b"\0")


def test_attack_50_the_key_of_another(shop: Shop, rows: Rows, ann: StoredDocument) -> None:
    """With the key id of another in its head, or under that key's row, it does not open."""
    shop.send({"type": "identify", "userId": "bob"})
    (bob,) = rows.execute(
        "SELECT key_id, wrapped, slot FROM subject_key WHERE space_id = (SELECT space_id FROM subject_key WHERE"
        " profile_id = %s) AND profile_id <> %s",
        [ann.profile, ann.profile],
    ).fetchall()
    refused(shop, rows, ann, document=ann.document[:8] + bob[0].bytes + ann.document[24:])
    own = rows.execute("SELECT key_id, wrapped, slot FROM subject_key WHERE profile_id = %s", [ann.profile]).fetchone()
    assert own
    update = "UPDATE subject_key SET key_id = %s, wrapped = %s, slot = %s WHERE profile_id = %s"
    rows.execute(update, [*bob, ann.profile])
    refused(shop, rows, ann)
    rows.execute(update, [own[0], bob[1], bob[2], ann.profile])
    refused(shop, rows, ann)
    rows.execute(update, [*own, ann.profile])
