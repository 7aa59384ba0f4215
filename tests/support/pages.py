"""A page of documentation as its reader uses it: the commands in its `sh` blocks and the answers it shows.

A command is one line, or several where a line ends with a backslash or inside a quotation. A `json` block
right after an `sh` block shows the whole answer of the last command of that block; a `text` block shows
lines that its output holds.
"""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tests.conftest import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
REST = "..."
"""Any value; as a name in an object or as the last item of a list, more of them; in a line of text, any text."""

_BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$(?:\n+```(json|text)\n(.*?)^```$)?", re.DOTALL | re.MULTILINE)
_TOKEN = re.compile(
    r"(?P<any>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z|of_[a-z0-9]+_\w+|whsec_[\w+/=]+|onefold-[0-9a-f]{32})"
    r"|(?P<id>(?:prf|spc|key|ers|dst|job|req|hld|exp)_[0-9a-z]{12,32})"
)

RUN_HERE = re.compile(r'(export )?(\w+="?\$\()?(curl|onefold|\.venv/bin/onefold|python|pg_dump|cp|mkdir|sed) ')
SERVE = re.compile(r"(\.venv/bin/)?onefold serve\b")
"""The commands that start a server; every other command is sent to a running one."""


class Command(NamedTuple):
    """A command, and what the page shows of its output: JSON, or lines of text."""

    text: str
    answer: Any = None
    lines: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the page shows that the server refuses the command, by a problem document."""
        return isinstance(self.answer, dict) and isinstance(self.answer.get("status"), int)


class Block(NamedTuple):
    """A block of code, and the block of output that follows it."""

    language: str
    text: str
    kind: str | None
    output: str


def blocks(page: Path) -> list[Block]:
    """The blocks of code on a page."""
    return [Block(found[1], found[2], found[3], found[4] or "") for found in _BLOCK.finditer(page.read_text())]


def commands(page: Path) -> list[Command]:
    """The commands of a page in their order."""
    listed: list[Command] = []
    for block in blocks(page):
        if block.language == "sh":
            *others, last = _whole(block.text)
            listed += [Command(each) for each in others]
            if block.kind == "json":
                listed.append(Command(last, answer=json.loads(block.output)))
            else:
                listed.append(Command(last, lines=tuple(block.output.splitlines())))
    return listed


def name_of(page: Path) -> str:
    """The path of a page within the project."""
    return str(page.relative_to(ROOT))


def is_call(command: Command) -> bool:
    """Whether a command is run beside a server, in the order of its page."""
    return bool(RUN_HERE.match(command.text)) and not SERVE.match(command.text)


def calls(page: Path) -> list[Command]:
    """The commands of a page that are run beside a server."""
    return [command for command in commands(page) if is_call(command)]


def _whole(text: str) -> Iterator[str]:
    begun = ""
    for line in text.splitlines():
        if not begun and (not line.strip() or line.lstrip().startswith("#")):
            continue
        begun += line
        if begun.endswith("\\") or _open(begun):
            begun += "\n"
            continue
        yield begun
        begun = ""
    assert not begun, begun


@cache
def _open(text: str) -> bool:
    """Whether a shell waits for the end of a quotation; the shell is asked where more than plain quotations decides."""
    if re.search(r"[`#<]|\$['\"({]", text):
        read = subprocess.run(["bash", "-n", "-c", text], capture_output=True, text=True, check=False)
        return "unexpected EOF" in read.stderr
    try:
        shlex.split(text)
    except ValueError:
        return True
    return False


def _pattern(line: str) -> str:
    return ".*".join(re.escape(part) for part in _TOKEN.sub("", line).strip().split(REST))


class Ids:
    """The ids that a page shows, each with the id that a server made in its place."""

    def __init__(self) -> None:
        self._real: dict[str, str] = {}

    def replaced(self, command: str) -> str:
        """A command with the real ids in place of the shown ones."""
        return _TOKEN.sub(lambda found: self._real.get(found[0], found[0]), command)

    def differences(self, shown: Any, real: Any, where: str = "answer") -> Iterator[str]:
        """Each place in which an answer is not what the page shows. Times, secrets and ids differ by their nature."""
        if shown == REST:
            return
        if isinstance(shown, dict) and isinstance(real, dict):
            left = set(shown) - {REST} - set(real)
            more = set() if REST in shown else set(real) - set(shown)
            yield from (f"{where}.{name} is missing" for name in sorted(left))
            yield from (f"{where}.{name} is not shown" for name in sorted(more))
            for name in shown:
                if name in real:
                    yield from self.differences(shown[name], real[name], f"{where}.{name}")
        elif isinstance(shown, list) and isinstance(real, list):
            partial = shown[-1:] == [REST]
            expected = shown[:-1] if partial else shown
            if len(real) < len(expected) or (len(real) > len(expected) and not partial):
                yield f"{where} has {len(real)} items, {len(expected)} are shown"
            for nr, (one, other) in enumerate(zip(expected, real, strict=False)):
                yield from self.differences(one, other, f"{where}[{nr}]")
        elif not (self._same(shown, real) if isinstance(shown, str) and isinstance(real, str) else shown == real):
            yield f"{where} is {json.dumps(real)}, {json.dumps(shown)} is shown"

    def missing(self, lines: tuple[str, ...], output: str) -> list[str]:
        """The lines that a page shows and an output does not hold."""
        plain = [_TOKEN.sub("", line).strip() for line in output.splitlines()]
        return [line for line in lines if not any(re.fullmatch(_pattern(line), each) for each in plain)]

    def _same(self, shown: str, real: str) -> bool:
        plain = [_TOKEN.sub(lambda found: str(found.lastgroup), text) for text in (shown, real)]
        pairs = list(zip(_TOKEN.finditer(shown), _TOKEN.finditer(real), strict=False))
        ids = [(one[0], other[0]) for one, other in pairs if one.lastgroup == "id"]
        return plain[0] == plain[1] and all(self._pairs(*pair) for pair in ids)

    def _pairs(self, shown: str, real: str) -> bool:
        if shown not in self._real and real in self._real.values():
            return False
        return self._real.setdefault(shown, real) == real
