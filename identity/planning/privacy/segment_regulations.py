"""Reads Segment's regulations: their types and what their subjects are named by."""

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
# Segment's schema spells two of them otherwise than its documentation.
SPELLINGS: Final = {"SUPPRESS_AND_DELETE": "SUPPRESS_WITH_DELETE",
                    "SUPPRESS_AND_DELETE_INTERNAL": "SUPPRESS_WITH_DELETE_INTERNAL"}  # fmt: skip


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
