"""The header Idempotency-Key: a request with the key of an earlier one is that request.

A placeholder is refused. A program that sends `undefined` has no key, and all its requests would be the first one.
"""

from typing import Annotated, Final

from fastapi import Depends, Header

from app.http.error_responses import Unreadable
from identity.values.placeholders.placeholder_values import is_placeholder

_PLACEHOLDER: Final = (
    "The header `idempotency-key` is a placeholder, which programs send in place of a missing value, so different "
    "requests would count as one; send an id of the request, or no header."
)


def read_key(idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None) -> str | None:
    """The key of a request; None without the header. Unreadable for a placeholder."""
    if idempotency_key is not None and is_placeholder(idempotency_key):
        raise Unreadable("invalid_request", _PLACEHOLDER, 422)
    return idempotency_key


IdempotencyKey = Annotated[str | None, Depends(read_key)]
