"""The evidence of a profile: why it is one, as a path and as a graph, in JSON or as a picture."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.drawing import graph_svg
from app.http.auth import ByReader
from app.http.openapi import described
from app.http.responses import Segment, answer, note
from app.schemas.corrections import EvidenceGraph, Explanation
from identity.operations.profiles.explain_link import explain
from identity.operations.profiles.read_graph import get_graph
from identity.values.errors import BadIdentifier, NotLinked, OnefoldError, ProfileNotFound, TooMuch
from identity.values.extras import ExtraNotInstalled

router = APIRouter(tags=["Evidence"])
_LONGEST = 1_100
From = Annotated[str, Query(alias="from", max_length=_LONGEST, description="An identifier, `type:value`.")]
To = Annotated[str, Query(max_length=_LONGEST, description="Another one, `type:value`.")]
SVG = "image/svg+xml"
# A picture is data, whatever stands in its labels: it may style itself, and nothing else.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


_GRAPH = described(EvidenceGraph, BadIdentifier, ProfileNotFound, TooMuch, ExtraNotInstalled)
_EXPLAIN = described(Explanation, BadIdentifier, ProfileNotFound, NotLinked, TooMuch)
# Three identifiers of the longest kind, percent-encoded, are more than the head of a request may hold.
_EXPLAIN["responses"][431] = {"description": "head_too_large", "content": {"application/json": {}}}


@router.get("/v1/profiles/{ref}/explain", **_EXPLAIN)
async def why(visit: ByReader, ref: Segment, from_: From, to: To) -> Response:
    """Why two identifiers are one profile: the paths between them, each link with its calls."""
    try:
        found = await explain(visit.space, ref, from_, to)
    except OnefoldError:
        await note(visit, "profile.explain", None)
        raise
    await note(visit, "profile.explain", found["profile_id"])
    return answer(found)


@router.get("/v1/profiles/{ref}/graph", **_GRAPH)
async def graph(visit: ByReader, request: Request, ref: Segment) -> Response:
    """The evidence graph with its review; `Accept: image/svg+xml` draws it."""
    drawn = _wants_picture(request)
    try:
        found = await get_graph(visit.space, ref, drawn=drawn)
    except OnefoldError:
        await note(visit, "profile.graph", None)
        raise
    await note(visit, "profile.graph", found["profile_id"])
    if not drawn:
        return answer(found)
    shown, all_ = len(found["nodes"]), found["node_count"]
    of = f"{all_} identifiers" if shown == all_ else f"{shown} of {all_} identifiers"
    picture = await asyncio.to_thread(graph_svg.draw, found, f"{found['profile_id']}: {of}")
    return Response(picture, media_type=SVG, headers={"content-security-policy": _POLICY, "vary": "accept"})


def _wants_picture(request: Request) -> bool:
    """Whether the picture is asked for, and not only taken along with everything else."""
    accepted = request.headers.get("accept", "").lower()
    return SVG in accepted and "application/json" not in accepted
