"""No log line carries a value of a call, be it our own or a third party's."""

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
    """What is logged; the logging of the test run is restored afterwards."""
    root = logging.getLogger()
    before = (
        root.handlers[:],
        root.level,
        sys.excepthook,
        threading.excepthook,
        sys.unraisablehook,
        logging.raiseExceptions,
    )
    configured = structlog.get_config()
    out = io.StringIO()
    logs.configure("info", out)
    yield out
    structlog.configure(**configured)
    logging.captureWarnings(capture=False)
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    sys.excepthook, threading.excepthook, sys.unraisablehook, logging.raiseExceptions = before[2:]


def lines(written: io.StringIO) -> list[dict[str, object]]:
    """The lines that were written, parsed."""
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_an_event_keeps_only_allow_listed_fields(written: io.StringIO) -> None:
    """Every other field is dropped."""
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
def test_an_allow_listed_field_with_a_value_is_dropped(written: io.StringIO, value: object) -> None:
    """It may hold only a number or a plain name."""
    logs.get("app").info("thing.done", reason=value)

    assert "reason" not in lines(written)[0]


def test_an_event_that_is_no_constant_name_is_not_written(written: io.StringIO) -> None:
    """It could carry a value."""
    logs.get("app").info(f"refused {PLANTED}")

    assert lines(written)[0]["event"] == "unnamed"


def test_only_class_and_place_of_an_exception_are_written(written: io.StringIO) -> None:
    """Never its message."""
    try:
        int(PLANTED)
    except ValueError:
        logs.get("app").exception("route.failed")
    (line,) = lines(written)

    assert (line["error"], PLANTED in written.getvalue()) == ("ValueError", False)
    assert str(line["raised_at"]).split(":")[0].endswith("test_logs")


@pytest.mark.parametrize("name", ["psycopg", "asyncio", "uvicorn.error", "somebody.else"])
def test_the_text_of_a_third_party_is_that_of_its_source(written: io.StringIO, name: str) -> None:
    """With its logger and place, and without anything that run time put into it."""
    logging.getLogger(name).error("could not store %s " + PLANTED, PLANTED, extra={"reason": PLANTED})  # noqa: G003 as others do
    (line,) = lines(written)

    assert (line["event"], line["logger"], PLANTED in written.getvalue()) == ("third_party", name, False)
    assert line["text"] == "could not store %s ..."
    assert str(line["where"]).startswith("test_logs:")


def test_no_text_made_at_run_time_is_written(written: io.StringIO) -> None:
    """Of an f-string the constant parts, of a variable nothing; nor may an event of ours bring a text along."""
    value = f"cannot open {PLANTED}"
    foreign = logging.getLogger("somebody.else")
    foreign.error(f"lost {PLANTED} at {len(PLANTED)}")
    foreign.error(value)
    foreign.error("pool %s is full", PLANTED)
    logs.get("app").error("thing.done", text="pool is full")

    assert [line.get("text") for line in lines(written)] == ["lost ... at ...", None, "pool %s is full", None]
    assert PLANTED not in written.getvalue()


def test_the_text_of_a_warning_is_not_written(written: io.StringIO) -> None:
    """Warnings go through the allow-list too."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn(PLANTED, stacklevel=1)

    assert (len(lines(written)), PLANTED in written.getvalue()) == (1, False)


def test_an_uncaught_exception_is_one_line(written: io.StringIO) -> None:
    """In a thread as well."""
    thread = threading.Thread(target=lambda: int(PLANTED))
    thread.start()
    thread.join()
    try:
        int(PLANTED)
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)

    assert [line["error"] for line in lines(written)] == ["ValueError", "ValueError"]
    assert PLANTED not in written.getvalue()
