"""Exports for warehouses: the files, applied in order, hold what the destination may see, and no more."""

import os
import random
from collections.abc import Callable

import pytest

from tests.app.conftest import Shop
from tests.support.destinations.export_people import ANN, DENIED, GRANTED, act
from tests.support.destinations.warehouse_export import PLANS, Warehouse


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


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 100))])
def test_the_files_show_what_the_destination_may_see_after_any_history(
    seed: int, warehouse: Callable[..., Warehouse]
) -> None:
    """After any run of any history."""
    rng, house = random.Random(seed), warehouse()
    for _ in range(8):
        for _ in range(rng.randrange(12)):
            act(rng, house.shop, house.put)
        house.run(part_bytes=rng.choice([1, 1_000_000]), anew=rng.choice([None, None, None, str(rng.random())]))
        house.agrees()
