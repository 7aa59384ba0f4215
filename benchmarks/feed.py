"""Measures what the feed costs and how fast it is read, on a real Postgres.

`python -m benchmarks.feed` runs in one process and prints how fast calls come in with and without entries of
the feed, in turns on one space, and how many changes a second a destination reads: everything, everything again,
and what changed. Every answer is checked: a page that lacks a person, or a run with other rows, ends the run.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from app.schemas.feed import feed_page
from benchmarks.bench_postgres import BenchPostgres
from benchmarks.undo import Bench
from identity.operations.destinations import manage_destinations, manage_purposes
from identity.operations.destinations.read_changes import read_changes
from identity.operations.ingest.queue import IngestQueue
from identity.operations.ingest.seal import Sealer
from identity.operations.spaces import manage_spaces
from identity.operations.spaces.open_spaces import open_spaces
from identity.planning.resolution.plan import Plan
from identity.spaces.space import Space
from identity.store.ingest.write import Writes
from identity.store.postgres.schema import migrate
from identity.store.spaces import spaces_and_keys
from identity.values.ids import public, public_profile

A_CALL = 100
AT_ONCE = 16
PURPOSES = {"purposes": [{"id": "Marketing", "class": "ads"}]}
ALL = {"purposes": ["Marketing"], "traits": ["*"], "identifiers": ["*"]}
GRANTED = {"consent": {"categoryPreferences": {"Marketing": True}}}


def person(number: int, plan: str) -> dict[str, Any]:
    """A call of a person with two identifiers, who gives consent."""
    traits = {"email": f"u{number}@example.org", "plan": plan}
    return {"type": "identify", "userId": f"u{number}", "traits": traits, "context": GRANTED}


@contextmanager
def without() -> Iterator[None]:
    """Let calls write no entries into the feed."""
    sealed = Sealer.seal

    def seal(self: Sealer, plan: Plan) -> Writes:
        writes = sealed(self, plan)
        writes.changes = []
        return writes

    Sealer.seal = seal  # type: ignore[method-assign]
    try:
        yield
    finally:
        Sealer.seal = sealed  # type: ignore[method-assign]


async def ingest(bench: Bench, people: int, plan: str) -> float:
    """Change the plan of every person; returns the calls a second."""
    batches = [range(at, min(at + A_CALL, people)) for at in range(0, people, A_CALL)]
    begun = time.perf_counter()
    waiting = iter(batches)

    async def work() -> None:
        for batch in waiting:
            outcomes = await bench.send(*(person(number, plan) for number in batch))
            assert all(outcome.status == "accepted" for outcome in outcomes)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return people / (time.perf_counter() - begun)


async def entries(space: Space) -> int:
    """Return the number of entries in the feed of a space."""
    async with space.database.reading() as connection:
        found = await connection.execute("SELECT sum(seq)::int8 FROM lane_head WHERE space_id = $1", [space.tenant.id])
        row = await found.fetchone()
    return int(row[0]) if row else 0


async def pull(space: Space, id_: str, cursor: str | None, limit: int) -> tuple[dict[str, Any], str, float]:
    """Read everything after a cursor; returns the last state of each profile, the new cursor, the changes a second."""
    held: dict[str, Any] = {}
    count, more = 0, True
    begun = time.perf_counter()
    while more:
        page = await read_changes(space, id_, cursor, limit)
        cursor, more = page.cursor, page.more
        body = msgspec.json.encode(feed_page(page))
        assert body
        for change in page.changes:
            assert change.op == "upsert"
            held[public_profile(change.profile)] = change.traits
        count += len(page.changes)
    assert cursor is not None
    return held, cursor, count / (time.perf_counter() - begun)


async def measure(space: Space, bench: Bench, options: argparse.Namespace) -> list[Table]:
    """Measure; returns the tables."""
    people = options.people
    await ingest(bench, people, "first")
    rates: dict[str, list[float]] = {"with": [], "without": []}
    for number in range(options.rounds):
        for arm in ("with", "without") if number % 2 else ("without", "with"):
            before = await entries(space)
            if arm == "with":
                rates[arm].append(await ingest(bench, people, f"{arm}-{number}"))
                assert await entries(space) == before + people
            else:
                with without():
                    rates[arm].append(await ingest(bench, people, f"{arm}-{number}"))
                assert await entries(space) == before
    cost = Table("ingest, batches of 100", "calls/s: median", "least", "most")
    for arm, found in rates.items():
        cost.add_row(f"{arm} the feed", f"{statistics.median(found):,.0f}", f"{min(found):,.0f}", f"{max(found):,.0f}")
    ratios = [one / other for one, other in zip(rates["with"], rates["without"], strict=True)]
    cost.add_row("with, of without", f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f}", f"{max(ratios):.2f}")

    await manage_purposes.put_purposes(space, PURPOSES, "bench")
    made = await manage_destinations.put_destination(space, "bench", ALL, "bench")
    delivery = Table("delivery", "changes/s")
    cursor: str | None = None
    for what in ("all people, for the first time", "all people, again"):
        held, cursor, rate = await pull(space, public("dst", made.id), None, options.page)
        assert len(held) == people
        delivery.add_row(f"{what}, pages of {options.page:,}", f"{rate:,.0f}")
    for limit in (options.page, 100):
        await ingest(bench, people, f"last-{limit}")
        held, cursor, rate = await pull(space, public("dst", made.id), cursor, limit)
        assert len(held) == people
        assert {traits["plan"] for traits in held.values()} == {f"last-{limit}"}
        delivery.add_row(f"what changed, pages of {limit:,}", f"{rate:,.0f}")
    return [cost, delivery]


async def run(postgres: BenchPostgres, options: argparse.Namespace) -> list[Table]:
    """Create a space with its people; returns the tables."""
    postgres.create("feed")
    migrate(postgres.url("feed"))
    folder = postgres.folder
    spaces = await open_spaces(
        postgres.url("feed"), root_file=folder / "root.key", root_value=None, key_store=folder / "keys"
    )
    made = await manage_spaces.create_space(spaces, "feed")
    async with spaces.database.of_all_spaces.reading() as connection:
        number = next(row.id for row in await spaces_and_keys.list_spaces(connection) if row.public_id == made.id)
    space = await spaces.get(number)
    queue = IngestQueue(spaces.database)
    queue.start()
    try:
        return await measure(space, Bench(space, queue), options)
    finally:
        await queue.close()
        await spaces.database.close()


def main(arguments: list[str] | None = None) -> list[Table]:
    """Run in a folder of its own; returns the tables that were printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--page", type=int, default=1_000)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="of-", dir="/tmp") as folder, BenchPostgres(Path(folder)) as postgres:
        tables = asyncio.run(run(postgres, options))
    for table in tables:
        Console().print(table)
    return tables


if __name__ == "__main__":
    main()
