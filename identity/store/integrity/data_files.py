"""Files as raw bytes, in pieces, however large they are and while others write to them.

What is gone by the time it is read is passed over, as the database makes and drops files all the time;
what may not be read is an error, since a file that was not looked at proves nothing.
"""

import os
from collections.abc import Iterator
from pathlib import Path

PIECE = 1 << 23


def below(*places: Path) -> Iterator[Path]:
    """All files in these folders and below (a place may be a file), in order. OSError."""
    for place in places:
        if place.is_dir():
            yield from _walk(place)
        elif place.is_file():
            yield place


def pieces(path: Path) -> Iterator[bytes]:
    """The bytes of a file. OSError where it may not be read."""
    try:
        with path.open("rb", buffering=0) as file:
            while piece := file.read(PIECE):
                yield piece
    except FileNotFoundError:
        return


def _walk(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield path
