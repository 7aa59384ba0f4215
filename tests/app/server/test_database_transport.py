"""A database on another host has to prove who it is, unless the operator says otherwise."""

import pytest
from structlog.testing import capture_logs

from app.server.database_transport import require_protected
from app.settings import Settings
from identity.values.errors import Misconfigured

REMOTE = "postgresql://u:secret@db.example.com/d"


def test_attack_161_no_start_with_an_unverified_database() -> None:
    """The refusal says what to add, and nothing of the address."""
    with pytest.raises(Misconfigured) as caught:
        require_protected(Settings(database_url=REMOTE))
    assert "sslmode=verify-full" in str(caught.value)
    assert "secret" not in str(caught.value)
    for url in (None, "postgresql://localhost/d", f"{REMOTE}?sslmode=verify-full"):
        require_protected(Settings(database_url=url))


def test_an_operator_who_allows_it_is_warned() -> None:
    """At every start, in the log."""
    with capture_logs() as lines:
        require_protected(Settings(database_url=REMOTE, database_tls="optional"))
        require_protected(Settings(database_url="postgresql://localhost/d", database_tls="optional"))
    assert [line["event"] for line in lines] == ["database.unverified"]
