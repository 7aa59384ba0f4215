"""Searches bytes for planted values, in every form in which one could have been written down.

A planted token is letters and digits, so its JSON-escaped and percent-encoded forms contain it or
are one of the spelt-out forms below. Case is folded where the form allows it.
"""

import base64
import hashlib
import mmap
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import re2

_MEMORY = 1 << 29
_SHOWN = 20


class Hit(NamedTuple):
    """A planted value that was found: which, in what form, and where."""

    name: str
    form: str
    place: str
    offset: int


class Search:
    """All forms of all values, looked for in one pass over the bytes as they are and one folded."""

    def __init__(self, values: dict[str, str], hashed: Iterable[str] = ()) -> None:
        """`values` are tokens by name; of `hashed` (normalised identifiers) unkeyed hashes are sought."""
        self._exact: dict[bytes, tuple[str, str]] = {}
        self._folded: dict[bytes, tuple[str, str]] = {}
        for name, value in values.items():
            self._add(name, value)
        for value in hashed:
            for kind in ("md5", "sha1", "sha256", "sha512"):
                digest = hashlib.new(kind, value.encode(), usedforsecurity=False).digest()
                self._exact[digest] = ("hash", kind)
                self._folded[digest.hex().encode()] = ("hash", f"{kind} hex")
                self._exact[base64.b64encode(digest)[:-2]] = ("hash", f"{kind} base64")
        self._patterns = (_compiled(self._exact), _compiled(self._folded))

    def _add(self, name: str, value: str) -> None:
        for text in {value, value.lower(), value.upper()}:
            raw = text.encode()
            self._folded[raw.hex().encode()] = (name, "hex")
            for shift in range(3):
                for alphabet in (b"+/", b"-_"):
                    self._exact[_aligned(raw, shift, alphabet)] = (name, f"base64 at {shift}")
        low = value.lower()
        self._folded[low.encode()] = (name, "text")
        # Without its last byte it is found in either byte order.
        self._folded[low.encode("utf-16-le")[:-1]] = (name, "utf-16")
        for text in {value, low, value.upper()}:
            self._folded["".join(f"%{ord(each):02x}" for each in text).encode()] = (name, "percent")
            self._folded["".join(f"\\u{ord(each):04x}" for each in text).encode()] = (name, "json")
            self._folded[text[::-1].lower().encode()] = (name, "reversed")

    def forms(self) -> Iterator[tuple[bytes, str]]:
        """Every byte string that is looked for, with the name of its form."""
        for known in (self._exact, self._folded):
            for sought, (_, form) in known.items():
                yield sought, form

    def within(self, content: bytes, place: str) -> list[Hit]:
        """Everything that is found in some bytes."""
        hits: list[Hit] = []
        for pattern, known, text in (
            (self._patterns[0], self._exact, content),
            (self._patterns[1], self._folded, content.lower()),
        ):
            at = 0
            while len(hits) < _SHOWN and (found := pattern.search(text, at)):
                hits.append(Hit(*known[found.group()], place, found.start()))
                at = found.start() + 1
        return hits

    def tree(self, *folders: Path) -> tuple[list[Hit], int]:
        """Everything that is found in the files below (names of files too), and the bytes looked at."""
        hits, size = [], 0
        for path in _files(folders):
            hits += self.within(os.fsencode(path), f"the name of {path}")
            try:
                with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                    size += len(content)
                    hits += self.within(content[:], str(path))
            except (FileNotFoundError, ValueError):  # gone by now, or empty
                continue
        return hits, size


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            if path.is_file() and not path.is_symlink():
                yield path


def _compiled(known: dict[bytes, tuple[str, str]]) -> "re2._Regexp[bytes]":
    options = re2.Options()
    options.max_mem = _MEMORY
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(b"|".join(re2.escape(each) for each in known), options)


def _aligned(raw: bytes, shift: int, alphabet: bytes) -> bytes:
    """The letters of base64 that depend on nothing but `raw`, where `shift` bytes stand before it."""
    text = base64.b64encode(b"\0" * shift + raw, alphabet)
    first = (0, 2, 3)[shift]
    whole = (shift + len(raw)) * 8 // 6
    return text[first:whole]
