"""Finds the identifiers that public keys alone have joined to the people of a request, and parts them on demand.

The request is not begun before: where joins are refused, nothing is done, and a cut is an unmerge of its own, which a
repeated request finds done.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import structlog
from msgspec import Struct, structs

from identity.operations.profiles.graph_evidence import read_graph_evidence
from identity.operations.profiles.profile import open_profile
from identity.operations.profiles.read_link_classes import read_named_together
from identity.planning.graph.link_classes import part, sides
from identity.planning.privacy.privacy_requests import NewRequest
from identity.planning.privacy.public_joins import MOST_LISTED, PublicJoins, PublicJoinsFound, public_joins
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.space import Space
from identity.store.privacy import requests
from identity.values.calls import Identifier
from identity.values.errors import Conflict, NotOneProfile, OnefoldError, ProfileNotFound
from identity.values.ids import BlindIndex

Cut = Callable[[Sequence[str]], Awaitable[object]]
"""Parts identifiers, written `type:value`, from the rest of their profile for good."""
_RECORDED: Final = "public_joins"
_ROUNDS: Final = 5
_log = structlog.get_logger(__name__)


class JoinedPerson(Struct, frozen=True):
    """A person of a request: the identifiers on the sides that it names, and the first of those joined to them.

    `side` is empty where nothing is cut. Public keys alone have joined `total` identifiers.
    """

    side: list[str]
    joined: list[str]
    total: int


async def settle_public_joins(
    space: Space, request: NewRequest, identifiers: Sequence[Identifier], cut: Cut | None
) -> tuple[NewRequest, PublicJoins | None]:
    """Do with the public joins of the people of a new request as its policy says; returns the request and the joins.

    The request records how many there are. PublicJoinsFound where they are refused. A profile that cannot be read has
    none, unless the policy depends on it.
    """
    if await _is_repeated(space, request):
        return request, None
    try:
        people = await find_joined_people(space, identifiers, with_sides=request.public_joins == "cut")
    except OnefoldError as error:
        if request.public_joins != "include":
            raise
        _log.warning("public_joins.unread", space=space.name_in_logs, code=error.code)
        return request, None
    if not people:
        return request, None
    if request.public_joins == "refuse":
        raise PublicJoinsFound(sum(each.total for each in people), len(people))
    parted = request.public_joins == "cut" and cut is not None
    if cut is not None and parted:
        await _part(space, identifiers, people, cut)
    joins = public_joins([(each.total, each.joined) for each in people], cut=parted)
    details = {**(request.details or {}), _RECORDED: [joins.total, joins.cut]}
    return structs.replace(request, details=details), joins


async def _part(space: Space, identifiers: Sequence[Identifier], people: Sequence[JoinedPerson], cut: Cut) -> None:
    """Cut the people of a request, looking again where their identifiers moved meanwhile. Conflict where they move on.

    What a public key joins after its cut is new: the two sides stay apart.
    """
    for _ in range(_ROUNDS):
        moved = False
        for person in people:
            try:
                await cut(person.side)
            except NotOneProfile:
                moved = True
        if not moved:
            return
        people = await find_joined_people(space, identifiers, with_sides=True)
    raise Conflict


def recorded_joins(details: Mapping[str, Any] | None) -> PublicJoins | None:
    """The public joins of an earlier request, as its details record them."""
    recorded = (details or {}).get(_RECORDED)
    return None if recorded is None else PublicJoins(recorded[0], cut=recorded[1])


@retry_on_key_rotation
async def find_joined_people(
    space: Space, identifiers: Sequence[Identifier], *, with_sides: bool
) -> list[JoinedPerson]:
    """The people with one of these identifiers to whom public keys alone have joined others."""
    named = {space.keys.identifier(each.type, each.value) for each in identifiers}
    done: set[BlindIndex] = set()
    people = []
    for identifier in identifiers:
        if space.keys.identifier(identifier.type, identifier.value) in done:
            continue
        try:
            profile = await open_profile(space, identifier.text)
        except ProfileNotFound:
            continue
        if len(profile.identifiers) == 1:
            continue
        evidence = await read_graph_evidence(profile)
        done |= evidence.identifiers.keys()
        side, joined = part(sides(evidence.identifiers, await read_named_together(evidence)), named)
        if joined:
            texts = [evidence.text(key) for key in (side if with_sides else ())]
            people.append(JoinedPerson(texts, [evidence.text(key) for key in joined[:MOST_LISTED]], len(joined)))
    return people


async def _is_repeated(space: Space, request: NewRequest) -> bool:
    async with space.database.reading() as connection:
        if request.idempotency is not None:
            key = space.keys.mac(b"again", request.idempotency.encode())
            if await requests.by_idempotency_key(connection, space.tenant, key) is not None:
                return True
        if request.request_id is None:
            return False
        return await requests.get(connection, space.tenant, request.request_id) is not None
