"""Searches bytes for planted values in every encoding a leak could use.

A planted value consists of letters and digits, so its JSON-escaped and percent-encoded forms contain the value itself
or are one of the spelt-out forms below. One pass searches for all forms of all values: the cost of a search depends on
the number of bytes, not on the number of values.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import re2

HASH = "hash"
"""The name of a hit on an unkeyed hash of any value."""
_HASHES = ("md5", "sha1", "sha256", "sha512")
_MEMORY = 1 << 29


class Hit(NamedTuple):
    """A planted value found in a place: its name, its form, its first offset and the number of matches."""

    name: str
    form: str
    place: str
    offset: int
    times: int = 1


class LeakPatterns:
    """All forms of all values; a search makes one pass over the exact bytes and one over the lower-cased bytes."""

    def __init__(self, values: Mapping[str, str], hashed: Iterable[str] = ()) -> None:
        """`values` maps names to tokens; the search also covers unkeyed hashes of `hashed`, normalised identifiers."""
        self._exact: dict[bytes, tuple[str, str]] = {}
        self._folded: dict[bytes, tuple[str, str]] = {}
        for name, value in values.items():
            self._add(name, value)
        for value in hashed:
            for kind in _HASHES:
                digest = hashlib.new(kind, value.encode(), usedforsecurity=False).digest()
                self._exact[digest] = (HASH, kind)
                self._folded[digest.hex().encode()] = (HASH, f"{kind} hex")
                self._exact[base64.b64encode(digest)[:-2]] = (HASH, f"{kind} base64")
        self._patterns = (_compiled(self._exact), _compiled(self._folded))
        self.longest = max((len(form) for form, _ in self.forms()), default=0)

    def _add(self, name: str, value: str) -> None:
        spellings = {value, value.lower(), value.upper()}
        for text in spellings:
            raw = text.encode()
            self._folded[raw.hex().encode()] = (name, "hex")
            for shift in range(3):
                for alphabet in (b"+/", b"-_"):
                    self._exact[_aligned(raw, shift, alphabet)] = (name, f"base64 at {shift}")
            self._folded["".join(f"%{ord(letter):02x}" for letter in text).encode()] = (name, "percent")
            self._folded["".join(f"\\u{ord(letter):04x}" for letter in text).encode()] = (name, "json")
        low = value.lower()
        self._folded[low.encode()] = (name, "text")
        self._folded[low[::-1].encode()] = (name, "reversed")
        # The text without its last byte matches in either byte order.
        self._folded[low.encode("utf-16-le")[:-1]] = (name, "utf-16")

    def forms(self) -> Iterator[tuple[bytes, str]]:
        """Every byte string the search covers, with the name of its form."""
        for known in (self._exact, self._folded):
            for pattern, (_, form) in known.items():
                yield pattern, form

    def search(self, content: bytes, place: str) -> list[Hit]:
        """The hits in these bytes: each value and form once, with its first offset."""
        return self.search_pieces((content,), place)

    def search_pieces(self, pieces: Iterable[bytes], place: str) -> list[Hit]:
        """The hits in bytes that come in pieces; a value can span several pieces."""
        found: dict[tuple[str, str], tuple[int, int]] = {}
        before, start = b"", 0
        for piece in pieces:
            content = before + piece
            for pattern, known, text in (
                (self._patterns[0], self._exact, content),
                (self._patterns[1], self._folded, content.lower()),
            ):
                at = 0
                while known and (match := pattern.search(text, at)):
                    at = match.start() + 1
                    # A match that ends in the previous piece was counted there.
                    if match.end() > len(before):
                        first, times = found.get(known[match.group()], (start + match.start(), 0))
                        found[known[match.group()]] = (first, times + 1)
            before = content[max(0, len(content) - self.longest + 1) :]
            start += len(content) - len(before)
        return [Hit(*named, place, first, times) for named, (first, times) in found.items()]


def _compiled(known: Iterable[bytes]) -> "re2._Regexp[bytes]":
    options = re2.Options()
    options.max_mem = _MEMORY
    options.encoding = re2.Options.Encoding.LATIN1
    # Sorted forms share their beginnings: the automaton has each once, and its states cost a fortieth (measured). A
    # form comes before its own beginning.
    return re2.compile(b"|".join(re2.escape(form) for form in sorted(known, reverse=True)), options)


def _aligned(raw: bytes, shift: int, alphabet: bytes) -> bytes:
    """The base64 letters that depend on `raw` alone, for `raw` after `shift` other bytes."""
    encoded = base64.b64encode(b"\0" * shift + raw, alphabet)
    first = (0, 2, 3)[shift]
    end = (shift + len(raw)) * 8 // 6
    return encoded[first:end]
