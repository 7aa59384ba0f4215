"""The error shape of Segment's Profile API."""

from msgspec import Struct


class ApiFailure(Struct):
    """An error."""

    code: str
    message: str


class ApiError(Struct):
    """An error of the Profile API."""

    error: ApiFailure
