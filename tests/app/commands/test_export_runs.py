"""Runs of an export that meet writers, deaths and changed destinations, applied in order."""

import random
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from identity.operations.destinations.feed_export import export_steps
from identity.values.errors import BadCursor, Misconfigured, Resync
from tests.app.conftest import Shop
from tests.support.destinations.export_people import ANN, act
from tests.support.destinations.warehouse_export import Warehouse


class Death(BaseException):
    """Nothing that was to come after it comes."""


def test_an_export_behind_the_feed_starts_again(shop: Shop, rows: Any, warehouse: Callable[..., Warehouse]) -> None:
    """It drops people whose erasure it could not read."""
    house = warehouse()
    shop.send(ANN, {**ANN, "userId": "bob", "traits": {"email": "bob@example.org"}})
    house.run()
    shop.ask("POST", "/v1/erasures", "privacy", json={"identifiers": ["user_id:bob"]})
    of = "WHERE space_id = (SELECT max(id) FROM space WHERE name = %s)"
    rows.execute(f"DELETE FROM change {of}", [shop.name])
    rows.execute(f"UPDATE lane_head SET base = seq {of}", [shop.name])
    made = house.run()
    assert (made.run, made.snapshot) == (3, True)
    house.agrees()
    assert len(house.standing()) == 1


def test_a_run_that_misses_something_on_its_way_starts_again(shop: Shop, warehouse: Callable[..., Warehouse]) -> None:
    """Nothing it wrote before counts."""
    house = warehouse()
    shop.send(*({**ANN, "userId": f"u{nr}", "traits": {"n": nr}} for nr in range(260)))
    missed = ["user_id:u0"]

    async def missing(*args: Any, **given: Any) -> AsyncIterator[Any]:
        async for step in export_steps(*args, **given):
            yield step
            if missed:
                shop.ask("POST", "/v1/erasures", "privacy", json={"identifiers": [missed.pop()]})
                raise Resync

    made = house.run(missing, part_bytes=1)
    assert (made.run, made.snapshot) == (2, True)
    assert {path.name[:10] for path in house.folder.rglob("*.parquet")} == {"part-00002"}
    house.agrees()
    assert len(house.standing()) == 259
    with house.read() as connection:
        (since,) = connection.execute("SELECT since FROM counted").fetchone() or (0,)
    assert since > 0


def test_runs_beside_eight_writers_skip_nothing(shop: Shop, warehouse: Callable[..., Warehouse]) -> None:
    """The first run after the writers end shows the current state."""
    house, busy = warehouse(), threading.Event()

    def write(seed: int) -> None:
        rng = random.Random(seed)
        with httpx.Client(base_url=shop.client.base_url, timeout=60) as client:
            mine = Shop(client, shop.space_id, shop.name, shop.keys)
            while not busy.is_set():
                act(rng, mine, dict)

    writers = [threading.Thread(target=write, args=(nr,)) for nr in range(8)]
    for each in writers:
        each.start()
    try:
        for _ in range(4):
            house.run()
    finally:
        busy.set()
        for each in writers:
            each.join()
    house.run()
    house.agrees()


def test_a_run_that_dies_continues_after_its_last_part(shop: Shop, warehouse: Callable[..., Warehouse]) -> None:
    """As the same run."""
    house = warehouse()
    shop.send(*({**ANN, "userId": f"u{nr}", "traits": {"n": nr}} for nr in range(600)))
    places: list[tuple[Any, int]] = []

    async def dying(space: Any, id_: str, cursor: Any, *, first: bool) -> AsyncIterator[Any]:
        async for step in export_steps(space, id_, cursor, first=first):
            places.append((cursor, step.done))
            yield step
            if len(places) == 2:
                raise Death

    with pytest.raises(Death):
        house.run(dying, part_bytes=1)
    assert len(house.standing()) == 500
    made = house.run(dying, part_bytes=1)
    assert (made.run, made.parts, made.rows["id_graph_updates"]) == (1, 3, 600)
    assert [(cursor is None, done) for cursor, done in places] == [(True, 250), (True, 500), (False, 100)]
    house.agrees()


def test_a_run_withdraws_what_a_narrowed_destination_may_not_see(
    shop: Shop, warehouse: Callable[..., Warehouse]
) -> None:
    """Even what the same run had written before."""
    house = warehouse()
    shop.send(*({**ANN, "userId": f"u{nr}", "traits": {"n": nr}} for nr in range(260)))

    async def dying(*args: Any, **given: Any) -> AsyncIterator[Any]:
        async for step in export_steps(*args, **given):
            yield step
            raise Death

    with pytest.raises(Death):
        house.run(dying, part_bytes=1)
    house.put(purposes=["Marketing"], traits=["n"], identifiers=["email"])
    made = house.run()
    assert (made.run, made.parts, made.snapshot) == (1, 2, True)
    house.agrees()
    assert next(iter(house.standing().values()))["identifiers"] == []


def test_a_directory_of_another_export_is_left_alone(shop: Shop, warehouse: Callable[..., Warehouse]) -> None:
    """Of another destination, without a manifest, or with an unknown one."""
    house, other = warehouse(), warehouse("other")
    shop.send(ANN)
    house.run()
    files = sorted(house.folder.rglob("*"))
    other.folder = house.folder
    with pytest.raises(Misconfigured, match="another destination"):
        other.run()
    manifest = house.folder / "manifest.json"
    kept = manifest.read_text()
    manifest.write_text(kept.replace('"cursor": "', '"cursor": "A'))
    with pytest.raises(BadCursor):
        house.run()
    manifest.write_text("{}")
    with pytest.raises(Misconfigured, match="is not the manifest"):
        house.run()
    manifest.unlink()
    with pytest.raises(Misconfigured, match="without a manifest"):
        house.run()
    manifest.write_text(kept)
    assert sorted(house.folder.rglob("*")) == files
    assert house.run().run == 2
