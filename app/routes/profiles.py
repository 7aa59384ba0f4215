"""Profiles: one, many, all, and the history of one.

A read by an employee's key (privacy, admin) is in the audit log before it is answered, found or not. The audit log
holds ids of profiles, never the identifiers of the request.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from app.http.auth import ByLister, ByReader
from app.http.openapi import body, described
from app.http.responses import DEFAULT_LIMIT, Cursor, Limit, Segment, answer, audit_read
from app.schemas.profiles import (
    CanonicalProfile,
    FoundProfiles,
    HistoryPage,
    IdentifierList,
    Lookup,
    ProfileList,
    canonical_profile,
    found_profiles,
    history_page,
    identifier_list,
    profile_list,
)
from identity.operations.profiles import read_history, read_profile
from identity.values.errors import (
    BadCursor,
    BadIdentifier,
    ProfileNotFound,
    TooMuch,
)

router = APIRouter(tags=["Profiles"])
Verbose = Annotated[bool, Query(description="Show the time, message and origin of each trait.")]


@router.get("/v1/profiles", **described(ProfileList, BadCursor))
async def list_profiles(visit: ByLister, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
    """Every canonical profile of the space, page by page."""
    await audit_read(visit, "profiles.list", None)
    return answer(profile_list(await read_profile.list_profiles(visit.space, limit, cursor)))


@router.post("/v1/profiles/lookup", **described(FoundProfiles, TooMuch, takes=Lookup))
async def look_up_profiles(visit: ByReader, wanted: Annotated[Lookup, Depends(body(Lookup))]) -> Response:
    """Many profiles at once, by identifier (at most 1,000); `errors` names the entries that cannot be read."""
    await audit_read(visit, "profiles.lookup", None)
    async with visit.onefold.limits.looking_up(visit.caller, len(wanted.identifiers)):
        found = await read_profile.lookup_each(visit.space, wanted.identifiers)
        visit.onefold.limits.require_found(visit.caller, found.profiles.values())
    return answer(found_profiles(found))


@router.get("/v1/profiles/{ref}", **described(CanonicalProfile, BadIdentifier, ProfileNotFound, TooMuch))
async def get_profile(visit: ByReader, ref: Segment, *, verbose: Verbose = False) -> Response:
    """A profile, by `type:value` or by its present or a former profile id."""
    try:
        profile = await read_profile.get_profile(visit.space, ref, verbose=verbose)
    except ProfileNotFound:
        await audit_read(visit, "profile.read", None)
        raise
    await audit_read(visit, "profile.read", profile.id)
    return answer(canonical_profile(profile))


@router.get(
    "/v1/profiles/{ref}/identifiers",
    **described(IdentifierList, BadIdentifier, BadCursor, ProfileNotFound, TooMuch),
)
async def list_identifiers(
    visit: ByReader, ref: Segment, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """Every identifier of a profile in the order of linking, page by page."""
    try:
        page = await read_profile.list_identifiers(visit.space, ref, limit, cursor)
    except ProfileNotFound:
        await audit_read(visit, "profile.identifiers", None)
        raise
    await audit_read(visit, "profile.identifiers", page.profile_id)
    return answer(identifier_list(page))


@router.get(
    "/v1/profiles/{ref}/history",
    **described(HistoryPage, BadIdentifier, BadCursor, ProfileNotFound, TooMuch),
)
async def get_history(visit: ByReader, ref: Segment, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
    """The history of a profile: merges, identifiers gained and demoted, changes of the rules; newest first."""
    try:
        page = await read_history.get_history(visit.space, ref, limit, cursor)
    except ProfileNotFound:
        await audit_read(visit, "profile.history", None)
        raise
    await audit_read(visit, "profile.history", page.entries[0].origin if page.entries else None)
    return answer(history_page(page))
