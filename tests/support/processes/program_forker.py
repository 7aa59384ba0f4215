"""A process that has loaded `onefold` and the programs of the tests, and forks one for each start that a test asks for.

A start spends nearly all its time with loading a thousand modules, and a run of all tests starts hundreds. Each fork
has the arguments, the environment, the folder and the outputs of its own start; the code that runs is that of the
command line from its first line on. `tests/end_to_end/test_wheel.py`, `tests/app/commands/test_demo.py` and
`tests/end_to_end/test_docs.py` (the lines that start a server) start the program as a user does.
"""

import contextlib
import gc
import json
import os
import signal
import socket
import sys
import tempfile
from functools import cache
from importlib import import_module
from pathlib import Path

import httpcore
import typer.main
from fastapi import FastAPI

from app.http.openapi import paths
from tests.support.processes.forked_worker import fork_workers, run_to_the_end

COMMANDS = ("backup", "demo", "export", "keys", "leak_scan.command", "psql", "reset", "restore", "serve", "verify")
PROGRAMS = ("tests.support.processes.writer_process", "tests.support.processes.stand_in_server")
# What a server loads while it starts.
STARTED = (
    "encodings.idna",
    "fastapi.telemetry._runtime",
    "rich._emoji_codes",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
)
# What a command loads that few starts need: loaded here before the first start that needs it.
OF_COMMANDS = {"restore": ("alembic.command", "identity.store.tables", "sqlmodel")}
STREAMS = 3
_LONGEST = 1 << 18


def run(channel: socket.socket) -> str:
    """Fork a program for each request, until the other end closes; returns in the forks, the function to run there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the tests, and their end closes the channel
    running: dict[int, int] = {}
    signal.signal(signal.SIGCHLD, lambda *_: _report(running))
    commands = (f"app.commands.{name}" for name in COMMANDS)
    for module in ("app.cli", "app.main", "app.http.protocol", *commands, *STARTED, *PROGRAMS):
        import_module(module)
    _prepare()
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        raise RuntimeError("a module starts a thread when it is loaded, and a fork would lack that thread")
    gc.freeze()
    while True:
        request, files, _, _ = socket.recv_fds(channel, _LONGEST, STREAMS + 1)
        if not request:
            sys.exit()
        *streams, report = files
        order = json.loads(request)
        for module in OF_COMMANDS.get(next(iter(order["arguments"]), ""), ()):
            import_module(module)
        # The end of a program is reported by the handler, which has to know the program then.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        if (pid := os.fork()) == 0:
            channel.close()
            for each in (report, *running.values()):
                os.close(each)
            return _become(order, streams)
        running[pid] = report
        for each in streams:
            os.close(each)
        os.write(report, f"{pid}\n".encode())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


def _prepare() -> None:
    """Do once what each fork would do anew, to the same end, before its own work begins."""
    # The certificates of the system, for calls to callbacks.
    trusted = httpcore.default_ssl_context()
    vars(httpcore)["default_ssl_context"] = lambda: trusted
    # The command line, from the signatures of its functions.
    vars(typer.main)["get_command"] = cache(typer.main.get_command)
    typer.main.get_command(import_module("app.cli").cli)
    # The patterns of all paths, which the library of regular expressions keeps.
    paths(FastAPI(routes=[route for router in import_module("app.main").ROUTERS for route in router.routes]))


def _report(running: dict[int, int]) -> None:
    """Write the status of each program that has ended into its file."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = ended
            report = running.pop(pid)
            # Nobody may wait for the program any more.
            with contextlib.suppress(BrokenPipeError):
                os.write(report, f"{os.waitstatus_to_exitcode(status)}\n".encode())
            os.close(report)


def _become(order: dict[str, list[str] | dict[str, str] | str], streams: list[int]) -> str:
    """Take the streams, the arguments, the environment and the folder of the program; returns its function."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    for number, each in enumerate(streams):
        os.dup2(each, number)
        os.close(each)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    arguments, environment, folder = order["arguments"], order["environment"], order["folder"]
    assert isinstance(environment, dict)
    sys.argv[1:] = arguments
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(str(folder))
    tempfile.tempdir = None
    for place in environment.get("PYTHONPATH", "").split(os.pathsep):
        # As an interpreter does when it starts.
        if place and Path(place, "sitecustomize.py").exists():
            sys.path.insert(1, place)
            sys.modules.pop("sitecustomize", None)
            import_module("sitecustomize")
    return str(order["entry"])


def main() -> None:
    """Serve the channel of which the number is the only argument; the program runs in the forks."""
    module, _, name = run(socket.socket(fileno=int(sys.argv[1]))).partition(":")
    fork_workers()
    run_to_the_end(getattr(import_module(module), name))
