"""Replaces blind indexes by those of a newer index key in packed rows.

The replacement is one to one, and plans depend only on the equality of blind indexes, never on their values.
So replaced rows mean the same as before. A blind index without a new one stays unchanged.
"""

from collections.abc import Callable, Iterable, Mapping

from msgspec import structs

from identity.planning.corrections.profile_snapshot import shown
from identity.planning.resolution.counters import newest_window, pack, unpack
from identity.planning.resolution.planner_state import Window
from identity.planning.resolution.stored_calls import KEY_BYTES, split_keys, unpack_demoted
from identity.planning.resolution.working_set import set_key
from identity.values.enums import HistoryKind

Names = Mapping[bytes, bytes]
_ENTRY = KEY_BYTES + 3


def keys(raw: bytes, names: Names) -> bytes:
    """Concatenated keys."""
    return b"".join(names.get(key, key) for key in split_keys(raw))


def demoted(raw: bytes, names: Names) -> bytes:
    """Demoted identifiers, each with its reason."""
    entries = (raw[at : at + _ENTRY] for at in range(0, len(raw), _ENTRY))
    return b"".join(names.get(entry[:KEY_BYTES], entry[:KEY_BYTES]) + entry[KEY_BYTES:] for entry in entries)


def line(kind: int, raw: bytes, names: Names) -> bytes:
    """The keys of a line of history."""
    return demoted(raw, names) if kind == HistoryKind.IDENTIFIERS_DEMOTED else keys(raw, names)


def named(kind: int, raw: bytes) -> list[bytes]:
    """The keys that a line of history names."""
    step = _ENTRY if kind == HistoryKind.IDENTIFIERS_DEMOTED else KEY_BYTES
    return [raw[at : at + KEY_BYTES] for at in range(0, len(raw), step)]


class _Numbers(dict[int, str]):
    """Types under their numbers, in words."""

    def __missing__(self, code: int) -> str:
        return str(code)


def counters(packed: bytes, names: Names, seen: Mapping[int, Mapping[bytes, int]] | None = None) -> bytes:
    """Counters as they are stored.

    `seen` are the live identifiers of the profile by their new names, type -> key -> last seen. Among those
    seen at one moment the greater keys are in a window, so it is made anew.
    """
    before = unpack(packed, _Numbers())
    windows = {
        type_: newest_window(dict(seen.get(int(type_), {})), window.size)
        if seen is not None
        else Window(window.size, {names.get(key, key): at for key, at in window.seen.items()})
        for type_, window in before.windows.items()
    }
    renamed = structs.replace(before, live=[names.get(key, key) for key in before.live], windows=windows)
    return pack(renamed, int)


def sets(rows: Iterable[tuple[bytes, bytes | None]], names: Names, types: Callable[[int], str]) -> dict[bytes, bytes]:
    """The sets of identifiers that (kept, demoted) rows of calls show, old key -> new key."""
    found = {}
    for kept, refused in rows:
        together = shown(split_keys(kept), unpack_demoted(refused or b"", types))
        found[set_key(together)] = set_key([names.get(key, key) for key in together])
    return found
