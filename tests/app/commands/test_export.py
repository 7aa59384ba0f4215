"""Exports for warehouses: the files, applied in order, hold what the destination may see, and no more."""

import os
import random
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from identity.operations.destinations.feed_export import export_steps
from identity.values.errors import BadCursor, Misconfigured, Resync
from tests.app.conftest import Shop
from tests.conftest import Running
from tests.support.destinations.warehouse_export import PLANS, Warehouse

PURPOSES = {"purposes": [{"id": "Marketing", "class": "ads"}, {"id": "Product", "class": "analytics"}]}
GRANTED = {"context": {"consent": {"categoryPreferences": {"Marketing": True}}}}
DENIED = {"context": {"consent": {"categoryPreferences": {"Marketing": False}}}}
ANN = {"type": "identify", "userId": "ann", "traits": {"plan": "pro", "email": "ann@example.org"}, **GRANTED}


class Death(BaseException):
    """Nothing that was to come after it comes."""


@pytest.fixture
def warehouse(live: Running, live_database: str, shop: Shop, tmp_path: Path) -> Iterator[Callable[..., Warehouse]]:
    """Warehouses of a space with purposes."""
    shop.ask("PUT", "/v1/purposes", json=PURPOSES)
    made: list[Warehouse] = []

    def make(name: str = "warehouse") -> Warehouse:
        made.append(Warehouse(live, live_database, shop, tmp_path / name, name))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_the_tables_join_and_hold_only_who_granted(shop: Shop, warehouse: Callable[..., Warehouse]) -> None:
    """The columns join; people who did not grant the purpose are absent."""
    house = warehouse()
    shop.send(ANN, {**ANN, "userId": "bob", "traits": {"plan": "team", "email": "bob@example.org"}})
    shop.send({**ANN, "userId": "eve", "traits": {"email": "eve@example.org"}, **DENIED})
    made = house.run()
    assert (made.run, made.snapshot, made.rows["id_graph_updates"]) == (1, True, 2)
    with house.read() as connection:
        assert connection.execute(PLANS).fetchall() == [("ann@example.org", "pro"), ("bob@example.org", "team")]
        mapped = connection.execute(
            f"""
            SELECT external_id_type, triggering_event_type, triggering_event_id IS NOT NULL, triggering_event_name,
                   triggering_event_source_id LIKE 'key_%' OR triggering_event_source_id IS NOT NULL, __operation
            FROM '{house.folder}/external_id_mapping_updates/*.parquet' WHERE external_id_value LIKE 'ann%' ORDER BY ALL
            """
        ).fetchall()
    assert mapped == [(type_, "identify", True, None, True, "CREATED") for type_ in ("email", "user_id")]
    house.agrees()


def test_only_the_owner_can_read_the_files(shop: Shop, warehouse: Callable[..., Warehouse]) -> None:
    """Directories have mode 0700 and files 0600, whatever the umask."""
    house = warehouse()
    shop.send(ANN)
    before = os.umask(0)
    try:
        house.run()
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in house.folder.rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (house.folder, *house.folder.iterdir()) if path.is_dir()} == {0o700}


def test_a_merge_maps_the_lesser_id_to_the_greater(shop: Shop, warehouse: Callable[..., Warehouse]) -> None:
    """A second merge maps again what had been merged before."""
    house = warehouse()
    for nr in range(3):
        shop.send({"type": "identify", "anonymousId": f"a{nr}", "traits": {f"t{nr}": nr}, **GRANTED})
    house.run()
    assert len(house.standing()) == 3
    for nr in (1, 0):
        shop.send({"type": "identify", "userId": "ann", "anonymousId": f"a{nr + 1}", **GRANTED})
        shop.send({"type": "identify", "userId": "ann", "anonymousId": f"a{nr}", **GRANTED})
        house.run()
        house.agrees()
    assert len(house.standing()) == 1
    with house.read() as connection:
        by = connection.execute(
            f"""
            SELECT DISTINCT triggering_event_type FROM '{house.folder}/id_graph_updates/*.parquet'
            WHERE segment_id <> canonical_segment_id
            """
        ).fetchall()
    assert by == [("identify",)]
    unmerged = {"identifiers": ["anonymous_id:a2"]}
    assert shop.ask("POST", "/v1/profiles/unmerge", "privacy", json=unmerged).status_code == 200
    unmerged = {"identifiers": ["anonymous_id:a1"]}
    assert shop.ask("POST", "/v1/profiles/unmerge", "privacy", json=unmerged).status_code == 200
    house.run()
    house.agrees()
    assert len(house.standing()) == 3


def test_an_unmerge_from_a_person_without_consent_withdraws_the_data(
    shop: Shop, warehouse: Callable[..., Warehouse]
) -> None:
    """Data seen under the id of the person without consent leaves the export."""
    house = warehouse()
    shop.send({"type": "identify", "anonymousId": "a1", "traits": {"plan": "free"}})
    shop.send(ANN)
    shop.send({"type": "track", "event": "E", "anonymousId": "a1", "userId": "ann"})
    house.run()
    assert [shown["traits"] for shown in house.standing().values()] == [ANN["traits"]]
    unmerged = {"identifiers": ["anonymous_id:a1"]}
    assert shop.ask("POST", "/v1/profiles/unmerge", "privacy", json=unmerged).status_code == 200
    house.run()
    house.agrees()
    assert len(house.standing()) == 1


def test_the_next_run_withdraws_revoked_and_erased_people(shop: Shop, warehouse: Callable[..., Warehouse]) -> None:
    """It names the erased by id only, and its cursor can be acknowledged."""
    house = warehouse()
    shop.send(ANN, {**ANN, "userId": "bob", "traits": {"email": "bob@example.org"}})
    house.run()
    ids = {shown["identifiers"][0][1]: id_ for id_, shown in house.standing().items()}
    decided = {"identifier": "user_id:ann", "decisions": {"Marketing": False}}
    assert shop.ask("POST", "/v1/consent", "privacy", json=decided).status_code == 200
    shop.ask("POST", "/v1/erasures", "privacy", json={"identifiers": ["user_id:bob"]})
    made = house.run()
    assert house.standing() == {}
    with house.read() as connection:
        erased = connection.execute(f"SELECT segment_id FROM '{house.folder}/erasures/*.parquet'").fetchall()
    assert erased == [(ids["bob@example.org"],)]
    acked = shop.ask("POST", "/v1/changes/ack", "warehouse", json={"cursor": made.cursor}).json()
    assert acked["erasures"] == 1
    assert b"bob" in b"".join(path.read_bytes() for path in house.folder.rglob("part-00001*"))
    made = house.run(anew="once")
    assert (made.run, made.snapshot) == (3, True)
    assert {path.name[:10] for path in house.folder.rglob("*.parquet")} == {"part-00003"}
    assert b"bob" not in b"".join(path.read_bytes() for path in house.folder.rglob("*.parquet"))
    assert (house.run(anew="once").snapshot, house.run().run) == (False, 5)


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


def _act(rng: random.Random, shop: Shop, put: Callable[..., object]) -> None:
    """Something that somebody might do."""

    def one() -> str:
        return rng.choice("abcdefgh")

    named = rng.choice(
        [{"userId": one()}, {"anonymousId": one()}, {"userId": one(), "anonymousId": one()}, {"anonymousId": one()}]
    )
    traits = {
        name: rng.choice([1, "x", True, {"k": [one()]}, None]) for name in rng.sample(("plan", "size", "tags"), 2)
    }
    if rng.random() < 0.2:
        traits["email"] = f"{one()}@example.org"
    shown = rng.choice([GRANTED, GRANTED, {}, DENIED])
    kind = rng.random()
    if kind < 0.7:
        shop.send({"type": "identify", **named, "traits": traits, **shown})
        return
    ref = f"{rng.choice(('user_id', 'anonymous_id'))}:{one()}"
    if kind < 0.78:
        shop.ask("POST", "/v1/profiles/unmerge", "privacy", json={"identifiers": [ref]})
    elif kind < 0.82:
        shop.ask("DELETE", f"/v1/identifiers/{ref}", "privacy")
    elif kind < 0.88:
        decisions = {"Marketing": rng.random() < 0.5}
        shop.ask("POST", "/v1/consent", "privacy", json={"identifier": ref, "decisions": decisions})
    elif kind < 0.94:
        asked = {"identifiers": [ref], "kind": "delete"} if rng.random() < 0.5 else {"identifiers": [ref]}
        shop.ask("POST", "/v1/erasures", "privacy", json=asked)
    else:
        put(
            purposes=["Marketing"],
            traits=rng.choice([["*"], ["plan"], ["plan", "email"]]),
            identifiers=rng.choice([["*"], ["email"], ["user_id"]]),
        )


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 100))])
def test_the_files_show_what_the_destination_may_see_after_any_history(
    seed: int, warehouse: Callable[..., Warehouse]
) -> None:
    """After any run of any history."""
    rng, house = random.Random(seed), warehouse()
    for _ in range(8):
        for _ in range(rng.randrange(12)):
            _act(rng, house.shop, house.put)
        house.run(part_bytes=rng.choice([1, 1_000_000]), anew=rng.choice([None, None, None, str(rng.random())]))
        house.agrees()


def test_runs_beside_eight_writers_skip_nothing(shop: Shop, warehouse: Callable[..., Warehouse]) -> None:
    """The first run after the writers end shows the current state."""
    house, busy = warehouse(), threading.Event()

    def write(seed: int) -> None:
        rng = random.Random(seed)
        with httpx.Client(base_url=shop.client.base_url, timeout=60) as client:
            mine = Shop(client, shop.space_id, shop.name, shop.keys)
            while not busy.is_set():
                _act(rng, mine, dict)

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
