"""Draws an evidence graph as SVG.

The same document gives the same bytes. Text stays text, never markup or a formula. Shape, ring and
dash repeat what colour shows. The picture refers to nothing outside itself.
"""

import re
from collections.abc import Mapping, Sequence
from html import escape
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from warnings import catch_warnings, filterwarnings

import msgspec

from app.drawing.labels import Box, clean, place, shortened, width
from app.drawing.markers import (
    DASHED,
    INK,
    SIDES,
    DrawnGraph,
    DrawnLink,
    DrawnNode,
    legend,
    link_colour,
    marks,
    palette,
    ring,
)
from identity.values.extras import extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The drawing library has one set of settings for the process, so pictures are drawn one at a time.
_DRAWING: Final = Lock()
_SETTINGS: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "onefold",
    "text.parse_math": False,
    "text.usetex": False,
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "path.simplify": False,
}

# Points, 72 to the inch.
_WIDEST, _HIGHEST, _UNIT, _NARROWEST = 1400.0, 1000.0, 110.0, 520.0
_SIDE_MARGIN, _MARGIN, _HEADING, _ROW, _COLUMN = 84.0, 40.0, 34.0, 16.0, 132.0
_TEXT, _TITLE = 8.0, 12.0
_ALL_LABELLED: Final = 60


def draw(document: Mapping[str, Any], title: str) -> bytes:
    """Return the SVG of a graph document whose nodes have positions.

    Each node has its identifier as a tooltip. Up to 60 nodes all get a label; in larger pictures the
    important ones get one where there is room. msgspec.ValidationError if it is no graph document.
    """
    graph = msgspec.convert(document, DrawnGraph)
    # The viewer finds glyphs that the font lacks, and a warning may not fail an answer.
    with _DRAWING, catch_warnings():
        filterwarnings("ignore", message="Glyph .* missing")
        with extra("analysis"):
            import matplotlib as mpl

        with mpl.rc_context():
            # The folder that a server starts from may contain a settings file of the library.
            mpl.rcdefaults()
            mpl.rcParams.update(_SETTINGS)
            out = BytesIO()
            figure = compose(graph, clean(title))
            figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Title": clean(title)})
    return _finished(out.getvalue().decode(), graph.nodes).encode()


def compose(graph: DrawnGraph, title: str) -> "Figure":
    """Compose the figure: one axes over all of it, in points, so that text and graph share one unit."""
    from matplotlib.figure import Figure

    styles = palette(graph.nodes)
    entries = list(legend(graph, styles))
    xs = [node.x for node in graph.nodes] or [0.0]
    ys = [node.y for node in graph.nodes] or [0.0]
    wide, high = max(xs) - min(xs), max(ys) - min(ys)
    unit = min(_UNIT, _WIDEST / max(wide, 1e-9), _HIGHEST / max(high, 1e-9))
    full = max(_NARROWEST, wide * unit + 2 * _SIDE_MARGIN)
    columns = int((full - _MARGIN) // _COLUMN)
    foot = -(-len(entries) // columns) * _ROW + _ROW
    tall = high * unit + 2 * _MARGIN + _HEADING + foot
    left = (full - wide * unit) / 2 - min(xs) * unit
    bottom = foot + _MARGIN - min(ys) * unit
    spots = {node.identifier: (left + node.x * unit, bottom + node.y * unit) for node in graph.nodes}

    figure = Figure(figsize=(full / 72, tall / 72), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, full), ylim=(0, tall))
    axes.axis("off")
    small = len(graph.nodes) > _ALL_LABELLED
    _draw_sides(axes, graph.nodes, spots, 26.0 if small else 40.0)
    _draw_links(axes, graph.links, spots)
    boxes = _draw_nodes(axes, graph.nodes, spots, styles, 5.5 if small else 8.0)
    _draw_labels(axes, _labelled(graph), boxes, Box(6, foot, full - 6, tall - _HEADING), crowded=small)
    title = shortened(title, int((full - _MARGIN) / (_TITLE * 0.65)))
    axes.text(_MARGIN / 2, tall - _HEADING / 2, title, fontsize=_TITLE, va="center", color=INK)
    figure.legend(
        handles=entries,
        loc="lower left",
        ncols=columns,
        frameon=False,
        fontsize=_TEXT,
        labelcolor=INK,
        handlelength=2.2,
        columnspacing=1.2,
    )
    return figure


def _draw_sides(
    axes: "Axes", nodes: Sequence[DrawnNode], spots: Mapping[str, tuple[float, float]], size: float
) -> None:
    for side, tint, _ in SIDES:
        points = [spots[node.identifier] for node in nodes if node.side == side]
        if points:
            xs, ys = zip(*points, strict=True)
            axes.scatter(xs, ys, s=size**2, color=tint, linewidths=0, zorder=0)


def _draw_links(axes: "Axes", links: Sequence[DrawnLink], spots: Mapping[str, tuple[float, float]]) -> None:
    from matplotlib.collections import LineCollection

    kinds: dict[tuple[bool, bool], list[DrawnLink]] = {}
    for link in links:
        if link.start in spots and link.end in spots:
            kinds.setdefault((link.cut, link.bridge), []).append(link)
    heaviest = max((link.weight for link in links), default=1.0) or 1.0
    for (cut, bridge), drawn in sorted(kinds.items()):
        thickness = [0.6 + 1.6 * (max(link.weight, 0.0) / heaviest) ** 0.5 + 0.8 * (cut or bridge) for link in drawn]
        axes.add_collection(
            LineCollection(
                [(spots[link.start], spots[link.end]) for link in drawn],
                linewidths=thickness,
                colors=link_colour(cut=cut, bridge=bridge),
                linestyles=DASHED if cut else "solid",
                zorder=1 + cut,
            )
        )


def _draw_nodes(
    axes: "Axes",
    nodes: Sequence[DrawnNode],
    spots: Mapping[str, tuple[float, float]],
    styles: Mapping[str, tuple[str, str]],
    size: float,
) -> dict[str, Box]:
    """Draw the nodes; returns the box of each."""
    boxes = {}
    for n, node in enumerate(nodes):
        x, y = spots[node.identifier]
        marked = marks(node, styles[node.type], size)
        half = marked["markersize"] / 2 + 2
        if node.cut:
            half += 2
            axes.plot([x], [y], zorder=5, **ring(2 * half + 2))
        axes.plot([x], [y], gid=f"node-{n}", zorder=4 if node.strong or node.cut else 3, **marked)
        boxes[node.identifier] = Box(x - half, y - half, x + half, y + half)
    return boxes


def _labelled(graph: DrawnGraph) -> list[DrawnNode]:
    """Return the nodes that get a label, the most important first."""
    if len(graph.nodes) <= _ALL_LABELLED:
        return sorted(graph.nodes, key=lambda node: not (node.cut or node.strong))
    ends = {end for link in graph.links if link.cut or link.bridge for end in (link.start, link.end)}
    ordered = sorted(graph.nodes, key=lambda node: (not node.cut, not node.strong))
    return [node for node in ordered if node.cut or node.strong or node.identifier in ends][:_ALL_LABELLED]


def _draw_labels(
    axes: "Axes", nodes: Sequence[DrawnNode], boxes: Mapping[str, Box], room: Box, *, crowded: bool
) -> None:
    from matplotlib.patches import Rectangle

    texts = [shortened(clean(node.identifier.removeprefix(f"{node.type}:"))) for node in nodes]
    wanted = [(boxes[node.identifier], width(text, _TEXT)) for node, text in zip(nodes, texts, strict=True)]
    spots = place(wanted, list(boxes.values()), room, _TEXT * 1.25, crowded=crowded)
    for node, text, spot in zip(nodes, texts, spots, strict=True):
        if spot is None:
            continue
        # The library's own background is as wide as the text in its font, which other fonts do not match.
        wide, high = spot.right - spot.left, spot.top - spot.bottom
        axes.add_patch(Rectangle(spot[:2], wide, high, facecolor="white", alpha=0.7, linewidth=0, zorder=6))
        axes.text(
            spot.left + wide / 2,
            spot.bottom + high / 2,
            text,
            fontsize=_TEXT,
            ha="center",
            va="center",
            color=INK,
            fontweight="bold" if node.cut or node.strong else "normal",
            zorder=7,
        )


def _finished(svg: str, nodes: Sequence[DrawnNode]) -> str:
    """Add a tooltip to each node, which the library does not do, and remove the reference to a document type.

    A title as the first child of a group is its tooltip. No text can look like a group, as text is escaped.
    """

    def titled(found: re.Match[str]) -> str:
        return f"{found[0]}<title>{escape(clean(nodes[int(found[1])].identifier))}</title>"

    svg = re.sub(r"<!DOCTYPE[^>]*>\s*", "", svg, count=1)
    return re.sub(r'<g id="node-(\d+)">', titled, svg)
