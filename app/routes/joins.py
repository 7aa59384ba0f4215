"""Joins that wait for proof: a public key claims that two people are one.

A confirmation makes the join as a server key does; a refusal is remembered. Both are in the ledger with the transaction
that does them.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from app.http.auth import ByLister
from app.http.openapi import body, described
from app.http.request_shapes import require_readable
from app.http.responses import DEFAULT_LIMIT, Cursor, Limit, Segment, answer, audit_read
from app.schemas.corrections import Join, JoinDecision, JoinPage, JoinStatus, join_info, join_page
from identity.operations.corrections import refuse_join as refuse
from identity.operations.ingest import confirm_join as confirm
from identity.operations.profiles import read_joins
from identity.planning.corrections.waiting_claims import JoinDoesNotFit, JoinNotFound, JoinNotWaiting
from identity.planning.privacy.hold_refusals import UnderHold
from identity.values.calls import Source
from identity.values.enums import JoinState
from identity.values.errors import BadCursor

router = APIRouter(tags=["Joins"])


@router.get("/v1/joins", **described(JoinPage, BadCursor))
async def list_joins(
    visit: ByLister,
    state: Annotated[JoinStatus | None, Query()] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """The joins that public keys claim, the newest first."""
    await audit_read(visit, "joins.read", None)
    wanted = None if state is None else JoinState(state)
    return answer(join_page(await read_joins.list_joins(visit.space, wanted, limit, cursor)))


@router.get("/v1/joins/{join_id}", **described(Join, JoinNotFound))
async def read_join(visit: ByLister, join_id: Segment) -> Response:
    """One join."""
    found = await read_joins.read_join(visit.space, join_id)
    await audit_read(visit, "joins.read", found.claimed_by)
    return answer(join_info(found))


@router.post(
    "/v1/joins/{join_id}/confirm",
    **described(Join, JoinNotFound, JoinNotWaiting, JoinDoesNotFit, UnderHold, takes=JoinDecision),
)
async def confirm_join(
    visit: ByLister, join_id: Segment, wanted: Annotated[JoinDecision, Depends(body(JoinDecision))]
) -> Response:
    """Make a join: the claim counts as the call of a server key from now on."""
    if wanted.reason is not None:
        require_readable(reason=wanted.reason)
    source = Source(visit.caller.key_number, server=True)
    made = await confirm.confirm_join(visit.space, visit.onefold.ingest_queue, join_id, source, reason=wanted.reason)
    return answer(join_info(made))


@router.post("/v1/joins/{join_id}/refuse", **described(Join, JoinNotFound, JoinNotWaiting, takes=JoinDecision))
async def refuse_join(
    visit: ByLister, join_id: Segment, wanted: Annotated[JoinDecision, Depends(body(JoinDecision))]
) -> Response:
    """Refuse a join: neither the list nor later calls of public keys show it as waiting again."""
    if wanted.reason is not None:
        require_readable(reason=wanted.reason)
    source = Source(visit.caller.key_number, server=True)
    refused = await refuse.refuse_join(visit.space, join_id, source, actor=visit.caller.key_id, reason=wanted.reason)
    return answer(join_info(refused))
