"""Measures what floods cost the other callers, on a real server and a real Postgres.

`python -m benchmarks.flood` runs `onefold serve` with its default bounds and prints the other callers' median and 99th
percentile without and with each flood of `benchmarks.flood_attacks`. The others write, read and probe in a space of
their own, from an address of their own. Each of their answers is checked, and so is every answer to an attacker.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import httpx
from msgspec import Struct, field
from rich.console import Console
from rich.table import Table

from benchmarks import server
from benchmarks.bench_postgres import BenchPostgres
from benchmarks.flood_attacks import ATTACKS, IDENTIFIERS
from identity.store.postgres.schema import migrate

AT_ONCE: Final = 4
PAUSE: Final = 0.01
BEGIN: Final = 1.0
"""So many seconds pass between the start of an attack and the first request that counts."""
PEOPLE: Final = 1_000
RULES: Final = {
    "default_limit": {"max": 10**6},
    "shared_limit": {"max": 10**6},
    "max_identifiers": 10**6,
    "max_merges": 10**5,
}
DEFAULTS: Final = {
    f"ONEFOLD_{name}_RATE": rate for name, rate in (("COLLECT", "1000"), ("READ", "1000"), ("MISS", "100"))
}


class Latencies(Struct):
    """The seconds of the answers to other callers, by what they asked for."""

    write: list[float] = field(default_factory=list)
    read: list[float] = field(default_factory=list)
    probe: list[float] = field(default_factory=list)


class Space:
    """A space of the server with its keys."""

    def __init__(self, client: httpx.AsyncClient, keys: dict[str, str]) -> None:
        self.client = client
        self.keys = keys

    async def ask(self, method: str, path: str, key: str, body: object = None, expected: int = 200) -> httpx.Response:
        """Make a request with a key. ValueError for another status than the expected one."""
        headers = {"Authorization": f"Bearer {self.keys[key]}", "Prefer": "return=representation"}
        answer = await self.client.request(method, path, json=body, headers=headers)
        if answer.status_code != expected:
            raise ValueError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer

    async def send(self, calls: Sequence[object]) -> None:
        """Send calls with the key of a server; each has to be accepted."""
        outcomes = (await self.ask("POST", "/v1/batch", "import", {"batch": calls})).json()["outcomes"]
        if any(outcome["status"] != "accepted" or outcome["demoted"] for outcome in outcomes):
            raise ValueError(f"not accepted: {outcomes[:2]}")


async def create(client: httpx.AsyncClient, name: str) -> Space:
    """Create a space."""
    answer = await client.post("/v1/spaces", json={"name": name}, headers={"Authorization": f"Bearer {server.TOKEN}"})
    if answer.status_code != 201:
        raise ValueError(answer.text)
    return Space(client, answer.json()["keys"])


async def fill(space: Space) -> None:
    """Give the space of the attacker its profile of 58,741 identifiers, people for simulations, and a destination."""
    await space.ask("PUT", "/v1/rules", "admin", RULES)
    left = list(range(IDENTIFIERS - 1))
    while left:
        part, left = left[:900], left[900:]
        ids = [{"type": "crm", "id": f"c{at}"} for at in part]
        await space.send([{"type": "identify", "userId": "whale", "context": {"externalIds": ids}}])
    for first in range(0, PEOPLE, 200):
        await space.send(
            [
                {"type": "identify", "userId": f"u{at}", "traits": {"email": f"u{at}@example.org", "plan": "pro"}}
                for at in range(first, first + 200)
            ]
        )
    await space.ask("PUT", "/v1/purposes", "admin", {"purposes": [{"id": "Marketing", "class": "ads"}]})
    made = await space.ask(
        "PUT", "/v1/destinations/mail", "admin", {"purposes": ["Marketing"], "traits": ["*"], "identifiers": ["*"]}, 201
    )
    space.keys["mail"] = made.json()["secret"]


async def probe(url: httpx.URL) -> None:
    """Ask on a new connection whether the server is well, as an orchestrator does. ValueError if it is not."""
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise ValueError(f"the server is not well: {answer[:100]!r}")


async def others(space: Space, seconds: float) -> Latencies:
    """Write, read and probe for so many seconds, as several callers with pauses."""
    found = Latencies()
    until = time.monotonic() + seconds

    async def timed(times: list[float], *asked: object) -> httpx.Response:
        begun = time.perf_counter()
        answer = await space.ask(*asked)  # type: ignore[arg-type]
        times.append(time.perf_counter() - begun)
        return answer

    async def caller(number: int) -> None:
        user = f"other{number}"
        turn = 0
        while time.monotonic() < until:
            turn += 1
            call = {"userId": user, "traits": {"turn": turn}}
            await timed(found.write, "POST", "/v1/identify", "write", call)
            read = await timed(found.read, "GET", f"/v1/profiles/user_id:{user}", "profiles")
            if read.json()["traits"] != {"turn": turn}:
                raise ValueError("a call that was answered is not read")
            begun = time.perf_counter()
            await probe(space.client.base_url)
            found.probe.append(time.perf_counter() - begun)
            await asyncio.sleep(PAUSE)

    await asyncio.gather(*(caller(number) for number in range(AT_ONCE)))
    return found


async def export(space: Space) -> float:
    """The seconds until an access export of another space is ready."""
    begun = time.perf_counter()
    made = await space.ask(
        "POST", "/v1/exports", "privacy", {"identifiers": ["user_id:other0"], "regulation": "gdpr"}, 202
    )
    path = f"/v1/exports/{made.json()['export_id']}?wait=30"
    while (await space.ask("GET", path, "privacy")).json()["state"] != "ready":
        if time.perf_counter() - begun > 300:
            raise ValueError("the export is not ready")
    return time.perf_counter() - begun


def row(table: Table, name: str, answers: str, quiet: Latencies, loud: Latencies) -> None:
    """Add the figures of an attack, in milliseconds, and the ratios."""
    for kind in ("write", "read", "probe"):
        without, with_ = sorted(getattr(quiet, kind)), sorted(getattr(loud, kind))
        figures = [
            (statistics.median(each), each[min(len(each) - 1, int(len(each) * 0.99))]) for each in (without, with_)
        ]
        (median, p99), (median_with, p99_with) = figures
        table.add_row(
            name if kind == "write" else "",
            kind,
            f"{median * 1000:.1f}",
            f"{median_with * 1000:.1f}",
            f"{median_with / median:.2f}",
            f"{p99 * 1000:.0f}",
            f"{p99_with * 1000:.0f}",
            f"{p99_with / p99:.2f}",
            answers if kind == "write" else "",
        )


async def measure(port: int, options: argparse.Namespace) -> list[Table]:
    """Measure every attack; returns the tables."""
    table = Table("flood", "others", "median ms", "with", "ratio", "p99 ms", "with", "ratio", "answers to the flood")
    waits = Table("access export of another space", "seconds")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
        attacked, calm = await create(client, "attacked"), await create(client, "calm")
        await fill(attacked)
        await others(calm, 2)
        waits.add_row("without a flood", f"{await export(calm):.2f}")
        for name in options.attacks:
            quiet = await others(calm, options.seconds)
            arguments = [name, str(port), str(options.seconds + BEGIN), json.dumps(attacked.keys)]
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "benchmarks.flood_attacks", *arguments, stdout=subprocess.PIPE
            )
            await asyncio.sleep(BEGIN)
            try:
                exporting = asyncio.create_task(export(calm)) if name == "simulations" else None
                loud = await others(calm, options.seconds)
                if exporting is not None:
                    waits.add_row("beside 60 simulations", f"{await exporting:.2f}")
                written, _ = await process.communicate()
            finally:
                if process.returncode is None:
                    process.kill()
            if process.returncode:
                raise ValueError(f"the attack {name} got an answer that nothing explains")
            answers = ", ".join(f"{each}: {number}" for each, number in json.loads(written).items())
            row(table, name, answers, quiet, loud)
    return [table, waits]


def main(arguments: list[str] | None = None) -> list[Table]:
    """Run in a folder of its own; returns the tables that were printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of each attack")
    parser.add_argument("--attacks", nargs="+", choices=tuple(ATTACKS), default=list(ATTACKS))
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="of-", dir="/tmp") as folder, BenchPostgres(Path(folder)) as postgres:
        postgres.create("flood")
        migrate(postgres.url("flood"))
        with server.onefold(Path(folder) / "keys", postgres.url("flood"), 1, more=DEFAULTS) as running:
            tables = asyncio.run(measure(running.port, options))
    for table in tables:
        Console(width=160).print(table)
    return tables


if __name__ == "__main__":
    main()
