"""The lint of plain English: words that hide who does what, in names, docstrings, comments and messages.

`python -m tests.support.plain_english PATH ...` lists each place and ends with status 1 where there is one. A word
counts wherever a reader meets it: in a Python file as part of a name, in a string or in a comment; elsewhere anywhere.
A string that is nothing but the word is a stored value or a name on the wire, which never changes, so it passes.
"""

import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

WORDS: Final = ("told", "tell", "tells", "said", "lain", "lying", "whoever", "whomever")
_PROSE: Final = re.compile(rf"\b({'|'.join(WORDS)})\b", re.IGNORECASE)
_PARTS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
# Text of others, and texts that name the words.
EXEMPT: Final = frozenset({"tests/support/plain_english.py", "tests/test_plain_english.py", "CONTRIBUTING.md"})
_SUFFIXES: Final = (".py", ".md")


class Place(NamedTuple):
    """A word in a line of a file; lines count from one."""

    line: int
    word: str


def in_python(text: str) -> Iterator[Place]:
    """The words in the names, strings and comments of Python source; `file.tell()` is a name of Python's."""
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING and token.string.strip("\"'") in WORDS:
            continue
        after_dot, before = before == ".", token.string
        if token.type == tokenize.NAME and not (after_dot and token.string == "tell"):
            found = [part for part in _PARTS.findall(token.string) if part.lower() in WORDS]
            yield from (Place(token.start[0], part) for part in found)
        elif token.type in (tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)):
            for number, line in enumerate(token.string.splitlines()):
                yield from (Place(token.start[0] + number, word) for word in _PROSE.findall(line))


def in_prose(text: str) -> Iterator[Place]:
    """The words in any other text."""
    for number, line in enumerate(text.splitlines(), 1):
        yield from (Place(number, word) for word in _PROSE.findall(line))


def places(path: Path) -> list[Place]:
    """The words in a file."""
    text = path.read_text()
    return sorted(in_python(text) if path.suffix == ".py" else in_prose(text))


def files(paths: list[str]) -> Iterator[Path]:
    """The files below the paths, without those that are exempt."""
    for path in map(Path, paths):
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (each for each in found if each.suffix in _SUFFIXES and each.as_posix() not in EXEMPT)


def main(paths: list[str]) -> int:
    """Lists every place below the paths; the status of the command."""
    found = [(path, place) for path in files(paths) for place in places(path)]
    for path, place in found:
        sys.stdout.write(f"{path}:{place.line}: {place.word}: say in plain English who does what\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
