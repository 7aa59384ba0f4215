"""Profiles: one, many, all, and what happened to one.

A read by an employee's key (privacy, admin) is in the audit before it is answered, found or not;
the audit holds ids of profiles and never what was asked for.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from app.http.auth import ByLister, ByReader
from app.http.openapi import body, described
from app.http.responses import DEFAULT_LIMIT, Cursor, Limit, Segment, answer, note
from app.schemas.native import HistoryPage, Lookup, Profile, ProfilePage, Profiles
from identity.operations.profiles import read_history, read_profile
from identity.values.errors import (
    BadCursor,
    BadIdentifier,
    ProfileNotFound,
    TooMuch,
)

router = APIRouter(tags=["Profiles"])
Verbose = Annotated[bool, Query(description="Each trait with its provenance.")]


@router.get("/v1/profiles", **described(ProfilePage, BadCursor))
async def list_profiles(visit: ByLister, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
    """Every canonical profile of the space, page by page."""
    await note(visit, "profiles.list", None)
    return answer(await read_profile.list_profiles(visit.space, limit, cursor))


@router.post("/v1/profiles/lookup", **described(Profiles, BadIdentifier, TooMuch, takes=Lookup))
async def look_up(visit: ByReader, wanted: Annotated[Lookup, Depends(body(Lookup))]) -> Response:
    """Many profiles at once, by identifier."""
    await note(visit, "profiles.lookup", None)
    found = await read_profile.lookup(visit.space, wanted.identifiers)
    visit.onefold.limits.missed(visit.caller, sum(each is None for each in found.values()))
    return answer({"profiles": found})


@router.get("/v1/profiles/{ref}", **described(Profile, BadIdentifier, ProfileNotFound, TooMuch))
async def get_profile(visit: ByReader, ref: Segment, *, verbose: Verbose = False) -> Response:
    """A profile, by `type:value` or by any id that it ever had."""
    try:
        profile: dict[str, Any] = await read_profile.get_profile(visit.space, ref, verbose=verbose)
    except ProfileNotFound:
        await note(visit, "profile.read", None)
        raise
    await note(visit, "profile.read", profile["profile_id"])
    return answer(profile)


@router.get(
    "/v1/profiles/{ref}/history",
    **described(HistoryPage, BadIdentifier, BadCursor, ProfileNotFound, TooMuch),
)
async def get_history(visit: ByReader, ref: Segment, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
    """What happened to a profile: merges, identifiers gained and demoted, newest first."""
    try:
        page = await read_history.get_history(visit.space, ref, limit, cursor)
    except ProfileNotFound:
        await note(visit, "profile.history", None)
        raise
    lines = page["history"]
    await note(visit, "profile.history", lines[0]["profile_id"] if lines else None)
    return answer(page)
