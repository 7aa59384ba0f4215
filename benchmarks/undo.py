"""Measures merging, explaining and unmerging large profiles, on a real Postgres.

`python -m benchmarks.undo` runs in one process and prints medians with minimum and maximum. Every answer is
checked: a merge that did not merge, or an unmerge that left something behind, ends the run.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable
from itertools import count
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.bench_postgres import BenchPostgres
from identity.operations.corrections.put_rules import put_rules
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.ingest.queue import IngestQueue
from identity.operations.ingest.request import IngestRequest
from identity.operations.profiles.explain_link import explain
from identity.operations.profiles.read_graph import get_graph
from identity.operations.profiles.read_profile import get_profile
from identity.operations.spaces import manage_spaces
from identity.operations.spaces.open_spaces import open_spaces
from identity.spaces.space import Space
from identity.store.postgres.schema import migrate
from identity.store.spaces import spaces_and_keys
from identity.values.calls import Source
from identity.values.stamps import Micros

SERVER = Source(1, server=True)
RULES = {"default_limit": {"max": 10**6}, "shared_limit": {"max": 10**6}, "max_identifiers": 10**6, "max_merges": 10**5}
A_CALL = 200
_numbers = count()


class Bench:
    """A space with a queue; creates profiles of any size."""

    def __init__(self, space: Space, queue: IngestQueue) -> None:
        self.space = space
        self.queue = queue

    async def send(self, *items: dict[str, Any]) -> list[Any]:
        """Send calls as one request."""
        return await self.queue.submit(
            self.space, IngestRequest(list(items), source=SERVER, received=Micros(time.time_ns() // 1000), history=True)
        )

    async def person(self, origins: int, identifiers: int) -> list[str]:
        """Create a profile of so many origins; returns its identifiers, the first one of each origin first."""
        name = f"p{next(_numbers)}"
        each = max(1, identifiers // origins)
        held = [[f"{name}-{origin}-{number}" for number in range(each)] for origin in range(origins)]
        for own in held:
            for part in parts(own[1:]) or [[]]:
                await self.send(seen(own[0], *part))
        firsts = [own[0] for own in held]
        for part in parts(firsts[1:]):
            outcome = (await self.send(seen(firsts[0], *part)))[0]
            assert len(outcome.merged) == len(part), outcome
        return firsts + [value for own in held for value in own[1:]]


def parts(values: list[str]) -> list[list[str]]:
    """Cut values into the parts that one call takes."""
    return [values[at : at + A_CALL] for at in range(0, len(values), A_CALL)]


def seen(*values: str) -> dict[str, Any]:
    """Return a call that names these identifiers."""
    ids = [{"type": "x", "id": value, "collection": "users", "encoding": "none"} for value in values]
    return {"type": "track", "event": "E", "context": {"externalIds": ids}}


async def timed(work: Awaitable[Any]) -> tuple[float, Any]:
    """Return how many milliseconds some work takes, and its result."""
    begun = time.perf_counter()
    found = await work
    return (time.perf_counter() - begun) * 1000, found


def spread(times: list[float]) -> str:
    """Return the median with minimum and maximum, in milliseconds."""
    return f"{statistics.median(times):.1f} ({min(times):.1f} to {max(times):.1f})"


async def merges(bench: Bench, rounds: int, sizes: tuple[int, int], origins: tuple[int, ...]) -> Table:
    """Measure a merge of two profiles with few identifiers and one of two with many, for each number of origins."""
    few, many = sizes
    table = Table("origins a side", f"merge, {few} ids", f"merge, {many} ids", "ratio", f"read, {few}", f"read, {many}")
    for number in origins:
        times: dict[tuple[str, int], list[float]] = {(what, size): [] for what in ("merge", "read") for size in sizes}
        for _ in range(rounds):
            for size in sizes:
                one, other = await bench.person(number, size), await bench.person(number, size)
                took, outcomes = await timed(bench.send(seen(one[0], other[0])))
                assert len(outcomes[0].merged) == 1, outcomes
                times["merge", size].append(took)
                took, profile = await timed(get_profile(bench.space, f"x:{one[0]}"))
                assert len(profile.identifiers) == len(one) + len(other)
                times["read", size].append(took)
        ratio = statistics.median(times["merge", many]) / statistics.median(times["merge", few])
        row = (times["merge", few], times["merge", many])
        read = (times["read", few], times["read", many])
        table.add_row(str(number), *map(spread, row), f"{ratio:.2f}", *map(spread, read))
    return table


async def undoing(bench: Bench, rounds: int, size: int, origins: tuple[int, ...]) -> Table:
    """Measure explaining, reviewing and unmerging a profile of many identifiers."""
    table = Table("origins", "explain", "graph and review", "unmerge, by pointer", "unmerge, inside an origin")
    for number in origins:
        times: dict[str, list[float]] = {what: [] for what in ("explain", "graph", "pointer", "inside")}
        for _ in range(rounds):
            ids = await bench.person(number, size)
            first, last = f"x:{ids[0]}", f"x:{ids[-1]}"
            took, found = await timed(explain(bench.space, first, first, last))
            assert found.shortest
            times["explain"].append(took)
            took, found = await timed(get_graph(bench.space, first))
            assert found.node_count == len(ids)
            times["graph"].append(took)
            took, _ = await timed(unmerge_profile(bench.space, [last], block=True, source=SERVER, actor="bench"))
            times["inside"].append(took)
            if number > 1:
                whole = [f"x:{each}" for each in ids if each.split("-")[1] == "1"]
                took, _ = await timed(unmerge_profile(bench.space, whole, block=True, source=SERVER, actor="bench"))
                times["pointer"].append(took)
                profile = await get_profile(bench.space, whole[0])
                assert len(profile.identifiers) == len(whole)
            assert len((await get_profile(bench.space, last)).identifiers) == 1
        table.add_row(str(number), *(spread(each) if each else "" for each in times.values()))
    return table


async def run(postgres: BenchPostgres, options: argparse.Namespace) -> list[Table]:
    """Create a space; returns both tables."""
    postgres.create("undo")
    migrate(postgres.url("undo"))
    folder = postgres.folder
    spaces = await open_spaces(
        postgres.url("undo"), root_file=folder / "root.key", root_value=None, key_store=folder / "keys"
    )
    made = await manage_spaces.create_space(spaces, "undo")
    async with spaces.database.of_all_spaces.reading() as connection:
        number = next(row.id for row in await spaces_and_keys.list_spaces(connection) if row.public_id == made.id)
    space = await spaces.get(number)
    await put_rules(space, RULES, "bench")
    queue = IngestQueue(spaces.database)
    queue.start()
    bench = Bench(space, queue)
    try:
        return [
            await merges(bench, options.rounds, (10, options.merged), tuple(options.origins)),
            await undoing(bench, options.rounds, options.identifiers, (1, max(options.origins))),
        ]
    finally:
        await queue.close()
        await spaces.database.close()


def main(arguments: list[str] | None = None) -> list[Table]:
    """Run in a folder of its own; returns the tables that were printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--merged", type=int, default=5_000, help="identifiers a side, where there are many")
    parser.add_argument("--identifiers", type=int, default=10_000, help="of the profile that is unmerged")
    parser.add_argument("--origins", type=int, nargs="+", default=[1, 10, 100, 1_000])
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="of-", dir="/tmp") as folder, BenchPostgres(Path(folder)) as postgres:
        tables = asyncio.run(run(postgres, options))
    for table in tables:
        Console().print(table)
    return tables


if __name__ == "__main__":
    main()
