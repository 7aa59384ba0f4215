"""After every step of any calls, unmerges, removals, changes of rules and rebuilds, an audit finds nothing."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.operations.corrections.rebuild_profiles import rebuild_space
from identity.operations.integrity.verify_space import verify_space
from identity.store.spaces import spaces_and_keys
from tests.concurrency.properties.test_undo import QUIET, steps, take
from tests.support.writer_processes import Ingest, Lab, ingesting, run

REBUILD = ("rebuild",)


@pytest.fixture(scope="module")
def lab(url: str, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """One database for all examples; each has a space of its own."""
    return Lab(url, tmp_path_factory.mktemp("verified"))


async def found(ingest: Ingest) -> list[tuple[str, list[str]]]:
    """What an audit of the space finds."""
    database = ingest.space.database
    async with database.reading() as connection:
        space = await spaces_and_keys.find_space(connection, ingest.space.tenant.id)
    report = await verify_space(database, space, lambda _what, _rows: None)
    return [(finding.kind, finding.examples) for finding in report.findings]


async def quiet(_done: int, _total: int) -> None:
    """Nobody watches."""


def play(lab: Lab, taken: list[Any]) -> None:
    """One step after the other, and an audit after each."""

    async def main() -> None:
        async with ingesting(lab) as ingest:
            for step in taken:
                if step == REBUILD:
                    await rebuild_space(ingest.space, 1, quiet)
                else:
                    await take(ingest, step, [])
                assert await found(ingest) == [], step

    run(main())


@st.composite
def journeys(draw: st.DrawFn) -> list[Any]:
    """Steps, some of them rebuilds."""
    taken = draw(steps)
    for at in sorted(draw(st.sets(st.integers(0, len(taken)), max_size=2)), reverse=True):
        taken.insert(at, REBUILD)
    return taken


@settings(QUIET, max_examples=60)
@given(taken=steps)
def test_calls_and_acts(lab: Lab, taken: list[Any]) -> None:
    """What the service does to a space is never a difference."""
    play(lab, taken)


@settings(QUIET, max_examples=40)
@given(taken=journeys())
def test_a_rebuild_leaves_no_discrepancy(lab: Lab, taken: list[Any]) -> None:
    """Nor is what a rebuild leaves behind."""
    play(lab, taken)


@pytest.mark.soak
@settings(QUIET, max_examples=3_000)
@given(taken=journeys())
def test_no_discrepancy_over_many_journeys(lab: Lab, taken: list[Any]) -> None:
    """The same, for long."""
    play(lab, taken)
