"""Prepares the template databases: the same people in Onefold's tables and in those of the light rival.

Onefold fills its template itself, over HTTP; the light one is filled by COPY, from the same calls.
Both are vacuumed and kept in the folder of the run.
"""

import json
import struct
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from benchmarks import server
from benchmarks.arms import drive
from benchmarks.bench_postgres import BenchPostgres
from benchmarks.rivals import light
from benchmarks.workload import history, request_bytes

ONEFOLD, LIGHT = "onefold_base", "light_base"


def prepare(postgres: BenchPostgres, profiles: int, workers: int, report: Callable[[str], None]) -> dict[str, str]:
    """Create both templates unless the folder has them; returns the keys of the space."""
    kept = postgres.folder / f"keys-{profiles}.json"
    if kept.exists():
        return dict(json.loads(kept.read_text()))
    for name in (ONEFOLD, LIGHT):
        postgres.drop(name)
        postgres.create(name)
    report(f"Onefold collects the history of {profiles:,} people")
    with server.onefold(postgres.data_dir, postgres.url(ONEFOLD), workers) as running:
        keys = _space(running.port)
        file = postgres.folder / "history.requests"
        with file.open("wb") as out:
            for items in history(profiles):
                data = request_bytes("/v1/import", f'{{"batch":[{",".join(items)}]}}', keys["import"])
                out.write(struct.pack(">I", len(data)) + data)
        drive(file, running.port, 4, [3600.0])
    postgres.settle(ONEFOLD)
    report("the light rival copies the same")
    light.build(postgres.url(LIGHT), _calls(profiles))
    postgres.settle(LIGHT)
    kept.write_text(json.dumps(keys))
    return keys


def _calls(profiles: int) -> Iterator[list[dict[str, Any]]]:
    for items in history(profiles):
        yield [msgspec.json.decode(item) for item in items]


def _space(port: int) -> dict[str, str]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/spaces",
        data=b'{"name":"benchmark"}',
        headers={"Authorization": f"Bearer {server.TOKEN}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return dict(json.load(answer)["keys"])
