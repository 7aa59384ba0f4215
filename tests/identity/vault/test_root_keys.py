"""Root keys: which are taken, and what happens to the others."""

import base64
import secrets
import stat
from pathlib import Path

import pytest

from identity.values.errors import Misconfigured
from identity.vault import durable_files, root_keys
from identity.vault.root_keys import env_root, file_root

RANDOM = base64.b64decode("q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=")


def encoded(key: bytes) -> str:
    """A key as the environment has it."""
    return base64.b64encode(key).decode()


def test_created_root_file_opens_as_the_same_root(tmp_path: Path) -> None:
    """The file that was made gives the same root again."""
    made = file_root(tmp_path / "root", create=True)
    assert file_root(tmp_path / "root", create=False).id == made.id


def test_created_root_file_is_32_bytes_for_its_owner_only(tmp_path: Path) -> None:
    """The file holds 32 bytes in base64, mode 0600."""
    path = tmp_path / "sub" / "root"
    file_root(path, create=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(base64.b64decode(path.read_bytes(), validate=False)) == 32


def test_environment_and_file_give_the_same_root(tmp_path: Path) -> None:
    """The same key is the same root, wherever it comes from; blanks around it do not count."""
    made = file_root(tmp_path / "root", create=True)
    assert env_root(f" {(tmp_path / 'root').read_text()}\n").id == made.id


def test_root_file_is_never_overwritten(tmp_path: Path) -> None:
    """Creating over an existing file is refused and leaves it as it was."""
    file_root(tmp_path / "root", create=True)
    before = (tmp_path / "root").read_bytes()
    with pytest.raises(Misconfigured) as caught:
        file_root(tmp_path / "root", create=True)
    assert str(caught.value) == root_keys.EXISTS
    assert (tmp_path / "root").read_bytes() == before


def test_missing_root_file_is_not_made_by_opening(tmp_path: Path) -> None:
    """Opening says what to do and makes nothing."""
    with pytest.raises(Misconfigured) as caught:
        file_root(tmp_path / "root", create=False)
    assert str(caught.value) == root_keys.MISSING
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_root_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """A root key that others can read is no secret."""
    file_root(tmp_path / "root", create=True)
    (tmp_path / "root").chmod(mode)
    with pytest.raises(Misconfigured) as caught:
        file_root(tmp_path / "root", create=False)
    assert str(caught.value) == root_keys.OPEN_TO_OTHERS


def test_root_path_that_is_a_directory_is_refused(tmp_path: Path) -> None:
    """What is no file is reported as a matter of configuration."""
    (tmp_path / "root").mkdir(0o700)
    with pytest.raises(Misconfigured) as caught:
        file_root(tmp_path / "root", create=False)
    assert str(caught.value) == root_keys.UNREADABLE


def test_root_file_of_a_crash_midway_is_refused(tmp_path: Path) -> None:
    """Half a file is neither taken for a key nor replaced."""
    file_root(tmp_path / "root", create=True)
    whole = (tmp_path / "root").read_bytes()
    for length in (0, 10, 20, 40):
        (tmp_path / "root").write_bytes(whole[:length])
        for create in (False, True):
            with pytest.raises(Misconfigured):
                file_root(tmp_path / "root", create=create)
        assert (tmp_path / "root").read_bytes() == whole[:length]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", root_keys.BAD_LENGTH),
        ("changeme", root_keys.BAD_LENGTH),
        ("not base64!", root_keys.NOT_BASE64),
        ("geheim\u00e4", root_keys.NOT_BASE64),
        (encoded(secrets.token_bytes(31)), root_keys.BAD_LENGTH),
        (encoded(secrets.token_bytes(33)), root_keys.BAD_LENGTH),
        (secrets.token_hex(32), root_keys.BAD_LENGTH),
        (encoded(bytes(32)), root_keys.WEAK),
        (encoded(b"\xff" * 32), root_keys.WEAK),
        (encoded(b"changeme" * 4), root_keys.WEAK),
        (encoded(b"The quick brown fox jumped; 12345"[:32]), root_keys.WEAK),
        (encoded(RANDOM), root_keys.WEAK),
    ],
    ids=[
        "empty", "too_short", "no_base64", "no_ascii", "31_bytes", "33_bytes", "hex", "zeros", "ones", "a_word",
        "a_sentence", "few_different_bytes",
    ],
)  # fmt: skip
def test_unusable_root_key_is_refused(value: str, message: str) -> None:
    """31 or 33 bytes, zeros, repeats and words are refused, saying what to do."""
    with pytest.raises(Misconfigured) as caught:
        env_root(value)
    assert str(caught.value) == message


def test_random_root_keys_are_taken() -> None:
    """What the operating system's generator makes is never taken for weak."""
    assert len({env_root(encoded(secrets.token_bytes(32))).id for _ in range(500)}) == 500


def test_file_of_the_root_is_fsynced_with_its_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is on disk, name and all, before anything can be wrapped with it."""
    synced: list[Path] = []
    monkeypatch.setattr(durable_files, "sync_directory", synced.append)
    file_root(tmp_path / "root", create=True)
    assert synced == [tmp_path]
