"""How a key is read from a header."""

import base64

import pytest

from app.http.auth import secret


def basic(pair: str) -> bytes:
    """A Basic header."""
    return b"Basic " + base64.b64encode(pair.encode())


@pytest.mark.parametrize(
    "header",
    [b"Bearer of_a", b"bearer  of_a ", basic("of_a:"), basic("of_a"), basic("of_a:password"), b"basic b2ZfYQ=="],
)
def test_read(header: bytes) -> None:
    """A key comes as Bearer, or as the user name of Basic."""
    assert secret(header) == "of_a"


@pytest.mark.parametrize("header", [b"", b"Basic", b"Basic %%%", b"Digest of_a", b"of_a", b"Basic " + b"\xff" * 4])
def test_unreadable(header: bytes) -> None:
    """A header that cannot be read is an empty key, not a missing one."""
    assert secret(header) == ""


def test_missing() -> None:
    """No header is no key."""
    assert secret(None) is None
