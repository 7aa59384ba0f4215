"""Segment's regulations, read and shown: six types, its limits and shapes, over the one engine.

Subjects are never shown: whoever was asked for is gone, and nothing here remembers who it was.
"""

from typing import Any, Final

from identity.planning.privacy import request_status
from identity.planning.privacy.request_kinds import Request
from identity.planning.resolution.event_time import format_time
from identity.values.enums import RequestKind
from identity.values.errors import BadRegulation
from identity.values.identifiers import USER_ID
from identity.values.ids import public

TYPES: Final = {
    "SUPPRESS_WITH_DELETE": RequestKind.SUPPRESS_WITH_DELETE,
    "DELETE_ONLY": RequestKind.DELETE_ONLY,
    "SUPPRESS_ONLY": RequestKind.SUPPRESS_ONLY,
    "UNSUPPRESS": RequestKind.UNSUPPRESS,
    "SUPPRESS_WITH_DELETE_INTERNAL": RequestKind.SUPPRESS_WITH_DELETE_INTERNAL,
    "DELETE_INTERNAL": RequestKind.DELETE_INTERNAL,
}
# As Segment's schema spells two of them, where its documentation has the names above.
SPELLINGS: Final = {"SUPPRESS_AND_DELETE": "SUPPRESS_WITH_DELETE",
                    "SUPPRESS_AND_DELETE_INTERNAL": "SUPPRESS_WITH_DELETE_INTERNAL"}  # fmt: skip
_NAMES: Final = {number: name for name, number in TYPES.items()}


def kind_of(name: str) -> RequestKind:
    """The kind of a request by the name of its type; BadRegulation if there is no such type."""
    kind = TYPES.get(SPELLINGS.get(name, name))
    if kind is None:
        message = f"regulationType must be one of {', '.join(TYPES)}."
        raise BadRegulation(message)
    return kind


def subject_type(name: str) -> str:
    """The type of identifier that a subjectType means. BadRegulation."""
    if name == "OBJECT_ID":
        message = "OBJECT_ID is not supported: regulations are about people. Use USER_ID or another identifier type."
        raise BadRegulation(message)
    return USER_ID if name == "USER_ID" else name.lower()


def shown(request: Request, space: str) -> dict[str, Any]:
    """A regulation as `GET /v1/regulations/{id}` shows it."""
    end = request_status.finished_at(request)
    told: dict[str, Any] = {
        "id": public("req", request.id),
        "workspaceId": space,
        "overallStatus": request_status.segment(request),
        "createdAt": format_time(request.received_at),
        "streamStatus": [
            {
                "id": public("ers", erased.id),
                "destinationStatus": [
                    {
                        "name": notice.name,
                        "id": notice.destination,
                        "status": request_status.segment_notice(notice),
                        "errString": None,
                        "finishedAt": format_time(notice.at),
                    }
                    for notice in erased.notices
                ],
            }
            for erased in request.erasures
        ],
    }
    return told if end is None else {**told, "finishedAt": format_time(end)}


def listed(request: Request) -> dict[str, Any]:
    """A regulation as the list shows it."""
    types = sorted({erased.type for erased in request.erasures})
    end = request_status.finished_at(request)
    told: dict[str, Any] = {
        "id": public("req", request.id),
        "subjectType": types[0].upper() if types else "USER_ID",
        "subjects": [],
        "status": request_status.segment(request),
        "createdAt": format_time(request.received_at),
        "regulationType": _NAMES[request.kind],
    }
    return told if end is None else {**told, "finishedAt": format_time(end)}
