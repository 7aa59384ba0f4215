"""Measures erasing many people in one request, and a key roll for one of them, on a real Postgres.

`python -m benchmarks.erase` runs in one process and prints how long both took and how long calls of others
waited meanwhile. Every answer is checked: erased people cannot be read, all others are read as before.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.bench_postgres import BenchPostgres
from benchmarks.undo import Bench, timed
from identity.operations.ingest.queue import IngestQueue
from identity.operations.keys.roll_epoch_keys import roll
from identity.operations.privacy.request_erasure import request_erasure
from identity.operations.profiles.read_profile import get_profile
from identity.operations.spaces import manage_spaces
from identity.operations.spaces.open_spaces import open_spaces
from identity.planning.privacy.privacy_requests import NewRequest, PrivacyRequest
from identity.spaces.space import Space, Spaces
from identity.store.postgres.schema import migrate
from identity.store.spaces import spaces_and_keys
from identity.values.enums import ErasureState, Law, RequestInterface, RequestKind
from identity.values.errors import ProfileNotFound

A_CALL = 500


def person(number: int) -> dict[str, Any]:
    """A call that names a person by three identifiers and two traits."""
    name = f"u{number}"
    traits = {"email": f"{name}@example.org", "plan": "pro"}
    return {"type": "identify", "userId": name, "anonymousId": f"a{number}", "traits": traits}


async def people(bench: Bench, count: int) -> None:
    """Send the calls of so many people."""
    for at in range(0, count, A_CALL):
        await bench.send(*(person(number) for number in range(at, min(at + A_CALL, count))))


async def erase(space: Space, *identifiers: str) -> PrivacyRequest:
    """Erase people in one request, and check that every one is erased."""
    done = await request_erasure(
        space,
        NewRequest(
            front=RequestInterface.NATIVE,
            kind=RequestKind.SUPPRESS_WITH_DELETE,
            regulation=Law.GDPR,
            identifiers=identifiers,
            actor="bench",
        ),
    )
    assert all(each.state == ErasureState.FINISHED and each.counts and each.counts.keys == 1 for each in done.erasures)
    return done


async def gone(space: Space, identifier: str) -> bool:
    """Return whether no profile has the identifier."""
    try:
        await get_profile(space, identifier)
    except ProfileNotFound:
        return True
    return False


async def beside(bench: Bench, first: int, over: asyncio.Event) -> list[float]:
    """Send calls of others, one after the other, until the work is done; returns how long each waited, in ms."""
    waits, number = [], first
    while not over.is_set():
        number += 1
        took, outcomes = await timed(bench.send(person(number)))
        assert outcomes[0].status == "accepted"
        waits.append(took)
    return waits


async def watched(bench: Bench, first: int, work: Any) -> tuple[float, list[float]]:
    """Return how long some work takes (ms), and how long calls waited meanwhile."""
    over = asyncio.Event()
    others = asyncio.create_task(beside(bench, first, over))
    took, _ = await timed(work)
    over.set()
    return took, await others


async def measure(spaces: Spaces, bench: Bench, options: argparse.Namespace) -> Table:
    """Measure; returns the table."""
    space = bench.space
    await people(bench, options.people)
    table = Table("work", "took", "each", "calls meanwhile: median", "99 %", "most")

    def add(what: str, took: float, each: str, waits: list[float]) -> None:
        ranked = sorted(waits)
        shares = [
            f"{ranked[min(len(ranked) - 1, int(len(ranked) * part))]:.1f} ms" for part in (0.5, 0.99, 1) if ranked
        ]
        table.add_row(what, f"{took / 1000:.2f} s", each, *shares)

    alone = []
    for number in range(options.rounds):
        took, _ = await timed(erase(space, f"user_id:u{number}"))
        alone.append(took)
    each = f"{statistics.median(alone):.1f} ms ({min(alone):.1f} to {max(alone):.1f})"
    add(f"erase 1 of {options.people:,}, {options.rounds} times", sum(alone), each, [])
    begun = 10 * options.people
    took, waits = await watched(bench, begun, roll(spaces, space))
    add(f"roll, after {options.rounds} of {options.people:,}", took, "", waits)
    await erase(space, f"anonymous_id:a{options.rounds}")
    took, waits = await watched(bench, 2 * begun, roll(spaces, space))
    add(f"roll, after 1 of {options.people:,}", took, "", waits)
    many = [f"email:u{number}@example.org" for number in range(options.rounds + 1, options.rounds + 1 + options.erased)]
    took, waits = await watched(bench, 3 * begun, erase(space, *many))
    add(f"erase {options.erased:,} in one request", took, f"{took / options.erased:.1f} ms", waits)
    took, waits = await watched(bench, 4 * begun, roll(spaces, space))
    add(f"roll, after {options.erased:,} of {options.people:,}", took, "", waits)
    for number in (0, options.rounds, options.rounds + options.erased):
        assert await gone(space, f"user_id:u{number}")
    last = await get_profile(space, f"user_id:u{options.people - 1}")
    assert last.traits["plan"] == "pro"
    return table


async def run(postgres: BenchPostgres, options: argparse.Namespace) -> Table:
    """Create a space with its people; returns the table."""
    postgres.create("erase")
    migrate(postgres.url("erase"))
    folder = postgres.folder
    spaces = await open_spaces(
        postgres.url("erase"), root_file=folder / "root.key", root_value=None, key_store=folder / "keys"
    )
    made = await manage_spaces.create_space(spaces, "erase")
    async with spaces.database.of_all_spaces.reading() as connection:
        number = next(row.id for row in await spaces_and_keys.list_spaces(connection) if row.public_id == made.id)
    queue = IngestQueue(spaces.database)
    queue.start()
    try:
        return await measure(spaces, Bench(await spaces.get(number), queue), options)
    finally:
        await queue.close()
        await spaces.database.close()


def main(arguments: list[str] | None = None) -> Table:
    """Run in a folder of its own; returns the table that was printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--erased", type=int, default=5_000, help="in one request")
    parser.add_argument("--rounds", type=int, default=20, help="erasures one by one")
    options = parser.parse_args(arguments)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="of-", dir="/tmp") as folder, BenchPostgres(Path(folder)) as postgres:
        table = asyncio.run(run(postgres, options))
    Console().print(table)
    Console().print(f"{time.perf_counter() - begun:.0f} s in all")
    return table


if __name__ == "__main__":
    main()
