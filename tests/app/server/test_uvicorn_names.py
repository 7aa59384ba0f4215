"""The private names of uvicorn that the server overrides or uses are still there, in their shape."""

import ast
import inspect
import tomllib
from importlib.metadata import version
from typing import Any

import pytest
from packaging.requirements import Requirement
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from app.commands import serve
from app.http import protocol
from app.server import workers
from tests.conftest import ROOT

SOURCE = ast.parse(inspect.getsource(protocol.GuardedProtocol))
CYCLE = {"keep_alive", "response_complete", "response_started", "disconnected", "message_event"}
OVERRIDING: list[tuple[type[Any], type[Any]]] = [
    (protocol.GuardedProtocol, HttpToolsProtocol),
    (serve._Config, Config),
    (serve._Server, Server),
    (workers.Workers, Multiprocess),
]


def of_attribute(name: str) -> set[str]:
    """What GuardedProtocol uses of `self.<name>`."""
    return {
        node.attr
        for node in ast.walk(SOURCE)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == name
    }


def used() -> set[str]:
    """What GuardedProtocol uses of itself and does not define itself."""
    names = {
        node.attr: isinstance(node.ctx, ast.Store)
        for node in ast.walk(SOURCE)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }
    stored = {
        node.attr for node in ast.walk(SOURCE) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    own = {name for name in stored if name.startswith("_")} | set(vars(protocol.GuardedProtocol))
    return set(names) - own


def test_uvicorn_has_an_upper_bound() -> None:
    """The next minor version is tried before it is allowed."""
    lines = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (bounded,) = (Requirement(line) for line in lines if line.startswith("uvicorn"))
    major, minor, *_ = version("uvicorn").split(".")

    assert f"{major}.{minor}" in bounded.specifier
    assert f"{major}.{int(minor) + 1}" not in bounded.specifier


@pytest.mark.parametrize(("ours", "theirs"), OVERRIDING)
def test_what_is_overridden_is_there_with_the_same_parameters(ours: type[Any], theirs: type[Any]) -> None:
    """A method of another name or shape would never be called, or fail when it is."""
    overridden = [
        name
        for name, each in vars(ours).items()
        if inspect.isfunction(each) and any("super()." + name in line for line in inspect.getsource(each).splitlines())
    ]
    replaced = {"on_header", "data_received", "handle_hup", "configure_logging", "send_400_response"} & set(vars(ours))

    for name in {*overridden, *replaced} - {"__init__"}:
        assert list(inspect.signature(vars(theirs)[name]).parameters) == list(
            inspect.signature(vars(ours)[name]).parameters
        )


async def test_what_a_connection_uses_of_its_base_is_there() -> None:
    """Attributes that uvicorn sets when a connection is made, and methods that it keeps to itself."""
    config = Config(lambda: None, log_config=None, lifespan="off", ws="none", http=HttpToolsProtocol)
    config.load()
    base = HttpToolsProtocol(config, ServerState(), {})
    # Both are there once a request has begun.
    later = {"headers", "url"}

    assert {"limit_concurrency", "_unset_keepalive_if_required", "pipeline", "connections"} <= used()
    assert {name for name in used() - later if not hasattr(base, name)} == set()
    source = inspect.getsource(HttpToolsProtocol.on_message_begin)
    assert [name for name in later if f"self.{name}" not in source] == []


def test_what_is_used_of_a_request_is_there() -> None:
    """Attributes of the cycle of a request and its answer."""
    source = inspect.getsource(RequestResponseCycle.__init__)

    assert of_attribute("cycle") == CYCLE
    assert [name for name in CYCLE if f"self.{name} =" not in source and f"self.{name}:" not in source] == []


def test_what_is_used_of_the_supervisor_is_there() -> None:
    """Its worker processes, its end, and whether a worker is ready."""
    source = inspect.getsource(Multiprocess.__init__)

    assert [name for name in ("config", "processes", "should_exit", "sockets") if f"self.{name}" not in source] == []
    assert "timeout" in inspect.signature(Process.is_ready).parameters
    assert hasattr(Process, "exitcode")
