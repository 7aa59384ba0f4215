"""The leak search finds every form it claims to cover, so a scan without hits proves something."""

import base64
import hashlib
import json
from collections.abc import Callable

import pytest

from identity.planning.integrity.leak_patterns import HASH, LeakPatterns

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
    "JSON, spelt out": lambda value: "".join(f"\\u{ord(letter):04X}" for letter in value).encode(),
    "percent, spelt out": lambda value: "".join(f"%{ord(letter):02X}" for letter in value).encode(),
    "reversed": lambda value: value[::-1].encode(),
    "md5": lambda value: hashlib.md5(value.encode()).digest(),
    "sha1 in hex": lambda value: hashlib.sha1(value.encode()).hexdigest().encode(),
    "sha256": lambda value: hashlib.sha256(value.encode()).digest(),
    "sha256 in hex": lambda value: hashlib.sha256(value.encode()).hexdigest().upper().encode(),
    "sha256 in base64": lambda value: base64.b64encode(hashlib.sha256(value.encode()).digest()),
}


NOISE = bytes(range(256)) * 40


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_found_at_its_offset(form: str) -> None:
    """The search finds a value in this form, within the planted bytes."""
    patterns = LeakPatterns({"planted": TOKEN, "other": "x" * 24}, [TOKEN])
    content = NOISE + FORMS[form](TOKEN) + NOISE
    hits = patterns.search(content, "here")

    assert ({hit.name for hit in hits} <= {"planted", HASH}, len(hits) > 0) == (True, True)
    assert len(NOISE) <= hits[0].offset < len(content) - len(NOISE)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_cut_into_pieces_changes_no_hit(form: str, size: int) -> None:
    """The hits in pieces are the hits in the whole bytes, and no match counts twice."""
    patterns = LeakPatterns({"planted": TOKEN}, [TOKEN])
    value = FORMS[form](TOKEN)
    content = NOISE[:300] + value + NOISE[:5000] + value + b"0"
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    hits = patterns.search_pieces(pieces, "here")

    assert hits == patterns.search(content, "here")
    assert [hit.times for hit in hits] == [2] * len(hits)


def test_bytes_without_a_planted_value_have_no_hit() -> None:
    """Noise, a truncated value and a search for nothing give no hit."""
    assert LeakPatterns({"planted": TOKEN}, [TOKEN]).search(NOISE + TOKEN[:-1].encode(), "here") == []
    assert LeakPatterns({}).search(NOISE, "here") == []
