"""What a picture tells by colour, shape, ring and dash, and the legend that says so.

Nothing is told by colour alone: where two types share a shape, the tooltip names the type.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app.drawing.labels import clean, shortened

if TYPE_CHECKING:
    from matplotlib.lines import Line2D

# Okabe and Ito's colours, told apart by every kind of eye, and shapes as well.
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
# Light tints of sky and orange, opaque: they do not darken where two overlap.
SIDES: Final = ((0, "#D5ECFA", "would stay"), (1, "#F9E7BF", "would leave"))
DASHED: Final = (0.0, (3.0, 2.0))
_MOST_TYPES: Final = 16


class Node(msgspec.Struct, frozen=True):
    """An identifier in the picture, at (x, y) in any unit, y upwards. `side`: 0 would stay, 1 would leave."""

    identifier: str
    type: str
    retired: bool = False
    cut: bool = False
    strong: bool = False
    side: int | None = None
    x: float = 0.0
    y: float = 0.0


class Link(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """Two identifiers seen together. `bridge`: holds strong ids apart; `cut`: by the suggested split."""

    start: str
    end: str
    weight: float = 1.0
    bridge: bool = False
    cut: bool = False


class Document(msgspec.Struct, frozen=True):
    """What is drawn of the graph document; a link to a node that is not in it is left out."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]


def palette(nodes: Sequence[Node]) -> dict[str, tuple[str, str]]:
    """Colour and shape of each type, the custom ones in the order of their names."""
    custom = sorted({node.type for node in nodes} - _STYLES.keys())
    return _STYLES | {name: _CUSTOM[n % len(_CUSTOM)] for n, name in enumerate(custom)}


def marks(node: Node, style: tuple[str, str], size: float) -> dict[str, Any]:
    """How a node is drawn: filled unless retired, larger if strong, ringed if a cut node."""
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
    """The ring about a cut node."""
    return {
        "marker": "o",
        "markersize": size,
        "markerfacecolor": "none",
        "markeredgecolor": _RED,
        "markeredgewidth": 2.0,
        "linestyle": "none",
    }


def link_colour(*, cut: bool, bridge: bool) -> str:
    """Suggested cuts and bridges stand out."""
    return _RED if cut else INK if bridge else "#B5B5B5"


def legend(graph: Document, styles: Mapping[str, tuple[str, str]]) -> Iterator["Line2D"]:
    """A line for each type that is there, most frequent first, and for each mark that is used."""
    counts: dict[str, int] = {}
    for node in graph.nodes:
        counts[node.type] = counts.get(node.type, 0) + 1
    names = sorted(counts, key=lambda name: (-counts[name], name))
    for name in names[:_MOST_TYPES]:
        yield _entry(name, **marks(Node("", name, strong=name == "user_id"), styles[name], 6.0))
    if len(names) > _MOST_TYPES:
        yield _entry(f"{len(names) - _MOST_TYPES} more types", linestyle="none")
    yield from _meanings(graph)


def _meanings(graph: Document) -> Iterator["Line2D"]:
    if any(node.retired for node in graph.nodes):
        yield _entry("retired (hollow)", **marks(Node("", "", retired=True), (INK, "s"), 6.0))
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
