"""Counts the identifiers of origins and profiles.

Two invariants hold. The own counters of all origins of a profile add up to the folded counters of its root. A
window holds the newest `size` identifiers of its type with the times they were last seen; `size` is the limit
plus one, enough to compare with the limit. So a limit check reads no identifiers.
"""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from identity.planning.resolution.planner_state import Counters, Window
from identity.planning.resolution.resolution_rules import Rules
from identity.values.calls import DAY
from identity.values.identifiers import USER_ID
from identity.values.ids import BlindIndex
from identity.values.stamps import Micros


def attach(counters: Counters, key: BlindIndex, type_: str, *, unproven: bool = False) -> None:
    """Count one more live identifier."""
    if unproven:
        counters.unproven[key] = type_
    counters.types[type_] = counters.types.get(type_, 0) + 1
    if type_ == USER_ID:
        counters.live.append(key)


def detach(counters: Counters, key: BlindIndex, type_: str) -> None:
    """Stop counting a live identifier."""
    counters.unproven.pop(key, None)
    counters.types[type_] -= 1
    if type_ == USER_ID:
        counters.live.remove(key)
    window = counters.windows.get(type_)
    if window is not None and key in window.seen:
        # A full window does not hold the next older identifier: without this one it is exact for one fewer.
        size = window.size - (len(window.seen) == window.size)
        counters.windows[type_] = Window(size, {k: at for k, at in window.seen.items() if k != key})


def retire(counters: Counters, key: BlindIndex) -> None:
    """Stop counting a live user id that stays with its profile."""
    detach(counters, key, USER_ID)


def uncut(counters: Counters, sides: Iterable[tuple[bytes, int]]) -> None:
    """Subtract the (cut, side) pairs of an identifier that leaves a root."""
    for cut, side in sides:
        left, right = counters.cuts[cut]
        rest = (left - (side == 0), right - (side == 1))
        if any(rest):
            counters.cuts[cut] = rest
        else:
            del counters.cuts[cut]


def unite(into: Counters, other: Counters) -> None:
    """Add the folded counters of a root that loses a merge to those of the root that stays."""
    for type_, count in other.types.items():
        into.types[type_] = into.types.get(type_, 0) + count
    into.live += other.live
    into.unproven |= other.unproven
    into.origins += other.origins
    for type_, window in other.windows.items():
        mine = into.windows.get(type_)
        into.windows[type_] = (
            window if mine is None else newest_window({**mine.seen, **window.seen}, min(mine.size, window.size))
        )
    for cut, (left, right) in other.cuts.items():
        a, b = into.cuts.get(cut, (0, 0))
        into.cuts[cut] = (a + left, b + right)


def copy(counters: Counters) -> Counters:
    """The own counters of an origin as the folded counters of a root without other origins."""
    return Counters(types=dict(counters.types), live=list(counters.live), unproven=dict(counters.unproven))


def counted(counters: Counters) -> tuple[dict[str, int], list[BlindIndex]]:
    """The content of counters in a form to compare: no zero counts, sorted user ids."""
    return {type_: count for type_, count in counters.types.items() if count}, sorted(counters.live)


def copy_of(counters: Counters) -> Counters:
    """An independent copy of counters."""
    windows, cuts = dict(counters.windows), dict(counters.cuts)
    return Counters(
        types=dict(counters.types),
        live=list(counters.live),
        unproven=dict(counters.unproven),
        origins=counters.origins,
        windows=windows,
        cuts=cuts,
    )


def same(folded: Counters, own: Counters) -> bool:
    """Whether the folded counters of a root equal its own counters."""
    alone = folded.origins == 1 and not folded.windows and not folded.cuts
    return alone and folded.live == own.live and folded.unproven == own.unproven


def newest_window(seen: dict[BlindIndex, int], size: int) -> Window:
    """A window of the newest `size` of these identifiers; of equal times the greater key is the newer."""
    if len(seen) > size:
        seen = dict(sorted(seen.items(), key=lambda item: (item[1], item[0]), reverse=True)[:size])
    return Window(size, seen)


def mark_seen(counters: Counters, key: BlindIndex, type_: str, time: Micros) -> None:
    """Record in the window of a root, where the type has one, when a live identifier was seen."""
    window = counters.windows.get(type_)
    if window is None or (type_ == USER_ID and key not in counters.live):
        return
    if time > window.seen.get(key, time - 1):
        counters.windows[type_] = newest_window({**window.seen, key: time}, window.size)


def count_within(counters: Counters, type_: str, after: int, refreshed: set[BlindIndex]) -> int:
    """How many identifiers of a windowed type count: those seen later than `after` and the `refreshed` ones.

    Exact up to the size of the window, which is enough to compare with the limit.
    """
    window = counters.windows.get(type_)
    if window is None:
        return len(refreshed)
    return len(refreshed) + sum(seen > after and key not in refreshed for key, seen in window.seen.items())


def missing_windows(counters: Counters, rules: Rules) -> list[str]:
    """The windowed types whose window a scan has to build: it is missing, or smaller than the rules require."""
    return [
        type_
        for type_ in rules.windowed
        if counters.types.get(type_)
        and ((window := counters.windows.get(type_)) is None or window.size <= rules.limit(type_).max)
    ]


def fit_windows(counters: Counters, rules: Rules) -> None:
    """Open the windows of types without identifiers, and drop windows that no rule requires."""
    for type_ in [t for t in counters.windows if t not in rules.windowed]:
        del counters.windows[type_]
    for type_ in rules.windowed:
        if not counters.types.get(type_):
            counters.windows[type_] = Window(rules.limit(type_).max + 1, {})


def horizon(rules: Rules, type_: str, time: Micros) -> int | None:
    """The start of the window of a type at this event time; None for a type without a window."""
    days = rules.limit(type_).days
    return None if days is None else time - days * DAY


class _PackedCounters(msgspec.Struct, array_like=True):
    types: dict[int, int]
    live: list[BlindIndex]
    origins: int
    windows: dict[int, tuple[int, dict[BlindIndex, int]]]
    cuts: dict[bytes, tuple[int, int]]
    unproven: dict[BlindIndex, int] = {}


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_PackedCounters).decode


def pack(counters: Counters, codes: Callable[[str], int]) -> bytes:
    """The counters as stored: numbers stand for the names of types, which may be personal data."""
    return _encode(
        _PackedCounters(
            types={codes(t): n for t, n in counters.types.items() if n},
            live=counters.live,
            origins=counters.origins,
            # Each load opens empty windows anew; the type of an empty window may have no number yet.
            windows={codes(t): (w.size, w.seen) for t, w in counters.windows.items() if w.seen},
            cuts=counters.cuts,
            unproven={key: codes(t) for key, t in counters.unproven.items()},
        )
    )


def unproven_keys(raw: bytes) -> frozenset[BlindIndex]:
    """The identifiers of packed counters that wait for proof."""
    return frozenset(_decode(raw).unproven)


def unpack(raw: bytes, names: Mapping[int, str]) -> Counters:
    """The inverse of `pack`."""
    packed = _decode(raw)
    return Counters(
        types={names[code]: n for code, n in packed.types.items()},
        live=packed.live,
        origins=packed.origins,
        windows={names[code]: Window(size, seen) for code, (size, seen) in packed.windows.items()},
        cuts=packed.cuts,
        unproven={key: names[code] for key, code in packed.unproven.items()},
    )
