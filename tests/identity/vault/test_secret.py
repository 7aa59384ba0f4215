"""Nothing that holds a key shows or hands out its bytes."""

import base64
import copy
import json
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import msgspec
import pytest

from identity.values.errors import OnefoldError
from identity.vault.key_material import WrappingKey
from identity.vault.keyring import Keyring
from identity.vault.root_keys import NOT_BASE64, Root, env_root, file_root
from identity.vault.seal import DOCUMENT
from identity.vault.secret import Secret
from identity.vault.space_keys import SpaceKeys
from identity.vault.subject_keys import SlotKey, SubjectKey

KEY = bytes(range(7, 39))
OTHER = b"o" * 16


def holders(keyring: Keyring, keys: SpaceKeys, slot_key: SlotKey, root: Root) -> list[object]:
    """One object of each type that holds a key, most of them holding `KEY` itself."""
    return [
        keyring,
        keys,
        slot_key,
        root,
        Secret(KEY),
        WrappingKey(KEY),
        SlotKey(OTHER, 1, KEY),
        SubjectKey(OTHER, OTHER, KEY),
        Root(Secret(KEY)),
    ]


@pytest.fixture(name="holders")
def _holders(keyring: Keyring, keys: SpaceKeys, slot_key: SlotKey, root: Root) -> list[object]:
    return holders(keyring, keys, slot_key, root)


def shows(text: str, key: bytes) -> bool:
    """Whether a text holds a key in one of the ways that bytes are commonly written."""
    spellings = (repr(key)[2:-1], key.hex(), base64.b64encode(key).decode().rstrip("="), str(list(key)))
    return any(spelling.lower() in text.lower() for spelling in spellings)


@pytest.mark.parametrize("secret", [KEY, b"changeme" * 4])
def test_the_detector_of_these_tests_finds_a_key(secret: bytes) -> None:
    """The check used below does see a key that is shown."""
    assert shows(f"key={secret!r}", secret)
    assert shows(secret.hex().upper(), secret)


@pytest.mark.parametrize(
    "show",
    [repr, str, format, ascii, "{!r}".format, "%s".__mod__],
    ids=["repr", "str", "format", "ascii", "braces", "percent"],
)
def test_text_of_a_holder_names_its_type_only(show: Callable[[object], str], holders: list[object]) -> None:
    """No way to turn a holder into text shows more than a name and stars."""
    names = {f"<{type(holder).__name__}>" for holder in holders} | {"***", "Secret(***)"}
    assert {show(holder) for holder in holders} <= names


def test_secret_hides_in_a_padded_format() -> None:
    """A format specification does not bring the value out."""
    assert f"{Secret(KEY):>40}|{Secret(KEY)!r}" == "***|Secret(***)"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_holders_are_not_pickled(protocol: int, holders: list[object]) -> None:
    """Every pickle protocol is refused."""
    for holder in holders:
        with pytest.raises(TypeError):
            pickle.dumps(holder, protocol)


@pytest.mark.parametrize(
    "write",
    [json.dumps, msgspec.json.encode, msgspec.msgpack.encode, copy.copy, copy.deepcopy],
    ids=lambda write: f"{write.__module__}.{write.__name__}",
)
def test_holders_are_not_serialised(write: Callable[[object], object], holders: list[object]) -> None:
    """JSON, msgpack and copies are refused."""
    for holder in holders:
        with pytest.raises(TypeError):
            write(holder)


@pytest.mark.parametrize("method", ["__getstate__", "__reduce__"])
def test_state_of_a_holder_is_refused(method: str, holders: list[object]) -> None:
    """Serialisers that ask for the state get none."""
    for holder in holders:
        with pytest.raises(TypeError):
            getattr(holder, method)()


def test_secrets_compare_by_value_and_have_no_hash() -> None:
    """Equal bytes are equal secrets, and no hash of them exists."""
    assert Secret(KEY) == Secret(bytes(KEY))
    assert Secret(KEY) != Secret(KEY[::-1])
    assert Secret(KEY) != KEY
    with pytest.raises(TypeError):
        hash(Secret(KEY))


def locals_of(below: TracebackType | None) -> str:
    """The frames below the test's own, each with its local variables."""
    frames = traceback.StackSummary.extract(traceback.walk_tb(below), capture_locals=True)
    return "".join(frames.format())


def test_traceback_of_a_refused_root_key_holds_no_key(tmp_path: Path) -> None:
    """Not even a traceback with local variables shows a root key that was refused."""
    short = KEY[:31]
    path = tmp_path / "root"
    path.touch(0o600)
    path.write_bytes(base64.b64encode(short))
    acts: tuple[Callable[[], Root], ...] = (
        lambda: env_root(base64.b64encode(short).decode()),
        lambda: file_root(path, create=False),
    )
    for act in acts:
        with pytest.raises(OnefoldError) as caught:
            act()
        shown = locals_of(caught.tb.tb_next.tb_next) if caught.tb.tb_next else ""
        assert "_root" in shown
        assert not shows(shown, short)


def test_root_key_in_the_wrong_alphabet_is_not_quoted() -> None:
    """A value that is no ASCII at all is refused without being shown."""
    with pytest.raises(OnefoldError) as caught:
        env_root("geh\udcff\u00e4im")
    assert str(caught.value) == NOT_BASE64
    assert caught.value.__context__ is None


def test_traceback_of_a_broken_seal_holds_no_key() -> None:
    """Not even a traceback with local variables shows the key that did not open something."""
    subject, slot = SubjectKey(OTHER, OTHER, KEY), SlotKey(OTHER, 1, KEY)
    blob = subject.seal(DOCUMENT, OTHER, 1, b"")
    acts = (
        lambda: subject.open(DOCUMENT, OTHER, 2, blob),
        lambda: subject.seal(DOCUMENT, b"", 1, b""),
        lambda: slot.unwrap(OTHER, bytes(60)),
        lambda: slot.unwrap(OTHER, b""),
        lambda: slot.new_subject_key(b"short"),
    )
    for act in acts:
        with pytest.raises((OnefoldError, ValueError)) as caught:
            act()
        shown = locals_of(caught.tb)
        assert "self = <S" in shown
        assert not shows(shown, KEY)
