"""No log line carries a value of a call, whoever writes it."""

import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest
import structlog

from app.server import logs

PLANTED = "planted@example.com"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is logged; the logging of the test run is put back afterwards."""
    root = logging.getLogger()
    before = (
        root.handlers[:],
        root.level,
        sys.excepthook,
        threading.excepthook,
        sys.unraisablehook,
        logging.raiseExceptions,
    )
    out = io.StringIO()
    logs.configure("info", out)
    yield out
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    sys.excepthook, threading.excepthook, sys.unraisablehook, logging.raiseExceptions = before[2:]


def lines(written: io.StringIO) -> list[dict[str, object]]:
    """The lines that were written, taken apart."""
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_allowed_fields(written: io.StringIO) -> None:
    """Our own event keeps its allow-listed fields and loses every other one."""
    logs.get("app.http.ingest_endpoint").info(
        "ingest.commit", calls=12, route="/v1/batch", email=PLANTED, traits={"a": PLANTED}
    )
    (line,) = lines(written)
    line.pop("ts")

    assert line == {
        "event": "ingest.commit",
        "level": "info",
        "logger": "app.http.ingest_endpoint",
        "calls": 12,
        "route": "/v1/batch",
    }


@pytest.mark.parametrize("value", [PLANTED, "two words", "+4915112345678", {"a": 1}, ["x"], "x" * 200])
def test_value_in_allowed_field(written: io.StringIO, value: object) -> None:
    """An allow-listed field is dropped when it holds anything but a number or a plain name."""
    logs.get("app").info("thing.done", reason=value)

    assert "reason" not in lines(written)[0]


def test_event_with_a_value(written: io.StringIO) -> None:
    """An event that is no constant name is not written."""
    logs.get("app").info(f"refused {PLANTED}")

    assert lines(written)[0]["event"] == "unnamed"


def test_exception(written: io.StringIO) -> None:
    """Of an exception only class and place are written."""
    try:
        int(PLANTED)
    except ValueError:
        logs.get("app").exception("route.failed")
    (line,) = lines(written)

    assert (line["error"], PLANTED in written.getvalue()) == ("ValueError", False)
    assert str(line["raised_at"]).split(":")[0].endswith("test_logs")


@pytest.mark.parametrize("name", ["psycopg", "asyncio", "uvicorn.error", "somebody.else"])
def test_third_party(written: io.StringIO, name: str) -> None:
    """Of a third party's record neither text nor arguments are written, only who and where."""
    logging.getLogger(name).error("could not store %s " + PLANTED, PLANTED, extra={"reason": PLANTED})  # noqa: G003 as others do
    (line,) = lines(written)

    assert (line["event"], line["logger"], PLANTED in written.getvalue()) == ("third_party", name, False)
    assert str(line["where"]).startswith("test_logs:")


def test_warning(written: io.StringIO) -> None:
    """The text of a warning is not written."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn(PLANTED, stacklevel=1)

    assert (len(lines(written)), PLANTED in written.getvalue()) == (1, False)


def test_uncaught(written: io.StringIO) -> None:
    """An exception that nobody caught is one line too, in a thread as well."""
    thread = threading.Thread(target=lambda: int(PLANTED))
    thread.start()
    thread.join()
    try:
        int(PLANTED)
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)

    assert [line["error"] for line in lines(written)] == ["ValueError", "ValueError"]
    assert PLANTED not in written.getvalue()
