"""Conditions of partial indexes, each written once, from the enums.

Postgres uses a partial index only for a query that repeats its condition with constants, so these numbers stand in
the SQL text and are no parameters. `alias` is the name of the table in the query, with its dot.
"""

from typing import LiteralString

from identity.values.enums import ErasureState, JobState, NoticeState

_ENDED = ", ".join(str(state.value) for state in (NoticeState.DONE, NoticeState.UNSUPPORTED_MANUAL, NoticeState.FAILED))


def job_open(alias: LiteralString = "") -> LiteralString:
    """A job that has not ended: index `job_open`."""
    return f"{alias}state < {JobState.DONE.value}"


def erasure_waiting(alias: LiteralString = "") -> LiteralString:
    """An erasure that is neither done nor ended."""
    return f"{alias}state < {ErasureState.FINISHED.value}"


def erasure_open(alias: LiteralString = "") -> LiteralString:
    """An erasure that waits or was cancelled: index `erasure_open`."""
    return f"({erasure_waiting(alias)} OR {alias}state = {ErasureState.CANCELLED.value})"


def notice_open(alias: LiteralString = "") -> LiteralString:
    """A notice that the destination still has to acknowledge: index `erasure_notice_waiting`."""
    return f"{alias}state NOT IN ({_ENDED})"
