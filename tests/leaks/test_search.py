"""The search finds each form that it claims to find, so that finding nothing means something."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.leaks.search import Search

TOKEN = "Qm7xKd02PzRv5tLw9HsYbN3c"
FORMS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "lower case": lambda value: value.lower().encode(),
    "upper case": lambda value: value.upper().encode(),
    "UTF-16LE": lambda value: value.encode("utf-16-le"),
    "UTF-16BE": lambda value: value.encode("utf-16-be"),
    "hex": lambda value: value.encode().hex().encode(),
    "hex in capitals": lambda value: value.encode().hex().upper().encode(),
    "hex of the folded value": lambda value: value.lower().encode().hex().encode(),
    "base64": lambda value: base64.b64encode(value.encode()),
    "base64 one further": lambda value: base64.b64encode(b"x" + value.encode() + b"yz"),
    "base64 two further": lambda value: base64.b64encode(b"xy" + value.encode() + b"z"),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(b"xy" + value.encode() + b"z"),
    "base64 of the folded value": lambda value: base64.b64encode(b"x" + value.lower().encode()),
    "JSON": lambda value: json.dumps({"é": value}).encode(),
    "JSON, spelt out": lambda value: "".join(f"\\u{ord(each):04X}" for each in value).encode(),
    "percent, spelt out": lambda value: "".join(f"%{ord(each):02X}" for each in value).encode(),
    "reversed": lambda value: value[::-1].encode(),
    "md5": lambda value: hashlib.md5(value.encode()).digest(),
    "sha1 in hex": lambda value: hashlib.sha1(value.encode()).hexdigest().encode(),
    "sha256": lambda value: hashlib.sha256(value.encode()).digest(),
    "sha256 in hex": lambda value: hashlib.sha256(value.encode()).hexdigest().upper().encode(),
    "sha256 in base64": lambda value: base64.b64encode(hashlib.sha256(value.encode()).digest()),
}


@pytest.mark.parametrize("form", FORMS)
def test_finds(form: str, tmp_path: Path) -> None:
    """A value is found in a file in this form, at its offset."""
    search = Search({"planted": TOKEN, "other": "x" * 24}, [TOKEN])
    noise = bytes(range(256)) * 40
    (tmp_path / "file").write_bytes(noise + FORMS[form](TOKEN) + noise)
    hits, size = search.tree(tmp_path)

    assert ({hit.name for hit in hits} <= {"planted", "hash"}, len(hits) > 0) == (True, True)
    assert len(noise) <= hits[0].offset < size - len(noise)


def test_finds_nothing(tmp_path: Path) -> None:
    """Where nothing is planted nothing is found."""
    (tmp_path / "file").write_bytes(bytes(range(256)) * 40 + TOKEN[:-1].encode())

    assert Search({"planted": TOKEN}, [TOKEN]).tree(tmp_path)[0] == []


def test_finds_names_of_files(tmp_path: Path) -> None:
    """A value that is the name of a file counts as found."""
    (tmp_path / TOKEN).touch()

    assert [hit.name for hit in Search({"planted": TOKEN}).tree(tmp_path)[0]] == ["planted"]
