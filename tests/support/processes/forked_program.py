"""Starts of `onefold`, or of a program of the tests, as forks of a process that has them loaded, on Linux."""

import atexit
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Self

ROOT = Path(__file__).parents[3]
_SHELL_START = Path(__file__).with_name("shell_start.py")
_FORKER = "from tests.support.processes.program_forker import main; main()"
# The libraries of linear algebra start threads when they are loaded, which a fork would lack.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}


CAN_FORK = sys.platform == "linux"
ONEFOLD_ENTRY = "app.cli:main"
_COMMAND = re.compile(r"from ([\w.]+) import (\w+); \2\(\)")


def command_of(entry: str) -> list[str]:
    """The command that starts the function `entry`, written `module:name`, in an interpreter of its own."""
    module, _, name = entry.partition(":")
    return [sys.executable, "-c", f"from {module} import {name}; {name}()"]


def entry_of(command: Sequence[str]) -> str | None:
    """The function that a command from `command_of` starts; None for every other command."""
    found = _COMMAND.fullmatch(command[2]) if len(command) > 2 else None
    return f"{found[1]}:{found[2]}" if found and list(command[:2]) == [sys.executable, "-c"] else None


class ForkedProgram:
    """A running program, with those methods of `subprocess.Popen` that tests use."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        *,
        entry: str = ONEFOLD_ENTRY,
        written: bool = False,
        output: IO[bytes] | None = None,
        errors: IO[bytes],
    ) -> None:
        """Start the function `entry`, written `module:name`; without a file for its output, `stdout` is a pipe from it.

        `stdin` is a pipe to the program where the program is `written` to; otherwise the program reads nothing.
        """
        request = {
            "entry": entry,
            "arguments": list(arguments),
            "environment": dict(environment),
            "folder": str(folder),
        }
        self.returncode: int | None = None
        self.stdin: IO[str] | None = None
        self.stdout: IO[str] | None = None
        read, report = os.pipe()
        self._report = os.fdopen(read, "r")
        ends = [report]
        if written:
            source, write = os.pipe()
            self.stdin = os.fdopen(write, "w")
        else:
            source = os.open(os.devnull, os.O_RDONLY)
        ends.append(source)
        if output is None:
            read, target = os.pipe()
            self.stdout = os.fdopen(read, "r")
            ends.append(target)
        else:
            target = output.fileno()
        files = [source, target, errors.fileno(), report]
        socket.send_fds(_channel(), [json.dumps(request).encode()], files)
        for each in ends:
            os.close(each)
        self.pid = int(self._report.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.stdout:
            self.stdout.close()
        self.wait()

    def poll(self) -> int | None:
        """Its exit status, or None while it runs."""
        if self.returncode is None and select.select([self._report], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; returns its exit status. TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._report], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("onefold", timeout or 0.0)
            self.returncode = int(self._report.readline())
            self._report.close()
        return self.returncode

    def send_signal(self, order: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, order)

    def terminate(self) -> None:
        """Ask it to stop."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def start_from_shell() -> tuple[list[str], int]:
    """The command that starts `onefold` in a shell as a fork, and the descriptor that the shell has to inherit."""
    number = _channel().fileno()
    return [sys.executable, "-I", "-S", str(_SHELL_START), str(number), ONEFOLD_ENTRY], number


@cache
def _channel() -> socket.socket:
    """The way to the process that forks; it ends with this one."""
    mine, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with other:
        forker = subprocess.Popen(
            [sys.executable, "-c", _FORKER, str(other.fileno())], cwd=ROOT, env={**os.environ, **_ONE_THREAD},
            pass_fds=[other.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def end() -> None:
        mine.close()
        forker.wait()

    atexit.register(end)
    return mine
