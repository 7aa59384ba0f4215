"""Writes log lines that cannot carry personal data: fields come from an allow-list, foreign text from its source.

Every line of this process goes through here. Our own events are constant dotted names with allow-listed fields. A
third party's record keeps its logger, the place in its source, and its text as the source has it, without the values
of run time (`app.server.source_text`). An exception keeps its class and where it was raised, never its message, its
cause's or its locals.
"""

import logging
import re
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from app.server.source_text import source_text
from app.settings import LEVELS

ALLOWED = frozenset(
    {
        "event", "level", "ts", "pid", "logger", "where", "text", "error", "raised_at",
        "method", "route", "status", "ms", "space", "destination", "job", "kind", "request", "code", "reason",
        "calls", "requests", "profiles", "waiting", "retries", "bytes", "count", "worker", "port", "version", "task",
    }
)  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
_TEXT = re.compile(
    r"[A-Za-z0-9_.:/{}<>\-]{1,120}"
)  # route templates, codes and places match; a value with @, + or a space does not
_OURS = ("app", "identity", "migrations")


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send every log line, uncaught exception and warning of this process through the allow-list."""
    if level not in LEVELS:
        raise ValueError(level)
    out = stream or sys.stderr
    shape: Any = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if out.isatty()
        else structlog.processors.JSONRenderer()
    )
    common: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", key="ts"),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *common,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[anonymous, keep_allowed, shape],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    noisy = ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio", "psycopg", "alembic", "sqlalchemy", "httpcore")
    for name in noisy:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        # Lines of others below this level are noise once their text is dropped.
        logger.setLevel(max(logging.WARNING, root.level))
    logging.raiseExceptions = False  # else logging prints a broken record with its arguments
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda hook: _uncaught(hook.exc_type, hook.exc_value, hook.exc_traceback)
    sys.unraisablehook = lambda hook: _uncaught(hook.exc_type, hook.exc_value, hook.exc_traceback)


def get(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of one of our modules: `get(__name__).info("ingest.commit", calls=12)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def anonymous(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace the text of a third party's record by that of its source; reduce exceptions."""
    record: logging.LogRecord = event["_record"]
    trouble = record.exc_info or event.pop("exc_info", None)
    if trouble is True:
        trouble = sys.exc_info()
    if isinstance(trouble, BaseException):
        trouble = (type(trouble), trouble, trouble.__traceback__)
    if trouble and trouble[1]:
        event["error"], event["raised_at"] = type(trouble[1]).__name__, raised_at(trouble[1])
    event.pop("text", None)
    if not event["_from_structlog"]:
        event["event"], event["text"] = "third_party", source_text(record)
        event["where"] = f"{record.module}:{record.lineno}"
    event["logger"] = record.name
    return event


def keep_allowed(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop every field that is not on the allow-list, and every text that is not a plain name."""
    kept: EventDict = {}
    for name, value in event.items():
        if name not in ALLOWED:
            continue
        plain = isinstance(value, bool | int | float) or (value is None and name != "text")
        if plain or name == "ts" or (name == "text" and value) or (isinstance(value, str) and _TEXT.fullmatch(value)):
            kept[name] = value
    if not _NAME.fullmatch(str(event.get("event"))):
        kept["event"] = "unnamed"
    return kept


def raised_at(error: BaseException) -> str:
    """Return the module and line that raised an error: our innermost frame, else the innermost one."""
    place, ours = "unknown:0", False
    trace: TracebackType | None = error.__traceback__
    while trace:
        module = trace.tb_frame.f_globals.get("__name__", "unknown")
        if (mine := module.split(".")[0] in _OURS) or not ours:
            place, ours = f"{module}:{trace.tb_lineno}", ours or mine
        trace = trace.tb_next
    return place if place != "__main__:0" else Path(sys.argv[0]).name


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    get("app").error("uncaught", exc_info=(kind, error, trace))
