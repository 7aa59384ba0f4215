"""A picture is well-formed, harmless, the same each time, and shows what matters."""

import subprocess
import sys
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest

from app.drawing.graph_svg import draw
from app.drawing.labels import Box, clean, place, shortened

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<script>alert(1)</script>",
    "$x^$",
    "a&b",
    "]]>",
    '"><g id="node-0">',
    "--><b>",
    "_x",
    "\x00\x1b\ud800\u202e",
    "名前",
    "",
]


def document(*names: str, links: list[dict[str, Any]] | None = None, **marks: Any) -> dict[str, Any]:
    """A document of these identifiers on a slope, with the same marks for all."""
    nodes = [
        {"identifier": name, "type": name.partition(":")[0], "x": n, "y": n % 3, **marks}
        for n, name in enumerate(names)
    ]
    return {"nodes": nodes, "links": links or []}


def texts(svg: bytes, tag: str = "text") -> list[str]:
    """All texts, or the content of another element, of a picture."""
    return [each.text or "" for each in ET.fromstring(svg).iter(f"{SVG}{tag}")]


def crowd(count: int) -> dict[str, Any]:
    """A user with very many browsers, an e-mail that is a cut node, and a second user."""
    nodes: list[dict[str, Any]] = [
        {"identifier": f"anonymous_id:a{n}", "type": "anonymous_id", "x": n % 25, "y": n // 25, "side": 0}
        for n in range(count - 3)
    ]
    nodes += [
        {"identifier": "user_id:u1", "type": "user_id", "strong": True, "x": 3.5, "y": 3.5, "side": 0},
        {"identifier": "user_id:u2", "type": "user_id", "strong": True, "x": 9.5, "y": 9.5, "side": 1},
        {"identifier": "email:team@x.com", "type": "email", "cut": True, "x": 6.5, "y": 6.5, "side": None},
    ]
    links = [{"from": "user_id:u1", "to": node["identifier"], "weight": 8.0} for node in nodes[: count - 3]]
    links.append({"from": "user_id:u1", "to": "email:team@x.com", "weight": 32.0, "bridge": True})
    links.append({"from": "email:team@x.com", "to": "user_id:u2", "weight": 32.0, "bridge": True, "cut": True})
    return {"nodes": nodes, "links": links}


def test_a_small_picture_labels_every_node() -> None:
    """Values as labels, whole identifiers as tooltips, the title, and a legend of the marks in use."""
    svg = draw(document("user_id:u1", "email:a@x.com", "crm:7", retired=True, side=1), "Profile 1")

    assert {"u1", "a@x.com", "7", "Profile 1", "user_id", "email", "crm"} <= set(texts(svg))
    assert {"retired (hollow)", "would leave"} <= set(texts(svg))
    assert not {"cut node", "bridge", "suggested cut", "would stay", "phone"} & set(texts(svg))
    assert {"user_id:u1", "email:a@x.com", "crm:7", "Profile 1"} <= set(texts(svg, "title"))


def test_a_large_picture_labels_strong_and_cut_nodes() -> None:
    """All 500 nodes have a tooltip."""
    svg = draw(crowd(500), "Profile")
    shown = texts(svg)

    assert {"u1", "u2", "team@x.com", "cut node", "bridge", "suggested cut", "would stay", "would leave"} <= set(shown)
    assert len(shown) < 40
    assert len(texts(svg, "title")) == 501
    assert b"stroke-dasharray" in svg


def test_the_same_document_gives_the_same_bytes() -> None:
    """Neither time nor chance is in a picture."""
    assert draw(crowd(70), "Profile") == draw(crowd(70), "Profile")
    assert b"<dc:date>" not in draw(crowd(5), "Profile")


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_stay_text(value: str) -> None:
    """In the label, the tooltip, the type and the title."""
    svg = draw(document(f"email:{value}", f"{value}:x", "user_id:u"), value)
    root = ET.fromstring(svg)

    assert clean(f"email:{value}") in texts(svg, "title")
    if value:
        assert {clean(value), shortened(clean(value)), shortened(clean(value), 20)} <= set(texts(svg))
    tags = {each.tag.rpartition("}")[2] for each in root.iter()}
    assert not tags & {"script", "b", "foreignObject", "image", "a"}
    assert len([each for each in root.iter(f"{SVG}g") if (each.get("id") or "").startswith("node-")]) == 3
    assert not [name for each in root.iter() for name in each.attrib if name.startswith("on")]


def test_a_long_value_is_shortened() -> None:
    """Both ends are shown; the tooltip has the whole value."""
    value = "begin" + "x" * 1000 + "the-end"
    svg = draw(document(f"crm:{value}"), value)

    assert f"begin{'x' * 11}…the-end"[-8:] in {text[-8:] for text in texts(svg)}
    assert max(map(len, texts(svg))) < 100
    assert f"crm:{value}" in texts(svg, "title")


def test_every_label_is_within_the_picture() -> None:
    """By the room it takes."""
    root = ET.fromstring(draw(document(*(f"crm:{'w' * 24}{n}" for n in range(9))), "T"))
    wide = float(root.attrib["viewBox"].split()[2])
    labels = [each for each in root.iter(f"{SVG}text") if (each.text or "").startswith("www")]

    assert len(labels) == 9
    for each in labels:
        middle = float(each.attrib["x"])
        assert 60 < middle < wide - 60


@pytest.mark.parametrize("count", [0, 1])
def test_no_node_and_one_node_are_pictures_too(count: int) -> None:
    """Nothing fails for lack of nodes."""
    svg = draw(document(*["user_id:u1"][:count]), "Nobody")

    assert "Nobody" in texts(svg)
    assert ("u1" in texts(svg)) == bool(count)


def test_many_types_fit_the_legend() -> None:
    """The rest is counted."""
    svg = draw(document(*(f"type{n}:{n}" for n in range(50))), "T")

    assert sum(text.startswith("type") for text in texts(svg)) == 16
    assert "34 more types" in texts(svg)


def test_links_to_absent_nodes_are_left_out() -> None:
    """A document may hold a part of a graph."""
    links = [{"from": "crm:1", "to": "crm:9", "weight": 1.0, "cut": True}]

    assert "1" in texts(draw(document("crm:1", "crm:2", links=links), "T"))


def test_a_document_that_is_no_graph_is_refused() -> None:
    """It is not drawn in part."""
    with pytest.raises(msgspec.ValidationError):
        draw({"nodes": [{"type": "crm"}], "links": []}, "T")


def test_the_drawing_library_is_loaded_with_the_first_picture() -> None:
    """Workers that draw nothing do not load it."""
    check = "import sys, app.drawing.graph_svg; sys.exit('matplotlib' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_a_label_avoids_others_or_is_left_out() -> None:
    """The second label goes elsewhere; a crowded picture leaves it out."""
    node = Box(40, 40, 50, 50)
    room = Box(0, 0, 100, 100)
    first, second = place([(node, 20.0), (node, 20.0)], [node], room, 10.0, crowded=False)

    assert first is not None
    assert second is not None
    assert first != second
    assert place([(node, 90.0)] * 9, [node], room, 10.0, crowded=True)[-1] is None
    assert place([(node, 200.0)], [node], room, 10.0, crowded=False) == [None]
