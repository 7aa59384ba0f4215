"""Colour is never the only difference between the marks of a picture, and the legend explains every mark in use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drawing import markers
from app.drawing.markers import DrawnGraph, DrawnLink, DrawnNode

NAMES = st.lists(st.text("abc.", min_size=1, max_size=6), min_size=1, max_size=25, unique=True)


@given(NAMES)
def test_every_custom_type_of_a_picture_has_a_mark_of_its_own(names: list[str]) -> None:
    """Up to 25 custom types differ from each other in colour and shape; their order in the picture changes nothing."""
    styles = markers.palette([DrawnNode(identifier="x", type=name) for name in names])

    assert len({styles[name] for name in names}) == len(names)
    assert styles == markers.palette([DrawnNode(identifier="y", type=name) for name in reversed(names)])


def test_retired_strong_and_cut_nodes_differ_in_form() -> None:
    """Hollow, larger or ringed: each can be seen without colour."""
    style = ("#000000", "s")
    plain, retired, strong, cut = (
        markers.marks(node, style, 6.0)
        for node in (
            DrawnNode(identifier="x", type="t"),
            DrawnNode(identifier="x", type="t", retired=True),
            DrawnNode(identifier="x", type="t", strong=True),
            DrawnNode(identifier="x", type="t", cut=True),
        )
    )

    assert (plain["markerfacecolor"], retired["markerfacecolor"]) == ("#000000", "white")
    assert plain["markersize"] < cut["markersize"] < strong["markersize"]
    assert markers.ring(9.0)["markerfacecolor"] == "none"


def test_a_suggested_cut_outranks_a_bridge() -> None:
    """A link that is both has the colour of the cut."""
    both, bridge, plain = (
        markers.link_colour(cut=cut, bridge=bridge) for cut, bridge in ((True, True), (False, True), (False, False))
    )

    assert len({both, bridge, plain}) == 3
    assert both == markers.link_colour(cut=True, bridge=False)


@pytest.mark.parametrize(
    ("graph", "meaning"),
    [
        (DrawnGraph((DrawnNode(identifier="x", type="t", retired=True),), ()), "retired (hollow)"),
        (DrawnGraph((DrawnNode(identifier="x", type="t", cut=True),), ()), "cut node"),
        (DrawnGraph((DrawnNode(identifier="x", type="t"),), (DrawnLink(start="x", end="y", bridge=True),)), "bridge"),
        (
            DrawnGraph((DrawnNode(identifier="x", type="t"),), (DrawnLink(start="x", end="y", cut=True),)),
            "suggested cut",
        ),
        (DrawnGraph((DrawnNode(identifier="x", type="t", side=0),), ()), "would stay"),
        (DrawnGraph((DrawnNode(identifier="x", type="t", side=1),), ()), "would leave"),
    ],
)
def test_the_legend_explains_the_marks_in_use_and_no_other(graph: DrawnGraph, meaning: str) -> None:
    """The type comes first, then the one mark of the picture."""
    entries = [entry.get_label() for entry in markers.legend(graph, markers.palette(graph.nodes))]

    assert entries == ["t", meaning]


def test_the_legend_counts_the_types_beyond_its_room() -> None:
    """The most frequent types are named."""
    nodes = [DrawnNode(identifier=f"{n}", type=f"type{n:02}") for n in range(20)] + [
        DrawnNode(identifier="x", type="type19")
    ]
    graph = DrawnGraph(tuple(nodes), ())
    entries = [entry.get_label() for entry in markers.legend(graph, markers.palette(graph.nodes))]

    assert (entries[0], entries[-1], len(entries)) == ("type19", "4 more types", 17)
