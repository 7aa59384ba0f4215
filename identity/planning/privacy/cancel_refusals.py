"""The refusals to cancel a finished request, by its kind: an erasure, a suppression or the lift of a suppression."""

from identity.values.enums import RequestKind
from identity.values.errors import AlreadyErased, Refused


class AlreadySuppressed(Refused):
    """The suppression is in force, so the request cannot be cancelled; lift it with an UNSUPPRESS regulation."""


class AlreadyLifted(Refused):
    """The suppression is lifted, so the request cannot be cancelled; suppress again with a SUPPRESS_ONLY regulation."""


def cancel_refusal(kind: int) -> Refused:
    """Why a finished request of a kind cannot be cancelled, and what undoes it where anything does."""
    if kind == RequestKind.SUPPRESS_ONLY:
        return AlreadySuppressed()
    return AlreadyLifted() if kind == RequestKind.UNSUPPRESS else AlreadyErased()
