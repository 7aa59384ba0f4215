"""Files that are there whole or not at all, and files that are destroyed."""

import os
import stat
from pathlib import Path
from threading import Event, Thread

import pytest

from identity.vault import durable_files


def test_created_file_is_private_and_exclusive(tmp_path: Path) -> None:
    """A new file has mode 0600, and a second one of its name is refused."""
    durable_files.create(tmp_path / "a", b"one")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        durable_files.create(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"one"


def test_create_follows_no_link(tmp_path: Path) -> None:
    """A link laid out beforehand does not lead the key elsewhere."""
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="exists"):
        durable_files.create(tmp_path / "a", b"one")
    assert not (tmp_path / "elsewhere").exists()


def test_published_file_replaces_nothing(tmp_path: Path) -> None:
    """Publishing over a file is refused; what a crash left unfinished is in nobody's way."""
    (tmp_path / ".new-a").write_bytes(b"half")
    durable_files.publish(tmp_path / "a", b"one")
    with pytest.raises(FileExistsError):
        durable_files.publish(tmp_path / "a", b"two")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"one"}


def test_data_is_synced_before_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is data, name, directory: a name on disk never leads to missing bytes."""
    steps = list[str]()
    sync, rename = os.fsync, os.rename

    def fsync(descriptor: int) -> None:
        steps.append("fsync")
        sync(descriptor)

    def renamed(source: Path, target: Path) -> None:
        steps.append("rename")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", renamed)
    durable_files.publish(tmp_path / "a", b"one")
    assert steps == ["fsync", "rename", "fsync"]


def test_shredded_file_is_overwritten_and_gone(tmp_path: Path) -> None:
    """The bytes are overwritten in place, as another name of the file shows; again is no error."""
    (tmp_path / "a").write_bytes(b"k" * 60)
    (tmp_path / "same").hardlink_to(tmp_path / "a")
    durable_files.shred(tmp_path / "a")
    durable_files.shred(tmp_path / "a")
    assert not (tmp_path / "a").exists()
    overwritten = (tmp_path / "same").read_bytes()
    assert (len(overwritten), b"kk" in overwritten) == (60, False)


def test_made_directories_are_private(tmp_path: Path) -> None:
    """Each directory that had to be made has mode 0700; those that were there are left alone."""
    (tmp_path / "there").mkdir(0o755)
    durable_files.make_directory(tmp_path / "there" / "a" / "b")
    made = [tmp_path / "there", tmp_path / "there" / "a", tmp_path / "there" / "a" / "b"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in made] == [0o755, 0o700, 0o700]


def test_directory_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    """A second holder waits until the first lets go."""
    entered, steps = Event(), list[str]()

    def second() -> None:
        entered.set()
        with durable_files.exclusive(tmp_path):
            steps.append("second")

    thread = Thread(target=second)
    with durable_files.exclusive(tmp_path):
        thread.start()
        entered.wait()
        thread.join(0.05)
        steps.append("first")
    thread.join()
    assert steps == ["first", "second"]


def hold_and_fail(directory: Path) -> None:
    """Fail while holding a directory."""
    with durable_files.exclusive(directory):
        raise KeyError


def test_directory_is_let_go_by_a_failure(tmp_path: Path) -> None:
    """A process that failed while holding a directory does not keep it."""
    for _ in range(2):
        with pytest.raises(KeyError):
            hold_and_fail(tmp_path)
