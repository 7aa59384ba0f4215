"""Retries: which error is repeated, how often, and what is raised at the end."""

import asyncio

import pytest

from identity.spaces.retry import Again, NextStep, RetryPolicy, decide, repeat, writer_policy
from identity.values.errors import (
    Conflict,
    DatabaseUnavailable,
    KeyUnavailable,
    LeaseLost,
    PartitionMissing,
    SealBroken,
    SpaceNotFound,
)

WRITER = writer_policy(attempts=12, outage_attempts=5)
QUICK = RetryPolicy(attempts=3, jitter=0.0, conflicts=(Conflict,))


@pytest.mark.parametrize("error", [Conflict(), LeaseLost(), PartitionMissing()])
def test_a_writer_repeats_a_conflict_up_to_its_last_attempt_and_is_unavailable_then(error: Exception) -> None:
    """Twelve attempts, then DatabaseUnavailable."""
    assert {decide(WRITER, error, attempt) for attempt in range(11)} == {NextStep.REPEAT}
    assert decide(WRITER, error, 11) is NextStep.UNAVAILABLE


@pytest.mark.parametrize("error", [DatabaseUnavailable(), KeyUnavailable()])
def test_a_writer_raises_an_outage_after_its_fifth_attempt(error: Exception) -> None:
    """The caller hears of an outage sooner than of a conflict."""
    assert {decide(WRITER, error, attempt) for attempt in range(4)} == {NextStep.REPEAT}
    assert decide(WRITER, error, 4) is NextStep.RAISE


@pytest.mark.parametrize("error", [SealBroken(), SpaceNotFound(), ValueError(), asyncio.CancelledError()])
def test_an_error_that_does_not_pass_is_raised_at_once(error: BaseException) -> None:
    """A broken seal is a KeyUnavailable and yet never repeated."""
    assert decide(WRITER, error, 0) is NextStep.RAISE


def test_without_unavailable_the_last_conflict_is_raised_itself() -> None:
    """The caller of a job sees the conflict."""
    assert decide(QUICK, Conflict(), 1) is NextStep.REPEAT
    assert decide(QUICK, Conflict(), 2) is NextStep.RAISE


def test_delays_double_up_to_a_bound_and_the_first_attempt_has_none() -> None:
    """From the seventh attempt on the bound stays the same."""
    delays = [WRITER.longest_delay(attempt) for attempt in range(10)]
    assert delays == [0, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.256, 0.256]


async def test_every_error_is_recovered_from_before_the_next_attempt() -> None:
    """An attempt that answers AGAIN needs no recovery and counts as one."""
    seen: list[str] = []

    async def attempt() -> str | Again:
        seen.append("attempt")
        if len(seen) == 1:
            raise Conflict
        return Again.AGAIN if seen.count("attempt") == 2 else "done"

    async def recover(error: BaseException) -> None:
        seen.append(type(error).__name__)

    assert await repeat(QUICK, attempt, recover) == "done"
    assert seen == ["attempt", "Conflict", "attempt", "attempt"]


async def test_an_error_that_is_raised_is_recovered_from_too() -> None:
    """The transaction is rolled back before the caller sees the error."""
    seen: list[str] = []

    async def attempt() -> None:
        raise SpaceNotFound

    async def recover(error: BaseException) -> None:
        seen.append(type(error).__name__)

    with pytest.raises(SpaceNotFound):
        await repeat(QUICK, attempt, recover)
    assert seen == ["SpaceNotFound"]


async def test_attempts_that_only_answer_again_end_as_unavailable() -> None:
    """No loop runs for ever."""

    async def attempt() -> Again | None:
        return Again.AGAIN

    with pytest.raises(DatabaseUnavailable):
        await repeat(QUICK, attempt)
