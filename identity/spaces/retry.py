"""Repeats a transaction that failed for a reason that passes.

`decide` is pure: the policy, the error and the number of the attempt say what follows. `repeat` does it.
Invariant: an attempt follows only one that was rolled back, so each attempt reads everything anew.
Delays are random, so that writers that met at the same rows do not meet there again.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from functools import partial
from typing import Final, TypeVar

from msgspec import Struct

from identity.store.postgres.database import Database, translated
from identity.store.postgres.pipeline import PipelineConnection
from identity.store.postgres.writer_connection import WriterConnection
from identity.values.errors import (
    Conflict,
    DatabaseUnavailable,
    KeyUnavailable,
    LeaseLost,
    PartitionMissing,
    SealBroken,
)

R = TypeVar("R")
Errors = tuple[type[Exception], ...]
_MOST_DOUBLINGS: Final = 7


class Again(Enum):
    """The answer of an attempt that ended without an error and has to be repeated."""

    AGAIN = auto()


class NextStep(Enum):
    """What follows an error: another attempt, the error itself, or DatabaseUnavailable in its place."""

    REPEAT = auto()
    RAISE = auto()
    UNAVAILABLE = auto()


class RetryPolicy(Struct, frozen=True):
    """Which errors pass, and how often a transaction is tried.

    The delay before attempt n, counted from 0, is at most `jitter * 2**n` seconds. `conflicts` are repeated
    up to the last attempt, `outages` as long as fewer than `outage_attempts` were made, `lasting` never.
    With `unavailable` the conflict of the last attempt is raised as DatabaseUnavailable.
    """

    attempts: int
    jitter: float
    conflicts: Errors
    outages: Errors = ()
    outage_attempts: int = 0
    lasting: Errors = (SealBroken,)
    unavailable: bool = False

    def longest_delay(self, attempt: int) -> float:
        """The most seconds to wait before an attempt."""
        return self.jitter * 2.0 ** min(attempt, _MOST_DOUBLINGS) if attempt else 0.0


def writer_policy(attempts: int, outage_attempts: int) -> RetryPolicy:
    """The policy of a transaction on a writer connection.

    A missing key is an outage: a roll may have moved the key after the row was read and before it was opened.
    """
    return RetryPolicy(
        attempts=attempts,
        jitter=0.002,
        conflicts=(Conflict,),
        outages=(DatabaseUnavailable, KeyUnavailable),
        outage_attempts=outage_attempts,
        unavailable=True,
    )


def decide(policy: RetryPolicy, error: BaseException, attempt: int) -> NextStep:
    """What follows the error of an attempt, counted from 0."""
    if isinstance(error, policy.lasting):
        return NextStep.RAISE
    if isinstance(error, policy.conflicts):
        if attempt + 1 < policy.attempts:
            return NextStep.REPEAT
        return NextStep.UNAVAILABLE if policy.unavailable else NextStep.RAISE
    if isinstance(error, policy.outages) and attempt + 1 < policy.outage_attempts:
        return NextStep.REPEAT
    return NextStep.RAISE


async def repeat(
    policy: RetryPolicy,
    attempt: Callable[[], Awaitable[R | Again]],
    recover: Callable[[BaseException], Awaitable[None]] | None = None,
) -> R:
    """Returns the answer of the first attempt that has one; `recover` runs after every error.

    Raises what the policy does not repeat, or DatabaseUnavailable after too many attempts.
    """
    for number in range(policy.attempts):
        if number:
            await asyncio.sleep(random.uniform(0, policy.longest_delay(number)))  # noqa: S311 (jitter)
        try:
            answer = await attempt()
        except BaseException as error:
            if recover is not None:
                await recover(error)
            decision = decide(policy, error, number)
            if decision is NextStep.RAISE:
                raise
            if decision is NextStep.UNAVAILABLE:
                raise DatabaseUnavailable from error
        else:
            if not isinstance(answer, Again):
                return answer
    raise DatabaseUnavailable


async def repeat_write(
    policy: RetryPolicy,
    database: Database,
    writer: WriterConnection,
    attempt: Callable[[PipelineConnection], Awaitable[R | Again]],
) -> R:
    """The same on a writer connection, which is rolled back after every error."""

    async def on_connection() -> R | Again:
        connection = await writer.ready()
        with translated():
            return await attempt(connection)

    return await repeat(policy, on_connection, partial(_roll_back, database, writer))


async def _roll_back(database: Database, writer: WriterConnection, error: BaseException) -> None:
    await writer.rollback()
    if isinstance(error, PartitionMissing):
        await database.make_partitions()
    elif isinstance(error, LeaseLost):
        writer.forget_lease()
