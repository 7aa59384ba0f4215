"""Files that survive a crash whole or not at all, and files that are destroyed.

Invariants: a file is created exclusively with mode 0600, is on disk when the call returns and
never shows up half-written under its own name; what a crash leaves behind has a name starting
with `UNFINISHED` or `DOOMED`, and is swept by the next holder of the directory.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700
UNFINISHED = ".new-"
DOOMED = ".gone-"
_OTHERS = 0o077


def private(path: Path) -> bool:
    """Whether only the owner may use the file or directory."""
    return not path.stat().st_mode & _OTHERS


def make_directory(path: Path) -> None:
    """Make a directory of mode 0700, with its parents, unless it is there; on disk on return."""
    if not path.is_dir():
        make_directory(path.parent)
        path.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
        sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Bring the names in a directory to disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create(path: Path, data: bytes) -> None:
    """Write a new file and fsync it; FileExistsError if the name is taken. The name is not synced."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, FILE_MODE), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def publish(path: Path, data: bytes) -> None:
    """Write a new file that appears whole; FileExistsError if the name is taken.

    The caller holds the directory (`exclusive`), as a rename would replace a file made meanwhile.
    """
    if path.exists():
        raise FileExistsError(path)
    unfinished = path.with_name(UNFINISHED + path.name)
    unfinished.unlink(missing_ok=True)
    create(unfinished, data)
    unfinished.rename(path)
    sync_directory(path.parent)


def replace(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file in pieces, which appears whole in the place of any before it; on disk on return.

    The caller holds the directory (`exclusive`).
    """
    unfinished = path.with_name(UNFINISHED + path.name)
    unfinished.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(unfinished, flags, FILE_MODE), "wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    sync_directory(path.parent)


def shred(path: Path) -> None:
    """Overwrite a file and unlink it; nothing happens if it is gone. The name is not synced.

    Overwriting is best effort: copy-on-write file systems and flash media may keep the old bytes.
    """
    try:
        with path.open("r+b", buffering=0) as file:
            file.write(os.urandom(os.fstat(file.fileno()).st_size))
            os.fsync(file.fileno())
        path.unlink()
    except FileNotFoundError:
        return


def shred_directory(path: Path) -> None:
    """Shred the files of a directory and remove it; nothing happens if it is gone."""
    if not path.is_dir():
        return
    for file in path.iterdir():
        shred(file)
    sync_directory(path)
    path.rmdir()
    sync_directory(path.parent)


@contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Hold a directory against all other threads and processes; a crash lets go of it."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class Hold:
    """A file held with others or alone, until it is closed or forgotten; BlockingIOError if it cannot be had.

    The file is the one that bears the name now: another may have taken its place while it was opened.
    """

    def __init__(self, path: Path, *, alone: bool) -> None:
        self._descriptor = -1
        while self._descriptor < 0:
            self._descriptor = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(self._descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
                current = os.fstat(self._descriptor).st_ino == path.stat().st_ino
            except BaseException:
                self.close()
                raise
            if not current:
                self.close()

    def close(self) -> None:
        """Let go of it; again is no error."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    __del__ = close
