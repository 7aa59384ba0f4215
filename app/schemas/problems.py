"""The shape of an error on the native surface."""

from msgspec import Struct


class Problem(Struct):
    """An error (RFC 9457). `code` is stable, `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
