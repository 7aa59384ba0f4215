"""Acknowledgements and direct reads of a destination against its feed."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from typing import Any

import pytest

from identity.planning.resolution.event_time import parse_time
from identity.values.documents import MAX_KEYS, SERVER_KEYS, SPARE_KEYS
from identity.values.ids import private
from tests.app.conftest import Shop
from tests.support.destinations.destination_feed import PURPOSES, Feed, statement


@pytest.fixture
def feed(shop: Shop) -> Callable[..., Feed]:
    """Destinations of a space with purposes."""
    assert shop.ask("PUT", "/v1/purposes", json=PURPOSES).json() == {"version": 1}
    return lambda *name, **entitled: Feed(shop, *name, **entitled)


def test_a_read_during_a_withdrawal_is_withdrawn(shop: Shop, rows: Any, feed: Callable[..., Feed]) -> None:
    """Or the read already shows the state after it."""
    mail = feed()
    shop.send(statement({"Marketing": False}, userId="eve"))
    mail.pull()
    shop.send(statement({"Marketing": True}, userId="ann", traits={"plan": "pro", "email": "ann@example.org"}))
    waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'disclosure'::regclass AND NOT granted"
    with ThreadPoolExecutor(1) as pool:
        with rows.transaction():
            # Whatever is about to be written down waits here.
            rows.execute("LOCK TABLE disclosure IN SHARE MODE")
            looking = pool.submit(mail.look, "email:ann@example.org")
            while not rows.execute(waiting).fetchone()[0]:
                time.sleep(0.01)
            shop.send(statement({"Marketing": False}, userId="ann"))
            mail.cursor = mail.page(limit=1).json()["cursor"]
            assert [line["op"] for line in mail.pull()] == []
        answer = looking.result()
    assert answer.status_code == 404 or answer.json()["traits"] == {} or mail.pull() != []


def erased(shop: Shop, who: str) -> Callable[[], list[str]]:
    """Erases a person; returns the states at destinations."""
    asked = shop.ask("POST", "/v1/erasures", "privacy", json={"identifiers": [f"user_id:{who}"]}).json()
    path = f"/v1/erasures/{asked['erasures'][0]['erasure_id']}"
    return lambda: [each["status"] for each in shop.ask("GET", path, "privacy").json()["destinations"]]


def test_a_fresh_walk_acknowledges_erasures_at_its_end_only(shop: Shop, feed: Callable[..., Feed]) -> None:
    """Half way through it has applied none."""
    mail = feed()
    shop.send(*(statement({"Marketing": True}, userId=f"u{nr}", traits={"plan": nr}) for nr in range(4)))
    mail.pull()
    mail.ack()
    states = erased(shop, "u0")
    mail.cursor = None
    page = mail.page(limit=1).json()
    mail.cursor = page["cursor"]
    assert mail.ack()["erasures"] == 0
    assert states() == ["queued"]
    mail.pull()
    assert mail.ack()["erasures"] == 1
    assert states() == ["done"]


def test_an_expired_grant_has_the_time_of_its_end(shop: Shop, rows: Any, feed: Callable[..., Feed]) -> None:
    """However old the last call of the person is."""
    mail = feed()
    shop.send(statement({"Marketing": True}, userId="ann", traits={"plan": "pro"}))
    mail.pull()
    space = private("spc", shop.space_id)
    assert space is not None
    mine = "space_id = (SELECT id FROM space WHERE public_id = %s)"
    rows.execute(f"UPDATE profile SET stamp = 1 WHERE {mine}", [space.hex()])
    rows.execute(f"UPDATE disclosure SET until = 1 WHERE {mine}", [space.hex()])
    (line,) = mail.page(wait=30).json()["changes"]
    at = parse_time(line["at"])
    assert at is not None
    assert at / 1e6 > time.time() - 60


def test_no_erasure_waits_for_a_deleted_destination(shop: Shop, feed: Callable[..., Feed]) -> None:
    """People have to settle what it knew."""
    mail = feed()
    shop.send(statement({"Marketing": True}, userId="ann", traits={"plan": "pro"}))
    mail.pull()
    assert shop.ask("DELETE", "/v1/destinations/mail").status_code == 204
    assert erased(shop, "ann")() == ["unsupported_manual"]


def test_a_recorded_denial_counts_in_a_full_document(shop: Shop, feed: Callable[..., Feed]) -> None:
    """A grant that found no room is not answered."""
    mail = feed(purposes=["Product"])
    shop.ask("PUT", "/v1/purposes", json={**PURPOSES, "unset": "allow"})
    names = [f"t{nr}" for nr in range(MAX_KEYS + SERVER_KEYS)]
    parts = [names[at : at + 250] for at in range(0, len(names), 250)]
    shop.send(*(statement(userId="ann", traits=dict.fromkeys(part, 1)) for part in parts))

    def say(decisions: dict[str, bool]) -> dict[str, bool]:
        recorded = {"identifier": "user_id:ann", "decisions": decisions}
        decided: dict[str, bool] = shop.ask("POST", "/v1/consent", "privacy", json=recorded).json()["decisions"]
        return decided

    shop.send(statement(userId="ann", traits={"t0": 2}))
    mail.shop.ask("PUT", "/v1/destinations/mail", json={"purposes": ["Product"], "traits": ["t0"]})
    mail.pull()
    assert [held["traits"] for held in mail.held.values()] == [{"t0": 2}]
    fill = {f"c{nr}": True for nr in range(SPARE_KEYS)}
    shop.ask("PUT", "/v1/purposes", json={"purposes": [{"id": name, "class": "ads"} for name in fill]})
    assert say(fill) == fill
    shop.ask("PUT", "/v1/purposes", json={**PURPOSES, "unset": "allow"})
    assert say({"Marketing": True, "Product": False}) == {"Product": False}
    mail.pull()
    assert mail.held == {}


def test_a_key_waits_for_changes_once(shop: Shop, feed: Callable[..., Feed]) -> None:
    """Of many requests that wait the newest goes on, and the others are answered with their cursor."""
    mail = feed()
    shop.send(statement({"Marketing": True}, userId="ann"))
    mail.pull()
    with ThreadPoolExecutor(10) as pool:
        waiting = [pool.submit(mail.page, wait=30) for _ in range(10)]
        ended = [each.result().json() for each in islice(as_completed(waiting), 9)]
        shop.send(statement({"Marketing": True}, userId="ann", traits={"plan": "pro"}))
        pages = [each.result().json() for each in waiting]

    assert [page["changes"] for page in ended] == [[]] * 9
    assert {page["cursor"] for page in ended} == {mail.cursor}
    assert sum(len(page["changes"]) for page in pages) == 1
