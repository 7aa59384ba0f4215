"""The evidence of a profile: explanations of links, and the graph, as JSON or as a picture."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response

from app.drawing import graph_svg
from app.http.auth import ByReader
from app.http.openapi import described
from app.http.responses import Segment, answer, audit_read
from app.schemas.evidence import EvidenceGraph, Explanation, evidence_graph, explanation
from identity.operations.profiles.explain_link import explain
from identity.operations.profiles.read_graph import get_graph, place_graph
from identity.values.errors import BadIdentifier, NotLinked, OnefoldError, ProfileNotFound, TooMuch
from identity.values.extras import ExtraNotInstalled
from identity.values.unknown_names import UnknownType
from identity.vault.threads import in_analysis

router = APIRouter(tags=["Evidence"])
_LONGEST = 1_100
From = Annotated[str, Query(alias="from", max_length=_LONGEST, description="An identifier, `type:value`.")]
To = Annotated[str, Query(max_length=_LONGEST, description="Another identifier, `type:value`.")]
SVG = "image/svg+xml"
# Labels hold text of customers: the picture may style itself and do nothing else.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


_GRAPH = described(EvidenceGraph, BadIdentifier, ProfileNotFound, TooMuch, ExtraNotInstalled)
_GRAPH["responses"][200]["content"][SVG] = {"schema": {"type": "string"}}
_EXPLAIN = described(Explanation, BadIdentifier, UnknownType, ProfileNotFound, NotLinked, TooMuch)
# Three of the longest identifiers, percent-encoded, exceed the size limit of a request head.
_EXPLAIN["responses"][431] = {"description": "head_too_large", "content": {"application/json": {}}}


@router.get("/v1/profiles/{ref}/explain", **_EXPLAIN)
async def explain_link(visit: ByReader, ref: Segment, from_: From, to: To) -> Response:
    """Why two identifiers are one profile: the paths between them, each link with its calls."""
    try:
        found = await explain(visit.space, ref, from_, to)
    except OnefoldError:
        await audit_read(visit, "profile.explain", None)
        raise
    await audit_read(visit, "profile.explain", found.profile_id)
    return answer(explanation(found))


@router.get("/v1/profiles/{ref}/graph", **_GRAPH)
async def get_evidence_graph(visit: ByReader, request: Request, ref: Segment) -> Response:
    """The evidence graph with its review, as JSON or (`Accept: image/svg+xml`) as a picture."""
    read = place_graph if _wants_picture(request) else get_graph
    try:
        found = await read(visit.space, ref)
    except OnefoldError:
        await audit_read(visit, "profile.graph", None)
        raise
    await audit_read(visit, "profile.graph", found.profile_id)
    graph = await in_analysis(evidence_graph, found)
    return answer(graph) if found.places is None else await _picture(graph, found.places)


async def _picture(found: EvidenceGraph, places: Mapping[str, tuple[float, float]]) -> Response:
    document = msgspec.to_builtins(found)
    for node in document["nodes"]:
        node["x"], node["y"] = places[node["identifier"]]
    shown = len(found.nodes)
    of = f"{shown} identifiers" if shown == found.node_count else f"{shown} of {found.node_count} identifiers"
    drawn = await in_analysis(graph_svg.draw, document, f"{found.profile_id}: {of}")
    return Response(drawn, media_type=SVG, headers={"content-security-policy": _POLICY, "vary": "accept"})


def _wants_picture(request: Request) -> bool:
    """Whether the request prefers the picture: it accepts SVG and does not accept JSON."""
    accepted = request.headers.get("accept", "").lower()
    return SVG in accepted and "application/json" not in accepted
