"""Replaces blind indexes by those of a newer index key in packed rows.

The replacement is one to one, and plans depend only on the equality of blind indexes, never on their values.
So replaced rows mean the same as before. A blind index without a new one stays unchanged.
"""

from collections.abc import Callable, Iterable, Mapping

from msgspec import structs

from identity.planning.corrections.profile_snapshot import shown
from identity.planning.resolution.counters import newest_window, pack, unpack
from identity.planning.resolution.planner_state import Window
from identity.planning.resolution.stored_calls import DEMOTED_BYTES, KEY_BYTES, split_keys, unpack_demoted
from identity.planning.resolution.working_set import set_key
from identity.values.enums import HistoryKind
from identity.values.ids import BlindIndex, SetKey

Names = Mapping[BlindIndex, BlindIndex]


def rekey_keys(raw: bytes, names: Names) -> bytes:
    """Replace the keys in concatenated keys."""
    return b"".join(names.get(key, key) for key in split_keys(raw))


def demoted(raw: bytes, names: Names) -> bytes:
    """Replace the keys in packed demoted identifiers, each with its reason."""
    entries = (raw[at : at + DEMOTED_BYTES] for at in range(0, len(raw), DEMOTED_BYTES))
    parts = ((BlindIndex(entry[:KEY_BYTES]), entry[KEY_BYTES:]) for entry in entries)
    return b"".join(names.get(key, key) + reason for key, reason in parts)


def rekey_history_keys(kind: int, raw: bytes, names: Names) -> bytes:
    """Replace the keys in the packed identifiers of a history row."""
    return demoted(raw, names) if kind == HistoryKind.IDENTIFIERS_DEMOTED else rekey_keys(raw, names)


def keys_of_history(kind: int, raw: bytes) -> list[BlindIndex]:
    """The keys in a history row."""
    step = DEMOTED_BYTES if kind == HistoryKind.IDENTIFIERS_DEMOTED else KEY_BYTES
    return [BlindIndex(raw[at : at + KEY_BYTES]) for at in range(0, len(raw), step)]


class _Numbers(dict[int, str]):
    """Names types by their numbers."""

    def __missing__(self, code: int) -> str:
        return str(code)


def counters(packed: bytes, names: Names, seen: Mapping[int, Mapping[BlindIndex, int]] | None = None) -> bytes:
    """Replace the keys in packed counters.

    `seen` maps a type to the live identifiers of the profile under their new keys, with the times they were last seen.
    Of identifiers last seen at one time the greater keys are in a window, so new keys need a new window.
    """
    before = unpack(packed, _Numbers())
    windows = {
        type_: newest_window(dict(seen.get(int(type_), {})), window.size)
        if seen is not None
        else Window(window.size, {names.get(key, key): at for key, at in window.seen.items()})
        for type_, window in before.windows.items()
    }
    live = [names.get(key, key) for key in before.live]
    unproven = {names.get(key, key): type_ for key, type_ in before.unproven.items()}
    renamed = structs.replace(before, live=live, unproven=unproven, windows=windows)
    return pack(renamed, int)


def rekey_observations(
    rows: Iterable[tuple[bytes, bytes | None]], names: Names, types: Callable[[int], str]
) -> dict[SetKey, SetKey]:
    """The keys of the identifier sets in (kept, demoted) rows of calls, from old set key to new set key."""
    found = {}
    for kept, refused in rows:
        together = shown(split_keys(kept), unpack_demoted(refused or b"", types))
        found[set_key(together)] = set_key([names.get(key, key) for key in together])
    return found
