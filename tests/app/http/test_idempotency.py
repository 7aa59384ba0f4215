"""A placeholder in Idempotency-Key is no key."""

import pytest

from app.http.error_responses import Unreadable
from app.http.idempotency import read_key


@pytest.mark.parametrize("key", [None, "case-12", "7", "a" * 255])
def test_a_key_stays_as_it_is(key: str | None) -> None:
    """No header is no key."""
    assert read_key(key) == key


@pytest.mark.parametrize("key", ["null", "Undefined", '"null"', "00000000-0000-0000-0000-000000000000", "nan"])
def test_a_placeholder_is_refused(key: str) -> None:
    """All requests with it would be one."""
    with pytest.raises(Unreadable, match="`idempotency-key` is a placeholder") as refused:
        read_key(key)
    assert (refused.value.code, refused.value.status) == ("invalid_request", 422)
