"""The wire shapes of Segment's regulations, and how values become them.

Subjects are never shown: the people concerned are gone, and nothing here remembers who they were.
"""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from app.schemas.fields import Time, TypeHint
from identity.planning.privacy.privacy_requests import ErasureNotice, ErasureResult, PrivacyRequest
from identity.planning.privacy.request_status import all_found, finished_at, segment_notice_status, segment_status
from identity.planning.resolution.event_time import format_time
from identity.values.ids import SpaceId, public
from identity.values.near_types import type_hint


class Regulation(Struct, rename="camel"):
    """A regulation to carry out: its type, the identifier type of its subjects, and 1 to 5,000 of them."""

    regulation_type: str
    subject_type: Annotated[str, Meta(max_length=48)]
    subject_ids: list[str]


class RegulationError(Struct, rename={"type_": "type"}):
    """One error."""

    type_: str
    message: str


class RegulationErrors(Struct):
    """Errors in the shape of Segment's public API, with the code and the message of all other routes beside them."""

    errors: list[RegulationError]
    code: str
    detail: str


class Regulated(Struct, rename="camel"):
    """The id of a regulation. `found` is false where nobody had some subjects, whose positions are `not_found`.

    A subject that is named again, in any spelling, has its first position alone.
    """

    regulate_id: str
    found: bool | None
    not_found: list[int]
    hint: TypeHint


class RegulationMade(Struct):
    """A regulation that was carried out."""

    data: Regulated


class RegulationDestination(Struct, rename="camel"):
    """How far an erasure is at a destination."""

    name: str
    id: str
    status: str
    err_string: str | None
    finished_at: Time


class RegulationStream(Struct, rename="camel"):
    """How far one erasure of a regulation is, by destination; `found` is false where nobody had the subject."""

    id: str
    found: bool | None
    destination_status: list[RegulationDestination]


class RegulationShown(Struct, rename="camel", omit_defaults=True):
    """A regulation and how far it is; `found` is false where nobody had one of its subjects."""

    id: str
    workspace_id: str
    overall_status: str
    found: bool | None
    created_at: Time
    stream_status: list[RegulationStream]
    finished_at: Time | None = None


class OneRegulation(Struct):
    """A regulation, wrapped once more."""

    regulation: RegulationShown


class RegulationFound(Struct):
    """One regulation."""

    data: OneRegulation


class RegulationListed(Struct, rename="camel", omit_defaults=True):
    """A regulation in a list; `subjects` is always empty."""

    id: str
    subject_type: str
    subjects: list[str]
    status: str
    found: bool | None
    created_at: Time
    regulation_type: str
    finished_at: Time | None = None


class Pagination(Struct, rename="camel"):
    """The cursors of a page; entries are not counted."""

    current: str | None
    next: str | None
    total_entries: int | None


class RegulationPage(Struct):
    """A page of regulations."""

    regulations: list[RegulationListed]
    pagination: Pagination


class RegulationsFound(Struct):
    """A page of regulations, wrapped once more."""

    data: RegulationPage


def regulation_made(request: PrivacyRequest) -> RegulationMade:
    """A regulation that was carried out."""
    missing = [each.nr - 1 for each in request.erasures if each.found is False]
    hint = type_hint([each.type for each in request.erasures if each.found is False])
    return RegulationMade(Regulated(public("req", request.id), all_found(request), missing, hint))


def regulation_found(request: PrivacyRequest, space: SpaceId) -> RegulationFound:
    """A regulation of a space (its public id)."""
    end = finished_at(request)
    shown = RegulationShown(
        id=public("req", request.id),
        workspace_id=public("spc", space),
        overall_status=segment_status(request),
        found=all_found(request),
        created_at=format_time(request.received_at),
        stream_status=[_stream(each) for each in request.erasures],
        finished_at=None if end is None else format_time(end),
    )
    return RegulationFound(OneRegulation(shown))


def regulations_found(
    requests: Sequence[PrivacyRequest], current: str | None, following: str | None
) -> RegulationsFound:
    """A page of regulations with its cursor and the next."""
    return RegulationsFound(RegulationPage([_listed(each) for each in requests], Pagination(current, following, None)))


def _stream(result: ErasureResult) -> RegulationStream:
    return RegulationStream(public("ers", result.id), result.found, [_destination(notice) for notice in result.notices])


def _destination(notice: ErasureNotice) -> RegulationDestination:
    return RegulationDestination(
        name=notice.name,
        id=public("dst", notice.destination),
        status=segment_notice_status(notice),
        err_string=None,
        finished_at=format_time(notice.at),
    )


def _listed(request: PrivacyRequest) -> RegulationListed:
    types = sorted({each.type for each in request.erasures})
    end = finished_at(request)
    return RegulationListed(
        id=public("req", request.id),
        subject_type=types[0].upper() if types else "USER_ID",
        subjects=[],
        status=segment_status(request),
        found=all_found(request),
        created_at=format_time(request.received_at),
        regulation_type=request.kind.name,
        finished_at=None if end is None else format_time(end),
    )
