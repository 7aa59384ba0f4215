"""The key of a request is an id of its own, never a placeholder."""

import pytest

from app.http.error_responses import Unreadable
from app.http.idempotency import read_key


def test_a_placeholder_is_no_key() -> None:
    """Two programs that send `undefined` would be one request."""
    assert read_key("order-1") == "order-1"
    assert read_key(None) is None
    for placeholder in ("undefined", "null", "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(Unreadable) as refused:
            read_key(placeholder)
        assert placeholder not in str(refused.value)
