"""A search reads every file of a folder, and what it may not read is an error."""

from pathlib import Path

import pytest

from identity.store.integrity import data_files


def test_every_file_below_is_there_once_and_in_order(tmp_path: Path) -> None:
    """A place may be a file; links lead nowhere new, and a place that is gone is passed over."""
    (tmp_path / "b" / "deep").mkdir(parents=True)
    (tmp_path / "a").mkdir()
    files = [tmp_path / name for name in ("single", "a/2", "b/1", "b/deep/3")]
    for file in files:
        file.write_bytes(b"x")
    (tmp_path / "b" / "link").symlink_to(files[0])

    places = [tmp_path / name for name in ("single", "a", "gone", "b")]
    assert list(data_files.below(*places)) == files


def test_a_large_file_comes_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Together they are the file; one that is gone by now has none."""
    monkeypatch.setattr(data_files, "PIECE", 3)
    file = tmp_path / "file"
    file.write_bytes(b"abcdefgh")

    assert list(data_files.pieces(file)) == [b"abc", b"def", b"gh"]
    assert list(data_files.pieces(tmp_path / "gone")) == []


def test_what_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    """A file that nobody looked at proves nothing."""
    with pytest.raises(OSError, match="directory"):
        list(data_files.pieces(tmp_path))
