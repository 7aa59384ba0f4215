"""After every step of any calls, unmerges, removals, changes of rules and rebuilds, an audit finds nothing."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.operations.corrections.rebuild_profiles import rebuild_space
from tests.support.integrity.space_audit import discrepancies, ignore_progress
from tests.support.planning.space_steps import QUIET, steps, take
from tests.support.processes.writer_processes import Examples, Ingest

REBUILD = ("rebuild",)


def play(examples: Examples, taken: list[Any]) -> None:
    """One step after the other, and an audit after each."""

    async def example(ingest: Ingest) -> None:
        for step in taken:
            if step == REBUILD:
                await rebuild_space(ingest.space, 1, ignore_progress)
            else:
                await take(ingest, step, [])
            assert await discrepancies(ingest) == [], step

    examples.play(example)


@st.composite
def journeys(draw: st.DrawFn) -> list[Any]:
    """Steps, some of them rebuilds."""
    taken = draw(steps)
    for at in sorted(draw(st.sets(st.integers(0, len(taken)), max_size=2)), reverse=True):
        taken.insert(at, REBUILD)
    return taken


@settings(QUIET, max_examples=8)
@given(taken=steps)
def test_calls_and_acts(examples: Examples, taken: list[Any]) -> None:
    """Calls and acts leave no discrepancy."""
    play(examples, taken)


@settings(QUIET, max_examples=6)
@given(taken=journeys())
def test_a_rebuild_leaves_no_discrepancy(examples: Examples, taken: list[Any]) -> None:
    """A rebuild leaves no discrepancy."""
    play(examples, taken)


@pytest.mark.soak
@settings(QUIET, max_examples=3_000)
@given(taken=journeys())
def test_no_discrepancy_over_many_journeys(examples: Examples, taken: list[Any]) -> None:
    """The same over thousands of examples."""
    play(examples, taken)
