"""A person whom one read refuses to show is refused by every read, with the same code and without any value."""

from collections.abc import Callable
from typing import Any, NamedTuple

import psycopg
import pytest

from tests.app.conftest import Shop
from tests.support.http.waiting_joins import joins, public

Rows = psycopg.Connection[Any]
SECRET = "of-ann-2c71"
ANN = {
    "type": "identify", "userId": "ann", "anonymousId": "ann-phone",
    "traits": {"email": "ann@shop.example", "secret": SECRET},
    "context": {"consent": {"categoryPreferences": {"Marketing": True}}},
}  # fmt: skip
EXPORT = {"identifiers": ["user_id:ann"]}


class Read(NamedTuple):
    """A read of a person; `key` is the name of a key of the space, `{...}` are ids of the test."""

    key: str
    path: str
    json: dict[str, Any] | None = None
    method: str = "GET"


USER = "/v1/spaces/{space}/collections/users/profiles/user_id:ann"
READS = (
    Read("profiles", "/v1/profiles/user_id:ann"),
    Read("profiles", "/v1/profiles/email:ann@shop.example?verbose=true"),
    Read("profiles", "/v1/profiles/{profile}"),
    Read("admin", "/v1/profiles"),
    Read("profiles", "/v1/profiles/lookup", EXPORT, "POST"),
    Read("profiles", "/v1/profiles/user_id:ann/identifiers"),
    Read("profiles", "/v1/profiles/user_id:ann/history"),
    Read("profiles", "/v1/profiles/{profile}/history"),
    Read("profiles", "/v1/profiles/user_id:ann/graph"),
    Read("profiles", "/v1/profiles/user_id:ann/explain?from=user_id:ann&to=anonymous_id:ann-phone"),
    Read("privacy", "/v1/consent/user_id:ann"),
    *(Read("profiles", f"{USER}/{each}") for each in ("traits", "external_ids", "events", "metadata", "links")),
    Read("profiles", "/v1/spaces/{space}/collections/accounts/profiles/group_id:acme/links"),
    Read("profiles", "/v1/spaces/{space}/collections/accounts/profiles/group_id:acme/events"),
    Read("destination", "/v1/destination/profiles/user_id:ann"),
    Read("destination", "/v1/destination/profiles/lookup", EXPORT, "POST"),
    Read("destination", "/v1/changes"),
    Read("admin", "/v1/destinations/mail/explain?identifier=user_id:ann&trait=secret"),
    Read("privacy", "/v1/exports", EXPORT, "POST"),
)
OF_IDENTIFIERS = {
    "/v1/profiles/user_id:ann", "/v1/profiles", "/v1/profiles/lookup", "/v1/profiles/user_id:ann/identifiers",
    "/v1/profiles/user_id:ann/history", "/v1/profiles/user_id:ann/graph", "/v1/exports", "/v1/changes",
    "/v1/destination/profiles/user_id:ann", "/v1/destination/profiles/lookup", f"{USER}/external_ids",
}  # fmt: skip
"""The reads that show identifiers."""
IDS = (Read("admin", "/v1/spaces/{space}/collections/users/profiles"),)
"""A list of ids, which opens nothing."""
HIDDEN = (
    Read("privacy", "/v1/joins"),
    Read("privacy", "/v1/joins/{join}"),
    Read("privacy", "/v1/joins/{join}/confirm", {}, "POST"),
    Read("privacy", "/v1/joins/{join}/refuse", {}, "POST"),
    Read("admin", "/v1/rejections"),
    Read("admin", "/v1/rejections/summary"),
)
"""Lists of calls, which open the calls and their keys alone, and what is decided on them."""


def damage_key(_: Shop, rows: Rows, number: int) -> None:
    """The keys of all people are those of nobody."""
    rows.execute(
        "UPDATE subject_key SET wrapped = sha256(wrapped) WHERE space_id = %s",
        [number],
    )


def damage_document(_: Shop, rows: Rows, number: int) -> None:
    """The documents of all people are altered."""
    rows.execute(
        "UPDATE profile_document SET document = sha256(document) WHERE space_id = %s",
        [number],
    )


def hidden_by_an_erasure(shop: Shop, rows: Rows, number: int) -> None:
    """An erasure waits for a hold, and a database writer shows the person again."""
    held = shop.ask("POST", "/v1/holds", "privacy", json={"identifiers": ["user_id:ann"], "reason": "case"})
    assert held.status_code in (200, 201), held.text
    asked = shop.ask("POST", "/v1/erasures", "privacy", json=EXPORT)
    assert asked.status_code in (200, 202), asked.text
    rows.execute("UPDATE profile SET withheld = false WHERE space_id = %s", [number])


def damage_identifiers(_: Shop, rows: Rows, number: int) -> None:
    """The identifiers of all people are altered."""
    rows.execute("UPDATE profile_identifier SET value = sha256(value) WHERE space_id = %s", [number])


@pytest.fixture
def ids(shop: Shop) -> dict[str, str]:
    """Ann in a group, with a call in part rejected, a join that waits, and a destination that may see her."""
    assert shop.ask("PUT", "/v1/purposes", json={"purposes": [{"id": "Marketing", "class": "ads"}]}).status_code == 200
    made = shop.ask(
        "PUT", "/v1/destinations/mail", json={"purposes": ["Marketing"], "traits": ["*"], "identifiers": ["user_id"]}
    )
    assert made.status_code == 201, made.text
    shop.keys["destination"] = made.json()["secret"]
    shop.send(
        ANN,
        {"type": "group", "userId": "ann", "groupId": "acme"},
        {"type": "group", "userId": "bob", "groupId": "acme"},
        {"type": "track", "userId": "ann", "event": "Seen"},
        {"type": "track", "userId": "ann", "anonymousId": "null", "event": "Seen"},
    )
    public(shop, {"type": "identify", "anonymousId": "tablet", "traits": {"email": "ann@shop.example"}})
    profile = shop.ask("GET", "/v1/profiles/user_id:ann").json()["profile_id"]
    return {"space": shop.space_id, "profile": profile, "join": joins(shop)[0]["join_id"]}


def answers(shop: Shop, reads: tuple[Read, ...], ids: dict[str, str]) -> dict[str, tuple[int, str | None]]:
    """The status and the code of each read, by its method and path."""
    found = {}
    for read in reads:
        body = {"json": read.json} if read.json is not None else {}
        response = shop.ask(read.method, read.path.format(**ids), read.key, **body)
        assert response.status_code < 400 or SECRET not in response.text
        refusal = response.json() if response.status_code >= 400 else {}
        # Segment's Profile API names the code of every 503 in its own form.
        code = refusal.get("code", "of Segment")
        found[f"{read.method} {read.path}"] = (response.status_code, code)
    return found


@pytest.mark.parametrize(
    ("harm", "code", "reads"),
    [
        (hidden_by_an_erasure, "rolled_back", READS + HIDDEN + IDS),
        (damage_key, "seal_broken", READS + HIDDEN),
        (damage_document, "seal_broken", READS),
        (damage_identifiers, "seal_broken", tuple(each for each in READS if each.path in OF_IDENTIFIERS)),
    ],
)
def test_every_read_of_such_a_person_has_one_answer(
    shop: Shop,
    rows: Rows,
    ids: dict[str, str],
    harm: Callable[[Shop, Rows, int], None],
    code: str,
    reads: tuple[Read, ...],
) -> None:
    """Also the request for an export, which would lack the person."""
    before = answers(shop, tuple(each for each in reads if each.method == "GET"), ids)
    assert {path: answer for path, answer in before.items() if answer[0] != 200} == {}
    space = [shop.space_id.removeprefix("spc_")]
    (number,) = rows.execute("SELECT id FROM space WHERE public_id = %s", space).fetchone() or (0,)
    harm(shop, rows, number)
    after = answers(shop, reads, ids)
    assert {path: answer for path, answer in after.items() if answer not in ((503, code), (503, "of Segment"))} == {}
    assert shop.ask("GET", "/v1/exports", "privacy").json()["exports"] == []
