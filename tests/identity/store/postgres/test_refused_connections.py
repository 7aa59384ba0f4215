"""A connection that fails is explained by what has to be corrected, and nothing of the address is repeated."""

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from identity.store.embedded.server import EmbeddedPostgres
from identity.store.postgres.refused_connections import UNREACHABLE, reason_of

SECRET = "planted-7f3a"
TEXTS = {
    'connection failed: FATAL:  password authentication failed for user "planted-7f3a"': "refuses the password",
    "fe_sendauth: no password supplied": "asks for a password",
    'FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "planted-7f3a"': "pg_hba.conf",
    'FATAL:  database "planted-7f3a" does not exist': "no database of the name",
    'FATAL:  role "planted-7f3a" does not exist': "no role of the name",
    'FATAL:  Peer authentication failed for user "planted-7f3a"': "account of the system",
    "FATAL:  sorry, too many clients already": "no connection left",
    "FATAL:  the database system is starting up": "starting or stopping",
    "failed to resolve host 'planted-7f3a': [Errno -2] Name or service not known": "host in ONEFOLD_DATABASE_URL",
    "server does not support SSL, but SSL was required": "encrypted connection",
    "connection to server at 10.0.0.1, port 5 failed: Connection refused": "Nothing listens",
    "connection timeout expired": "in time",
}


@pytest.mark.parametrize(("text", "says"), TEXTS.items())
def test_the_reason_says_what_to_correct(text: str, says: str) -> None:
    """It names the variable or the server, and no value."""
    reason = reason_of(psycopg.OperationalError(text))

    assert says in reason
    assert reason != UNREACHABLE
    assert SECRET not in reason


def test_an_unknown_failure_cannot_be_reached() -> None:
    """The plain message stays for it."""
    assert reason_of(psycopg.OperationalError("something else")) == UNREACHABLE


def test_failures_of_a_real_server_are_recognised(postgres: EmbeddedPostgres) -> None:
    """A database that is not there, and a port where nothing listens."""
    for wrong, says in (
        (make_conninfo(postgres.url(), dbname=SECRET), "no database of the name"),
        (make_conninfo(postgres.url(), user=SECRET), "no role of the name"),
        ("postgresql://u:p@127.0.0.1:9/d", "Nothing listens"),
        ("postgresql://u:p@no-such-host.invalid/d", "host in ONEFOLD_DATABASE_URL"),
    ):
        with pytest.raises(psycopg.OperationalError) as refused:
            psycopg.connect(wrong, connect_timeout=5)
        assert says in reason_of(refused.value), str(refused.value)
