"""Trying out, taking back: what a call would do, and what people do to profiles.

Every act is in the audit with the transaction that does it.
"""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from app.http.auth import ByImporter, ByLister, Visit
from app.http.body import decode
from app.http.openapi import body, described
from app.http.responses import Segment, answer
from app.schemas.calls import BatchedCall
from app.schemas.corrections import Parted, Removed, Unmerge, parted, removed
from identity.operations.corrections import remove_identifier as remove
from identity.operations.corrections import unmerge_profile
from identity.operations.privacy.public_joins import Cut
from identity.planning.privacy.hold_refusals import UnderHold
from identity.planning.privacy.public_joins import PublicJoinsFound
from identity.values.calls import Outcome, Source
from identity.values.errors import BadIdentifier, IdentifierNotFound, LastIdentifier, NotOneProfile, TooManyCuts
from identity.values.unknown_names import UnknownType

router = APIRouter(tags=["Identities"])
Blocks = Annotated[bool, Query(description="Never link this value again.")]
JOIN_REFUSALS: Final = (PublicJoinsFound, UnderHold, TooManyCuts)
"""Why a privacy request is refused for what public keys have joined to its people."""


@router.post("/v1/identities/simulate", **described(Outcome, takes=BatchedCall))
async def simulate_call(visit: ByImporter, request: Request) -> Response:
    """The outcome that a call would have now; nothing is written."""
    source = Source(visit.caller.key_number, visit.caller.server)
    outcome = await visit.onefold.dry_runs.simulate(visit.space, decode(await request.body()), source)
    return answer(outcome)


@router.post(
    "/v1/profiles/unmerge",
    **described(Parted, BadIdentifier, UnknownType, NotOneProfile, UnderHold, TooManyCuts, takes=Unmerge),
)
async def unmerge(visit: ByLister, wanted: Annotated[Unmerge, Depends(body(Unmerge))]) -> Response:
    """Move identifiers, and all data that came with them, to a profile of their own."""
    source, actor = Source(visit.caller.key_number, visit.caller.server), visit.caller.key_id
    unmerged = await unmerge_profile.unmerge_profile(
        visit.space, wanted.identifiers, block=wanted.block, source=source, actor=actor
    )
    return answer(parted(unmerged))


@router.delete(
    "/v1/identifiers/{ref}", **described(Removed, BadIdentifier, IdentifierNotFound, LastIdentifier, UnderHold)
)
async def remove_identifier(visit: ByLister, ref: Segment, *, block: Blocks = False) -> Response:
    """Detach an identifier from its profile; with `block` no later call links the identifier again."""
    source = Source(visit.caller.key_number, visit.caller.server)
    gone = await remove.remove_identifier(visit.space, ref, block=block, source=source, actor=visit.caller.key_id)
    return answer(removed(gone))


def cut_by(visit: Visit) -> Cut:
    """The unmerge that a privacy request of this caller may need: it keeps the sides apart from then on."""

    async def cut(identifiers: Sequence[str]) -> object:
        source, actor = Source(visit.caller.key_number, visit.caller.server), visit.caller.key_id
        return await unmerge_profile.unmerge_profile(visit.space, identifiers, block=True, source=source, actor=actor)

    return cut
