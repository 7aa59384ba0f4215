"""Explains every statement that the store sends, on the connection that sends it and just before it runs.

A statement is executed twice more, under the generic plan that the connection keeps for it and under a plan for its
values, each in a savepoint that is rolled back. So a plan that was made while the tables were empty is explained on
full ones, and what the statement finds is what it finds in production.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from msgspec import Struct
from psycopg import AsyncRawCursor, adapters, generators
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from identity.store.postgres import pipeline, writer_connection
from identity.store.postgres.pipeline import PipelineConnection

_READS_A_TABLE = re.compile(r"\s*(WITH|SELECT|INSERT|UPDATE|DELETE)\b.*\b(FROM|INTO|UPDATE)\b", re.DOTALL)
_EXPLAIN = "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) "
_FAILED = (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE)


class Scan(Struct, frozen=True):
    """What one node of a plan read: a table, or the rows that a join compared and dropped."""

    node: str
    table: str
    index: str | None
    condition: str
    rows: float


class Explained(Struct, frozen=True):
    """A statement under one of its plans; `mode` is "generic" or "custom"."""

    query: str
    mode: str
    scans: list[Scan]


class ExplainedStatements:
    """The statements explained so far, and the plans that connections keep."""

    def __init__(self) -> None:
        self.all: list[Explained] = []
        self.errors: list[str] = []
        self._query = ""
        self._names: dict[tuple[int, str, tuple[int, ...]], str] = {}

    def explain(self, pgconn: PGconn, query: str, values: Sequence[bytes | None], formats: Sequence[Format],
                types: Sequence[int]) -> PQGen[None]:  # fmt: skip
        """Execute a statement under both kinds of plan, and undo it."""
        self._query = query
        if not _READS_A_TABLE.match(query) or pgconn.transaction_status == TransactionStatus.INERROR:
            return
        alone = pgconn.transaction_status == TransactionStatus.IDLE
        if alone:
            yield from self._run(pgconn, "BEGIN")
        yield from self._run(pgconn, "SAVEPOINT explained")
        try:
            name = self._names.get((pgconn.backend_pid, query, tuple(types)))
            if name is None:
                name = self._names[pgconn.backend_pid, query, tuple(types)] = f"explained_{len(self._names)}"
                named = [_type_name(oid) for oid in types]
                yield from self._run(pgconn, f"PREPARE {name}{_in_brackets(named)} AS {query}")
            arguments = yield from self._literals(pgconn, name, values, formats, types)
            execute = f"EXECUTE {name}{_in_brackets(arguments)}"
            yield from self._record(pgconn, query, "generic", execute, (), (), ())
            yield from self._run(pgconn, "ROLLBACK TO SAVEPOINT explained")
            yield from self._record(pgconn, query, "custom", query, values, formats, types)
        finally:
            yield from self._run(pgconn, "ROLLBACK TO SAVEPOINT explained")
            yield from self._run(pgconn, "ROLLBACK" if alone else "RELEASE SAVEPOINT explained")

    def _record(self, pgconn: PGconn, query: str, mode: str, text: str, values: Sequence[bytes | None],
                formats: Sequence[Format], types: Sequence[int]) -> PQGen[None]:  # fmt: skip
        found = yield from self._run(pgconn, _EXPLAIN + text, values, formats, types)
        if found is not None:
            (plan,) = json.loads(found)
            self.all.append(Explained(query, mode, list(_scans(plan["Plan"]))))

    def _literals(self, pgconn: PGconn, name: str, values: Sequence[bytes | None], formats: Sequence[Format],
                  types: Sequence[int]) -> PQGen[list[str]]:  # fmt: skip
        """The values as SQL literals; the server turns binary ones into text."""
        pgconn.send_describe_prepared(name.encode())
        (described,) = yield from generators.execute(pgconn)
        literals = []
        for at, (value, form) in enumerate(zip(values, formats, strict=True)):
            if value is None:
                literals.append("NULL")
                continue
            text: str | None = bytes(value).decode() if form == Format.TEXT else None
            if text is None:
                type_ = types[at] or described.param_type(at)
                text = yield from self._run(pgconn, "SELECT $1::text", [value], [Format.BINARY], [type_])
            literals.append("'" + str(text).replace("'", "''") + "'")
        return literals

    def _run(self, pgconn: PGconn, text: str, values: Sequence[bytes | None] = (), formats: Sequence[Format] = (),
             types: Sequence[int] = ()) -> PQGen[Any]:  # fmt: skip
        """The only field of the only row, as text; None where there is none or the statement failed."""
        pgconn.send_query_params(text.encode(), values, param_types=types or None, param_formats=formats or None)
        results: list[PGresult] = yield from generators.execute(pgconn)
        result = results[-1]
        if result.status in _FAILED:
            self.errors.append(f"{text[:300]} {list(types)}: {result.error_message.decode()} in {self._query}")
            return None
        field = result.get_value(0, 0) if result.ntuples else None
        return None if field is None else field.decode()


def _in_brackets(items: Sequence[str]) -> str:
    return f"({', '.join(items)})" if items else ""


def _type_name(oid: int) -> str:
    known = adapters.types.get(oid)
    if known is None:
        return "unknown"
    return f"{known.regtype}[]" if oid == known.array_oid else known.regtype


def _scans(node: dict[str, Any]) -> Iterator[Scan]:
    """The nodes that read a table or drop rows, the whole tree down."""
    loops = node.get("Actual Loops", 0)
    dropped = sum(node.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck", "Join Filter"))
    table = node.get("Relation Name", "")
    if "Alias" in node or dropped:
        read = node.get("Actual Rows", 0) if table and node["Node Type"] != "ModifyTable" else 0
        yield Scan(
            node["Node Type"], table, node.get("Index Name"), node.get("Index Cond", ""), (read + dropped) * loops
        )
    for below in node.get("Plans", ()):
        yield from _scans(below)


@contextmanager
def explaining() -> Iterator[ExplainedStatements]:
    """Explain what every connection of this process sends. Plans are kept for as long as connections are."""
    made = ExplainedStatements()
    talk, execute = pipeline._talk, AsyncRawCursor.execute

    def talk_explained(connection: Any, steps: Sequence[pipeline.Statement]) -> PQGen[list[PGresult]]:
        pgconn, answers, sync = connection.pgconn, [], []
        for query, params in steps:
            values = [param if isinstance(param, bytes) else param.data for param in params]
            pgconn.exit_pipeline_mode()
            yield from made.explain(pgconn, query, values, [Format.BINARY] * len(values), [0] * len(values))
            pgconn.enter_pipeline_mode()
            *answered, last = yield from talk(connection, [pipeline.Statement(query, params)])
            answers += answered
            sync = [last]
            if answered and answered[-1].status in _FAILED:
                break
        return [*answers, *sync]

    async def execute_explained(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        connection = self.connection
        transformer = Transformer(connection)
        dumped = transformer.dump_sequence(params or (), [PyFormat.AUTO] * len(params or ()))
        values = [None if value is None else bytes(value) for value in dumped]
        types, formats = list(transformer.types or ()), list(transformer.formats or ())
        async with connection.lock:
            await connection.wait(made.explain(connection.pgconn, query, values, formats, types))
        return await execute(self, query, params, **options)

    async def keep_plans(_: PipelineConnection) -> None:
        """The plans of the first minute are those that this is about."""

    with (
        patch.object(pipeline, "_talk", talk_explained),
        patch.object(AsyncRawCursor, "execute", execute_explained),
        patch.object(writer_connection, "_plan_anew", keep_plans),
    ):
        yield made
