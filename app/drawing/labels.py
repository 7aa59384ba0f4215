"""Places the labels of a picture: short, harmless, and apart from each other while there is room."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple
from unicodedata import east_asian_width

_LONGEST: Final = 24
_ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"
_HIDDEN: Final = "\N{REPLACEMENT CHARACTER}"


class Box(NamedTuple):
    """A rectangle: left, bottom, right, top."""

    left: float
    bottom: float
    right: float
    top: float

    def shared(self, other: "Box") -> float:
        """Return the area that both boxes cover."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.top, other.top) - max(self.bottom, other.bottom)
        return wide * high if wide > 0 and high > 0 else 0.0

    def within(self, other: "Box") -> bool:
        """Return whether the other box contains this one."""
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.bottom >= other.bottom
            and self.top <= other.top
        )


def clean(text: str) -> str:
    """Return the text without characters that XML forbids or that reverse or hide other text."""
    return "".join(c if c.isprintable() else _HIDDEN for c in text)


def shortened(text: str, longest: int = _LONGEST) -> str:
    """Return at most so many characters; the middle of a longer text is left out, as both ends distinguish values."""
    if len(text) <= longest:
        return text
    tail = (longest - 1) // 3
    return f"{text[: longest - 1 - tail]}{_ELLIPSIS}{text[-tail:]}"


def width(text: str, size: float) -> float:
    """Return about how wide a text of this font size is, rather too wide than too narrow."""
    return size * sum(1.1 if east_asian_width(c) in "WF" else 0.66 for c in text)


def place(
    wanted: Iterable[tuple[Box, float]], nodes: Sequence[Box], room: Box, height: float, *, crowded: bool
) -> list[Box | None]:
    """Return the place of each label, given the box of its node and the width of the label.

    Earlier nodes choose first. A label that finds every place taken gets the least bad one, or no
    place in a crowded picture.
    """
    taken: list[Box] = []
    found: list[Box | None] = []
    for node, wide in wanted:
        best: tuple[float, float, Box | None] = (float("inf"), 0.0, None)
        for rank, box in enumerate(_places(node, wide, height)):
            if not box.within(room):
                continue
            on_labels = sum(box.shared(other) for other in taken)
            on_nodes = sum(box.shared(other) for other in nodes)
            cost = 4 * on_labels + on_nodes + rank
            if cost < best[0]:
                best = (cost, on_labels, box)
        _, on_labels, spot = best
        if spot is None or (crowded and on_labels > 0):
            found.append(None)
            continue
        taken.append(spot)
        found.append(spot)
    return found


def _places(node: Box, wide: float, height: float) -> Iterator[Box]:
    """Yield the places of a label: under its node, over it, beside it, then at the corners, then further out."""
    x, y = (node.left + node.right) / 2, (node.bottom + node.top) / 2
    beside, above = (node.right - node.left + wide) / 2 + 1, (node.top - node.bottom + height) / 2
    for far in (0.0, 0.8 * height):
        for across, up in ((0, -1), (0, 1), (1, 0), (-1, 0), (0.6, -1), (-0.6, -1), (0.6, 1), (-0.6, 1)):
            cx, cy = x + across * beside, y + up * (above + far)
            yield Box(cx - wide / 2, cy - height / 2, cx + wide / 2, cy + height / 2)
