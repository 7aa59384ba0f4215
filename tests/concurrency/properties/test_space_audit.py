"""After every step of any calls, unmerges, removals, changes of rules and rebuilds, an audit finds nothing."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.operations.corrections.rebuild_profiles import rebuild_space
from tests.support.integrity.space_audit import discrepancies, ignore_progress
from tests.support.planning.space_steps import QUIET, steps, take
from tests.support.processes.writer_processes import Lab, ingesting, run

REBUILD = ("rebuild",)


@pytest.fixture(scope="module")
def lab(url: str, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """One database for all examples; each has a space of its own."""
    return Lab(url, tmp_path_factory.mktemp("verified"))


def play(lab: Lab, taken: list[Any]) -> None:
    """One step after the other, and an audit after each."""

    async def main() -> None:
        async with ingesting(lab) as ingest:
            for step in taken:
                if step == REBUILD:
                    await rebuild_space(ingest.space, 1, ignore_progress)
                else:
                    await take(ingest, step, [])
                assert await discrepancies(ingest) == [], step

    run(main())


@st.composite
def journeys(draw: st.DrawFn) -> list[Any]:
    """Steps, some of them rebuilds."""
    taken = draw(steps)
    for at in sorted(draw(st.sets(st.integers(0, len(taken)), max_size=2)), reverse=True):
        taken.insert(at, REBUILD)
    return taken


@settings(QUIET, max_examples=8)
@given(taken=steps)
def test_calls_and_acts(lab: Lab, taken: list[Any]) -> None:
    """Calls and acts leave no discrepancy."""
    play(lab, taken)


@settings(QUIET, max_examples=6)
@given(taken=journeys())
def test_a_rebuild_leaves_no_discrepancy(lab: Lab, taken: list[Any]) -> None:
    """A rebuild leaves no discrepancy."""
    play(lab, taken)


@pytest.mark.soak
@settings(QUIET, max_examples=3_000)
@given(taken=journeys())
def test_no_discrepancy_over_many_journeys(lab: Lab, taken: list[Any]) -> None:
    """The same over thousands of examples."""
    play(lab, taken)
