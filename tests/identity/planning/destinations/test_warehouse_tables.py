"""Rows for a warehouse: by the one rule that reads them they yield the newest exported states."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.destinations.warehouse_tables import (
    CREATED,
    GRAPH,
    IDENTIFIERS,
    MAPPING,
    MERGES,
    REMOVED,
    SNAPSHOT,
    TABLES,
    TRAITS,
    ExportManifest,
    MappedIdentifier,
    ProfileMapping,
    ProfileState,
    RemovedIds,
    RowBatch,
    read_manifest,
    write_manifest,
)
from identity.values.stamps import Micros

IDS = st.sampled_from("abc")


@st.composite
def states(draw: st.DrawFn) -> ProfileState:
    """A state of one of three profiles, which owns two ids beside its own."""
    canonical = draw(IDS)
    segments = [canonical, *draw(st.sets(st.sampled_from([f"{canonical}{nr}" for nr in range(2)])))]
    held = draw(st.lists(st.tuples(st.sampled_from(segments), st.sampled_from("xyz")), unique=True, max_size=4))
    traits = draw(st.dictionaries(st.sampled_from(["plan", "size"]), st.sampled_from(["pro", 1, [True], {"a": "b"}])))
    return ProfileState(
        canonical=canonical,
        links=[ProfileMapping(segment, Micros(1)) for segment in segments],
        identifiers=[
            MappedIdentifier(
                segment=segment,
                type="email",
                value=value,
                hash="h",
                at=Micros(1),
                first_seen=Micros(nr),
                last_seen=Micros(nr + 1),
            )
            for nr, (segment, value) in enumerate(held)
        ],
        traits={name: (value, Micros(2), Micros(3)) for name, value in traits.items()},
        at=Micros(4),
    )


REMOVED_PROFILES = IDS.map(lambda id_: RemovedIds([id_], [id_, f"{id_}0", f"{id_}1"], Micros(5)))


def standing(batch: RowBatch, table: str) -> set[tuple[Any, ...]]:
    """The valid rows by the rule, without the columns common to all tables."""
    columns = list(TABLES[table])
    key, op, seq = columns.index("id") + 1 if "id" in columns else 0, columns.index("__operation"), columns.index("seq")
    newest: dict[Any, int] = {}
    for row in batch.rows[table]:
        newest[row[key]] = max(newest.get(row[key], 0), row[seq])
    return {row[key:op] for row in batch.rows[table] if row[seq] == newest[row[key]] and row[op] == CREATED}


@given(st.lists(states() | REMOVED_PROFILES, max_size=12), st.lists(st.integers(0, 100), min_size=12, max_size=12))
def test_the_last_state_counts(exported: list[ProfileState | RemovedIds], clock: list[int]) -> None:
    """For each profile exactly the newest export holds, in any order of exports."""
    batch = RowBatch(0)
    last: dict[str, ProfileState] = {}
    for each, now in zip(exported, clock, strict=False):
        batch.add([each], Micros(now), first=False)
        if isinstance(each, ProfileState):
            last[each.canonical] = each
        else:
            last.pop(each.canonicals[0], None)
    assert {row[:2] for row in standing(batch, SNAPSHOT)} == {
        (id_, msgspec.json.encode({name: value for name, (value, _, _) in state.traits.items()}).decode())
        for id_, state in last.items()
    }
    assert {row[:2] for row in standing(batch, TRAITS)} == {
        (id_, name) for id_, state in last.items() for name in state.traits
    }
    assert standing(batch, IDENTIFIERS) == {
        (id_, held.type, held.value, held.first_seen, held.last_seen)
        for id_, state in last.items()
        for held in state.identifiers
    }
    assert standing(batch, MERGES) == {
        (id_, link.segment) for id_, state in last.items() for link in state.links if link.segment != id_
    }
    # Rows of an id that is in no state now are removed by a later export, so these tables may hold more.
    for id_, state in last.items():
        assert {(link.segment, id_) for link in state.links} <= {row[:2] for row in standing(batch, GRAPH)}
        mapped = {(held.segment, held.type, held.value) for held in state.identifiers}
        assert mapped <= {row[:3] for row in standing(batch, MAPPING)}


@given(st.lists(st.integers(0, 50), max_size=20), st.integers(0, 60))
def test_sequence_numbers_only_grow(clock: list[int], before: int) -> None:
    """However the clock runs, no number repeats, and all rows of one state share theirs."""
    batch = RowBatch(before)
    state = ProfileState(
        canonical="a",
        links=[ProfileMapping("a", Micros(1)), ProfileMapping("a0", Micros(1))],
        identifiers=[MappedIdentifier(segment="a", type="email", value="x", hash="h", at=Micros(1))],
        traits={"plan": ("pro", Micros(1), Micros(1))},
        at=Micros(1),
    )
    for now in clock:
        batch.add([state], Micros(now), first=False)
    for table, columns in TABLES.items():
        seqs = [row[list(columns).index("seq")] for row in batch.rows[table]]
        assert sorted(seqs) == seqs
        assert all(seq > before for seq in seqs)
        assert len(set(seqs)) == (0 if table == "erasures" else len(clock))


def test_an_erasure_removes_an_id_from_every_table() -> None:
    """And lists the id, without any value, in the table of erasures."""
    batch = RowBatch(0)
    batch.add([RemovedIds(["a"], ["a", "a0"], Micros(5), "ers_1")], Micros(7), first=False)
    assert [row[:3] for row in batch.rows["erasures"]] == [("a", "ers_1", REMOVED), ("a0", "ers_1", REMOVED)]
    assert all(
        row[list(TABLES[table]).index("__operation")] == REMOVED for table in TABLES for row in batch.rows[table]
    )
    assert {table: len(rows) for table, rows in batch.rows.items()} == {
        GRAPH: 2, MAPPING: 2, SNAPSHOT: 1, TRAITS: 1, IDENTIFIERS: 1, MERGES: 1, "erasures": 2,
    }  # fmt: skip


def test_a_manifest_is_read_back() -> None:
    """Other bytes and other versions are no manifest."""
    manifest = ExportManifest(space_id="s", destination_id="d", cursor="c", seq=7, rows={GRAPH: 2})
    assert read_manifest(write_manifest(manifest)) == manifest
    assert read_manifest(b"{}") is None
    assert read_manifest(write_manifest(msgspec.structs.replace(manifest, version=2))) is None
    begun = manifest.next_run()
    assert (begun.run, begun.complete, begun.next_run()) == (1, False, begun)
    again = begun.restarted("x")
    assert (again.run, again.snapshot, again.since, again.cursor, again.finished().since) == (2, 2, 0, None, 7)
