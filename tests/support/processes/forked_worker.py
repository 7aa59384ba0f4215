"""Starts of the worker processes of a server as forks of it, in a program that `program_forker` forked.

`multiprocessing` starts a worker in an interpreter of its own, which spends nearly all of its start with loading the
modules that the server has loaded. A fork runs the same code, from the same pipe, with the files that an interpreter
would inherit, without the handlers of signals and of the exit that the server has. `tests/end_to_end/test_docs.py`
starts a server with two workers as a user does.
"""

import atexit
import ctypes
import gc
import multiprocessing.util
import os
import signal
import sys
import threading
import traceback
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import psutil
from prometheus_client import values

_WORKER = "spawn_main"
_SET_NAME = 15
_STREAMS = 3
_in_an_interpreter = multiprocessing.util.spawnv_passfds


def fork_workers() -> None:
    """Let `multiprocessing` fork the workers of this process."""
    vars(multiprocessing.util)["spawnv_passfds"] = _start


def workers_of(server: psutil.Process) -> list[psutil.Process]:
    """The worker processes of a server."""
    return [each for each in server.children() if _is_worker(each)]


def run_to_the_end(program: Callable[[], object]) -> NoReturn:
    """Run the program and end this process as an interpreter does, but for taking apart the modules.

    A fork would have to copy each module for that.
    """
    status = 1
    try:
        status = _status(program)
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        for each in (sys.stdout, sys.stderr):
            each.flush()
    finally:
        os._exit(status)


def _status(program: Callable[[], object]) -> int:
    try:
        program()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 the interpreter prints any
        traceback.print_exc()
        return 1
    return 0


def _is_worker(process: psutil.Process) -> bool:
    try:
        return process.name() == _WORKER or any(_WORKER in word for word in process.cmdline())
    except psutil.NoSuchProcess:
        return False


def _start(path: bytes, arguments: Sequence[str | bytes], passed: Sequence[int]) -> int:
    """Run what the interpreter of these arguments would run; returns the id of the process."""
    words = [os.fsdecode(each) for each in arguments]
    at = words.index("-c")
    program, rest = words[at + 1], words[at + 2 :]
    if _WORKER not in program:
        return int(_in_an_interpreter(path, arguments, passed))
    for each in (sys.stdout, sys.stderr):
        each.flush()
    if pid := os.fork():
        return pid
    sys.argv = ["-c", *rest]

    def worker() -> None:
        _forget_the_server(passed)
        exec(program, {"__name__": "__main__"})

    run_to_the_end(worker)


def _forget_the_server(passed: Iterable[int]) -> None:
    """Give up what an interpreter would not have from the server that starts it."""
    gc.freeze()
    for order in signal.valid_signals():
        if callable(signal.getsignal(order)):
            signal.signal(order, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    low = _STREAMS
    for each in [*sorted(map(int, passed)), os.sysconf("SC_OPEN_MAX")]:
        if low < each:
            os.closerange(low, each)
        low = each + 1
    atexit._clear()
    registry: dict[Any, Any] = vars(weakref.finalize)["_registry"]
    registry.clear()
    weakref.finalize._registered_with_atexit = False  # type: ignore[attr-defined]
    ctypes.CDLL(None).prctl(_SET_NAME, _WORKER.encode(), 0, 0, 0)
    # Whether metrics are shared is read from the environment when the library is loaded.
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]
