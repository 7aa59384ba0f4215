"""Finds the members of one object whose names are other spellings of known names.

A member counts as misspelt where the name has the letters of a known name (`Traits`, `external_ids`), is a plural or
another word for that name, or differs from it by one slip of the finger: a letter that is missing, doubled or swapped
with the next, and in a long name also another letter in its place (`trains` are no `traits`). Names that SDKs send are
never misspelt. A null is absent. The names of a call cost one look-up each; only a name that no SDK sends is compared.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

LONGEST_NAME: Final = 64
_SHORTEST_TYPO: Final = 7
_SHORTEST_SLIP: Final = 5
_PUNCTUATION: Final = str.maketrans("", "", "_-. ")
# One letter away from `context` and `consent`, and words of their own.
_WORDS: Final = frozenset({"content", "contents", "contest"})


class MisspeltField(NamedTuple):
    """A member that is not read: the path of the member, the path of the known one, and the value."""

    path: str
    right: str
    value: Any


class Names:
    """The names of one object of a call: those that are read or that SDKs send, and the other spellings of the former.

    `read` has the path that is read by each spelling, which consists of small letters and digits; `families` has the
    path by the first letters of such a spelling, and `exact` the path by a spelling that counts without any slip.
    `rule` finds the path of a name that is like none of these.
    """

    __slots__ = ("_families", "_known", "_read", "_rule", "_typos")

    def __init__(
        self,
        sent: str,
        read: Mapping[str, str],
        families: Mapping[str, str] | None = None,
        exact: Mapping[str, str] | None = None,
        rule: Callable[[str], str | None] | None = None,
    ) -> None:
        self._rule = rule
        self._known = frozenset(sent.split())
        self._read = {spelling: right for right, spellings in read.items() for spelling in spellings.split()}
        for spelling, right in tuple(self._read.items()):
            if len(spelling) >= _SHORTEST_SLIP:
                for slip in _slips(spelling):
                    self._read.setdefault(slip, right)
        for spelling, right in (exact or {}).items():
            self._read.setdefault(spelling, right)
        self._families = families or {}
        long = [(each, right) for right, words in read.items() for each in words.split() if len(each) >= _SHORTEST_TYPO]
        self._typos = {part: right for spelling, right in long for part in (spelling, *_shortened(spelling))}

    @property
    def known(self) -> frozenset[str]:
        """The names that are read, or sent by SDKs."""
        return self._known

    def knows(self, members: Mapping[str, Any]) -> bool:
        """Whether all members of an object are read, or sent by SDKs."""
        return self._known.issuperset(members)

    def lacks(self, name: str) -> bool:
        """Whether a name is neither known nor another spelling of a known one, and may be repeated in a message."""
        return name not in self._known and self.right(name) is None and is_comparable(name)

    def misspelt(self, members: Mapping[str, Any], prefix: str = "") -> list[MisspeltField]:
        """The misspelt members of an object, in the order of the object."""
        if self._known.issuperset(members):
            return []
        found = ((name, self.right(name)) for name in members if name not in self._known)
        return [
            MisspeltField(prefix + name, right, members[name])
            for name, right in found
            if right is not None and members[name] is not None
        ]

    def right(self, name: str) -> str | None:
        """The path that is read in the place of a name that is not known; None for a name like no other."""
        if name in self._known or not is_comparable(name):
            return None
        right = self._spelt(name.translate(_PUNCTUATION).lower())
        return right if right is not None or self._rule is None else self._rule(name)

    def _spelt(self, letters: str) -> str | None:
        right = self._read.get(letters)
        if right is not None or len(letters) < _SHORTEST_TYPO - 1 or letters in _WORDS:
            return right
        right = next((path for first, path in self._families.items() if letters.startswith(first)), None)
        if right is not None:
            return right
        typos = self._typos
        right = typos.get(letters)
        if right is not None:
            return right
        return next(
            (typos[part] for part in _shortened(letters) if len(part) >= _SHORTEST_TYPO - 1 and part in typos), None
        )


def bare(name: str) -> str:
    """The letters and digits of a name in small letters, without the `$` of some vendors; empty for an odd name."""
    return name.translate(_PUNCTUATION).lstrip("$").lower() if is_comparable(name) else ""


def is_comparable(name: str) -> bool:
    """Whether a name may be another spelling of a known one."""
    return len(name) <= LONGEST_NAME and name.isascii() and name.isprintable()


def is_spelling(name: str, right: str) -> bool:
    """Whether a name has about the letters of the right one; another word has not."""
    return abs(len(name.translate(_PUNCTUATION)) - len(right)) <= 1 and name[:1].lower() == right[:1]


def _shortened(name: str) -> Iterable[str]:
    """A name without one of its letters, the last excepted: `userIp` is no slip for `userId`."""
    return (name[:at] + name[at + 1 :] for at in range(len(name) - 1))


def _slips(name: str) -> Iterable[str]:
    """A name with a letter that is missing, doubled or swapped with the next; five letters are left at least."""
    for at in range(len(name)):
        missing = name[:at] + name[at + 1 :]
        if len(missing) >= _SHORTEST_SLIP:
            yield missing
        yield name[:at] + name[at] + name[at:]
        yield name[:at] + name[at + 1 : at + 2] + name[at] + name[at + 2 :]
