"""Finds the process that serves a cluster and the address where the process listens, from the files of the cluster.

A process is the postmaster of a cluster only if the process is alive, is called postgres and was started on that very
folder: process ids are used again, in containers after every restart.
"""

import contextlib
import os
import stat
import tempfile
from hashlib import sha256
from pathlib import Path

import psutil

from identity.store.embedded.data_directory import PORT, Cluster
from identity.store.embedded.run_as import may
from identity.values.errors import Misconfigured

_FILE = "postmaster.pid"  # pid, folder, start, port, socket folder, address, shared memory, status
_SOCKETS = 4
_PATH_LIMIT = 100  # bytes; the strictest system takes 104


def find(data: Path) -> psutil.Process | None:
    """The live postmaster of a cluster."""
    lines = _lines(data)
    if not lines or not lines[0].isdigit():
        return None
    try:
        process = psutil.Process(int(lines[0]))
        if process.status() == psutil.STATUS_ZOMBIE or process.name() != "postgres":
            return None
        return process if str(data) in process.cmdline() else None
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:  # called postgres, but not ours to look at: do not go near it
        return process


def sockets(data: Path) -> Path | None:
    """The folder in which the postmaster of a cluster says that it listens."""
    lines = _lines(data)
    return Path(lines[_SOCKETS]) if len(lines) > _SOCKETS and lines[_SOCKETS] else None


def forget(data: Path) -> None:
    """Remove the mark of a postmaster that is gone, where its process id is somebody else's now.

    Postgres refuses to start while a process of that id lives. Its own guard against two servers
    on one cluster, the shared memory that belongs to the folder, stays.
    """
    lines = _lines(data)
    if lines and lines[0].isdigit() and psutil.pid_exists(int(lines[0])):
        (data / _FILE).unlink(missing_ok=True)


def private_folder(cluster: Cluster) -> Path:
    """An empty folder for the socket that only the account which runs Postgres may enter.

    It has a short path, for socket addresses end after 104 bytes, and the same one at each start.
    """
    made = (cluster.data / "PG_VERSION").stat().st_mtime_ns
    name = "onefold-" + sha256(f"{cluster.data}|{made}".encode()).hexdigest()[:12]
    uid = cluster.runner.uid if cluster.runner else os.geteuid()
    folder = _temporary(cluster, name) / name
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        cluster.give(folder)
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != uid:
        raise Misconfigured(f"{folder} belongs to somebody else, and the database needs it; remove it.")
    folder.chmod(0o700)
    for leftover in folder.iterdir():
        leftover.unlink()
    return folder


def _temporary(cluster: Cluster, name: str) -> Path:
    wanted = Path(tempfile.gettempdir()).resolve()
    short = len(str(wanted / name / f".s.PGSQL.{PORT}").encode()) <= _PATH_LIMIT
    runner = cluster.runner
    open_to_it = runner is None or may(runner, "-x", wanted)
    return wanted if short and open_to_it else Path("/tmp")  # noqa: S108 the folder in it is private


def _lines(data: Path) -> list[str]:
    try:
        return (data / _FILE).read_text().splitlines()
    except OSError:
        return []
