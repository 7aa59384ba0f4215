"""A process is the postmaster of a cluster only if all of the file, the name and the folder say so."""

import os
from pathlib import Path

import pytest

from identity.store.embedded import postmaster


def mark(data: Path, pid: object, *lines: str) -> Path:
    """The file that a postmaster leaves in its folder."""
    file = data / "postmaster.pid"
    file.write_text("\n".join([str(pid), str(data), *lines]))
    return file


@pytest.mark.parametrize("pid", ["", "word", "own", 2**22 + 1])
def test_another_process_is_no_postmaster(tmp_path: Path, pid: object) -> None:
    """The process of the test has an id and another name; of the last there is none."""
    mark(tmp_path, os.getpid() if pid == "own" else pid)

    assert postmaster.find(tmp_path) is None


def test_a_folder_without_the_file_has_none(tmp_path: Path) -> None:
    """It was never started, or stopped in good order."""
    assert (postmaster.find(tmp_path), postmaster.sockets(tmp_path)) == (None, None)


def test_the_socket_folder_is_the_fifth_line(tmp_path: Path) -> None:
    """An empty or missing line is none: the postmaster is not listening yet."""
    mark(tmp_path, 1, "0", "5432", "/run/onefold", "*")
    assert postmaster.sockets(tmp_path) == Path("/run/onefold")
    for lines in (["0", "5432", ""], ["0", "5432"]):
        mark(tmp_path, 1, *lines)
        assert postmaster.sockets(tmp_path) is None


def test_the_mark_goes_only_where_its_id_is_somebody_elses(tmp_path: Path) -> None:
    """Postgres removes the mark of a process that is gone by itself."""
    file = mark(tmp_path, 2**22 + 1)
    postmaster.forget(tmp_path)
    assert file.exists()
    mark(tmp_path, os.getpid())
    postmaster.forget(tmp_path)
    assert not file.exists()
