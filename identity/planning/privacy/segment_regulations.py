"""Maps the regulation types and subject types of Segment to request kinds and identifier types."""

from typing import Final

from identity.values.enums import RequestKind
from identity.values.errors import BadRegulation
from identity.values.identifiers import USER_ID

TYPES: Final = {
    "SUPPRESS_WITH_DELETE": RequestKind.SUPPRESS_WITH_DELETE,
    "DELETE_ONLY": RequestKind.DELETE_ONLY,
    "SUPPRESS_ONLY": RequestKind.SUPPRESS_ONLY,
    "UNSUPPRESS": RequestKind.UNSUPPRESS,
    "SUPPRESS_WITH_DELETE_INTERNAL": RequestKind.SUPPRESS_WITH_DELETE_INTERNAL,
    "DELETE_INTERNAL": RequestKind.DELETE_INTERNAL,
}
# Segment's schema and its documentation spell two types differently.
SPELLINGS: Final = {"SUPPRESS_AND_DELETE": "SUPPRESS_WITH_DELETE",
                    "SUPPRESS_AND_DELETE_INTERNAL": "SUPPRESS_WITH_DELETE_INTERNAL"}  # fmt: skip


def request_kind(name: str) -> RequestKind:
    """The kind of a request by its regulationType; BadRegulation for an unknown type."""
    kind = TYPES.get(SPELLINGS.get(name, name))
    if kind is None:
        message = f"regulationType must be one of {', '.join(TYPES)}."
        raise BadRegulation(message)
    return kind


def subject_type(name: str) -> str:
    """The identifier type of a subjectType; BadRegulation for OBJECT_ID."""
    if name == "OBJECT_ID":
        message = "OBJECT_ID is not supported: regulations are about people. Use USER_ID or another identifier type."
        raise BadRegulation(message)
    if not name.strip():
        message = "subjectType is empty; it must be USER_ID, EMAIL or another identifier type."
        raise BadRegulation(message)
    return USER_ID if name == "USER_ID" else name.lower()
