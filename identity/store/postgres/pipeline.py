"""Many statements in one round trip, each prepared once, with parameters and results in binary form.

The pipeline of the driver makes a cursor and a query object per statement, which costs 30 µs each (measured; this
costs 5), and a small batch has some twenty statements. Waiting, results and errors are the driver's.
"""

import select
from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import OperationalError, generators
from psycopg.abc import PQGen
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, Format, PipelineStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.rows import TupleRow

from identity.store.postgres.arrays import Array
from identity.store.postgres.shown_space import SpaceConnection

Param = bytes | Array
_DONE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.PIPELINE_SYNC)
_LOST = "The connection was lost before everything was answered."
_FAILED = (ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED)


class Statement(NamedTuple):
    """A statement with its parameters: whole arrays, or the bytes of one value (`arrays.int4` ...)."""

    query: str
    params: Sequence[Param] = ()


class StatementResult(NamedTuple):
    """The rows of a statement, and how many rows it touched."""

    rows: list[TupleRow]
    touched: int


class PipelineConnection(SpaceConnection):
    """A connection that keeps the names of the statements it has prepared.

    Their plans are for `plans_last` seconds, and are `planned_until` then on the monotonic clock.
    """

    names: dict[str, bytes]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names = {}
        self.plans_last = 0.0
        self.planned_until = 0.0


def is_idle(connection: PipelineConnection) -> bool:
    """Whether a connection is open and outside a transaction, and nothing comes from the server, such as its end."""
    if connection.closed or connection.info.transaction_status != TransactionStatus.IDLE:
        return False
    return connection.pgconn.pipeline_status == PipelineStatus.OFF and not _readable(connection.fileno())


def _readable(number: int) -> bool:
    waiting = select.poll()
    waiting.register(number, select.POLLIN)
    return bool(waiting.poll(0))


async def run(connection: PipelineConnection, *steps: Statement) -> list[StatementResult]:
    """Send the statements at once and return their results in order.

    Raises the error of the first statement that failed; later ones did not run.
    """
    async with connection.lock:
        pgconn = connection.pgconn
        pgconn.enter_pipeline_mode()
        try:
            answers = await connection.wait(_talk(connection, steps))
        finally:
            if pgconn.status == ConnStatus.OK:
                pgconn.exit_pipeline_mode()
    transformer = Transformer(connection)
    results = []
    for answer in answers:
        if answer.status in _FAILED:
            raise error_from_result(answer, encoding="utf-8")
        if answer.status not in _DONE:
            raise OperationalError(_LOST)
        transformer.set_pgresult(answer)
        results.append(StatementResult(transformer.load_rows(0, answer.ntuples, tuple), answer.command_tuples or 0))
    if len(results) != len(steps) + 1:
        raise OperationalError(_LOST)
    return results[:-1]


async def commit(connection: PipelineConnection) -> None:
    """Commit the transaction. After an error it is unknown whether the transaction is durable."""
    await run(connection, Statement("COMMIT"))


async def rollback(connection: PipelineConnection) -> None:
    """Roll back the transaction."""
    await run(connection, Statement("ROLLBACK"))


def _talk(connection: PipelineConnection, steps: Sequence[Statement]) -> PQGen[list[PGresult]]:
    """Send everything, then read everything: one result per statement, then the sync's."""
    pgconn, names = connection.pgconn, connection.names
    fresh: dict[str, bytes] = {}
    for query, params in steps:
        name = names.get(query) or fresh.get(query)
        if name is None:
            name = fresh[query] = b"onefold_%d" % (len(names) + len(fresh))
            pgconn.send_prepare(name, query.encode())
        values = [param if isinstance(param, bytes) else param.data for param in params]
        pgconn.send_query_prepared(name, values, [Format.BINARY] * len(values), Format.BINARY)
    pgconn.pipeline_sync()
    yield from generators.send(pgconn)
    answers = []
    for query, _ in steps:
        name = fresh.pop(query, None)
        if name is not None:
            prepared = yield from generators.fetch_many(pgconn)
            if prepared[0].status in _FAILED:
                answers.append(prepared[0])
            else:
                names[query] = name
        answers += yield from generators.fetch_many(pgconn)
    # Only the answer to the sync says that everything before it was answered; nothing is taken for
    # done without it.
    answers += yield from generators.fetch_many(pgconn)
    return answers
