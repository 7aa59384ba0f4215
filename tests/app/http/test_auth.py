"""A key is read from an Authorization header."""

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
def test_a_key_is_read_as_bearer_or_as_basic_user_name(header: bytes) -> None:
    """Both schemes that SDKs and people use."""
    assert secret(header) == "of_a"


@pytest.mark.parametrize("header", [b"", b"Basic", b"Basic %%%", b"Digest of_a", b"of_a", b"Basic " + b"\xff" * 4])
def test_an_unreadable_header_is_an_empty_key(header: bytes) -> None:
    """It does not count as a missing one."""
    assert secret(header) == ""


def test_no_header_is_no_key() -> None:
    """None, so that the body may name the key."""
    assert secret(None) is None
