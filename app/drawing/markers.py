"""The marks of a picture, that is colours, shapes, rings and dashes, and the legend that explains them.

Colour is never the only difference: where two types share a shape, the tooltip names the type.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app.drawing.labels import clean, shortened

if TYPE_CHECKING:
    from matplotlib.lines import Line2D

# Okabe and Ito's colours, which colour-blind readers can distinguish too; shapes differ as well.
_BLUE, _ORANGE, _GREEN, _PINK, _SKY, _RED, _YELLOW = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442",
)  # fmt: skip
_GREY, INK = "#8A8A8A", "#222222"
_STYLES: Final = {
    "user_id": (_BLUE, "s"),
    "email": (_ORANGE, "D"),
    "phone": (_PINK, "P"),
    "anonymous_id": (_GREY, "o"),
    "ga_client_id": (_YELLOW, "h"),
    "android.id": (_GREEN, "^"),
    "android.idfa": (_YELLOW, "<"),
    "android.push_token": (_SKY, "<"),
    "ios.id": (_GREEN, "v"),
    "ios.idfa": (_YELLOW, ">"),
    "ios.push_token": (_SKY, ">"),
}
_CUSTOM: Final = tuple((colour, shape) for shape in "pX8*d" for colour in (_SKY, _PINK, _GREEN, _ORANGE, _YELLOW))
# Light tints of sky and orange; they are opaque, so that they do not darken where two overlap.
SIDES: Final = ((0, "#D5ECFA", "would stay"), (1, "#F9E7BF", "would leave"))
DASHED: Final = (0.0, (3.0, 2.0))
_MOST_TYPES: Final = 16


class DrawnNode(msgspec.Struct, frozen=True):
    """An identifier in the picture, at (x, y), y upwards. `side`: 0 would stay, 1 would leave the profile."""

    identifier: str
    type: str
    retired: bool = False
    cut: bool = False
    strong: bool = False
    side: int | None = None
    x: float = 0.0
    y: float = 0.0


class DrawnLink(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """Two identifiers seen together. `bridge`: only link between strong ids; `cut`: the suggested split cuts it."""

    start: str
    end: str
    weight: float = 1.0
    bridge: bool = False
    cut: bool = False


class DrawnGraph(msgspec.Struct, frozen=True):
    """The part of a graph document that is drawn; a link to an unknown node is left out."""

    nodes: tuple[DrawnNode, ...]
    links: tuple[DrawnLink, ...]


def palette(nodes: Sequence[DrawnNode]) -> dict[str, tuple[str, str]]:
    """Return colour and shape of each type; custom types get theirs in the order of their names."""
    custom = sorted({node.type for node in nodes} - _STYLES.keys())
    return _STYLES | {name: _CUSTOM[n % len(_CUSTOM)] for n, name in enumerate(custom)}


def marks(node: DrawnNode, style: tuple[str, str], size: float) -> dict[str, Any]:
    """Return how a node is drawn: filled unless retired, larger if strong, ringed if it is a cut node."""
    colour, shape = style
    return {
        "marker": shape,
        "markersize": size * (1.5 if node.strong else 1.25 if node.cut else 1.0),
        "markerfacecolor": "white" if node.retired else colour,
        "markeredgecolor": colour if node.retired else INK,
        "markeredgewidth": 1.4 if node.retired else 0.6,
        "linestyle": "none",
    }


def ring(size: float) -> dict[str, Any]:
    """Return the ring around a cut node."""
    return {
        "marker": "o",
        "markersize": size,
        "markerfacecolor": "none",
        "markeredgecolor": _RED,
        "markeredgewidth": 2.0,
        "linestyle": "none",
    }


def link_colour(*, cut: bool, bridge: bool) -> str:
    """Return the colour of a link; suggested cuts and bridges stand out."""
    return _RED if cut else INK if bridge else "#B5B5B5"


def legend(graph: DrawnGraph, styles: Mapping[str, tuple[str, str]]) -> Iterator["Line2D"]:
    """Return an entry for each type in the picture, most frequent first, and for each mark in use."""
    counts: dict[str, int] = {}
    for node in graph.nodes:
        counts[node.type] = counts.get(node.type, 0) + 1
    names = sorted(counts, key=lambda name: (-counts[name], name))
    for name in names[:_MOST_TYPES]:
        yield _entry(name, **marks(DrawnNode(identifier="", type=name, strong=name == "user_id"), styles[name], 6.0))
    if len(names) > _MOST_TYPES:
        yield _entry(f"{len(names) - _MOST_TYPES} more types", linestyle="none")
    yield from _meanings(graph)


def _meanings(graph: DrawnGraph) -> Iterator["Line2D"]:
    if any(node.retired for node in graph.nodes):
        yield _entry("retired (hollow)", **marks(DrawnNode(identifier="", type="", retired=True), (INK, "s"), 6.0))
    if any(node.cut for node in graph.nodes):
        yield _entry("cut node", **ring(9.0))
    if any(link.bridge for link in graph.links):
        yield _entry("bridge", color=link_colour(cut=False, bridge=True), linewidth=2.0)
    if any(link.cut for link in graph.links):
        yield _entry("suggested cut", color=link_colour(cut=True, bridge=False), linewidth=2.0, linestyle=DASHED)
    for side, tint, label in SIDES:
        if any(node.side == side for node in graph.nodes):
            yield _entry(label, marker="o", markersize=10, color=tint, linestyle="none")


def _entry(label: str, **marks: Any) -> "Line2D":
    from matplotlib.lines import Line2D

    return Line2D([], [], label=shortened(clean(label), 20), **marks)
