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
from importlib import import_module
from pathlib import Path

import httpcore

from tests.support.processes.forked_worker import fork_workers, run_to_the_end

COMMANDS = ("backup", "demo", "export", "keys", "leak_scan.command", "psql", "reset", "restore", "serve", "verify")
PROGRAMS = ("tests.support.processes.writer_process", "tests.support.processes.stand_in_server")
STREAMS = 3
_LONGEST = 1 << 18


def run(channel: socket.socket) -> str:
    """Fork a program for each request, until the other end closes; returns in the forks, the function to run there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the tests, and their end closes the channel
    signal.signal(signal.SIGCHLD, _reap)
    commands = (f"app.commands.{name}" for name in COMMANDS)
    for module in ("app.cli", "app.main", "app.http.protocol", *commands, *PROGRAMS):
        import_module(module)
    # Each server would read the certificates of the system, for calls to callbacks; this process reads them once.
    trusted = httpcore.default_ssl_context()
    vars(httpcore)["default_ssl_context"] = lambda: trusted
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        raise RuntimeError("a module starts a thread when it is loaded, and a fork would lack that thread")
    gc.freeze()
    while True:
        request, files, _, _ = socket.recv_fds(channel, _LONGEST, STREAMS + 1)
        if not request:
            sys.exit()
        if os.fork() == 0:
            channel.close()
            return _become(json.loads(request), files)
        for each in files:
            os.close(each)


def _reap(*_: object) -> None:
    """Collect the reporting processes that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _become(request: dict[str, list[str] | dict[str, str] | str], files: list[int]) -> str:
    """Fork once more: this process reports the program's id and the status it ends with; returns in the program."""
    *streams, report = files
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if pid := os.fork():
        for each in streams:
            os.close(each)
        os.write(report, f"{pid}\n".encode())
        _, status = os.waitpid(pid, 0)
        os.write(report, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    os.close(report)
    for number, each in enumerate(streams):
        os.dup2(each, number)
        os.close(each)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    arguments, environment, folder = request["arguments"], request["environment"], request["folder"]
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
    return str(request["entry"])


def main() -> None:
    """Serve the channel of which the number is the only argument; the program runs in the forks."""
    module, _, name = run(socket.socket(fileno=int(sys.argv[1]))).partition(":")
    fork_workers()
    run_to_the_end(getattr(import_module(module), name))
