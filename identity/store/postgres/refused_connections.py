"""Says why a connection to Postgres failed, in words that name what to correct.

libpq gives no error code for a connection that fails, only a text, which may quote the address. The text is matched
here and never repeated: a message names the variable and what to do.
"""

import re
from typing import Final

UNREACHABLE: Final = "The database cannot be reached; check ONEFOLD_DATABASE_URL and that the server runs."
_REASONS: Final = (
    (
        r"password authentication failed|(scram|md5|ldap|gssapi|pam|radius|cert\w*) authentication failed",
        "The database refuses the password in ONEFOLD_DATABASE_URL, or does not know its role; correct them.",
    ),
    (
        r"no password supplied|fe_sendauth",
        "The database asks for a password, and ONEFOLD_DATABASE_URL has none; add it: postgresql://role:password@host/name.",
    ),
    (
        r"no pg_hba\.conf entry|pg_hba\.conf rejects",
        (
            "The database does not let this role in from this host; add an entry to its pg_hba.conf, or correct "
            "ONEFOLD_DATABASE_URL (a server may also demand sslmode=require)."
        ),
    ),
    (
        r"database \"[^\"]*\" does not exist",
        "The server has no database of the name in ONEFOLD_DATABASE_URL; create it with createdb, or correct the name.",
    ),
    (
        r"role \"[^\"]*\" does not exist",
        "The server has no role of the name in ONEFOLD_DATABASE_URL; create it with createuser, or correct the name.",
    ),
    (
        r"peer authentication failed|ident authentication failed",
        (
            "The database demands that the account of the system has the name of the role; use that account, or "
            "give ONEFOLD_DATABASE_URL a host and a password."
        ),
    ),
    (
        r"too many clients|remaining connection slots|too many connections",
        "The database has no connection left; raise its max_connections, or stop other clients.",
    ),
    (
        r"is starting up|is shutting down|not yet accepting connections",
        "The database is starting or stopping; try again in a moment.",
    ),
    (
        r"could not translate host name|Name or service not known|nodename nor servname|failed to resolve host",
        "The host in ONEFOLD_DATABASE_URL is unknown; correct it.",
    ),
    (
        r"server does not support SSL|certificate|SSL error",
        "The encrypted connection to the database fails; check sslmode and sslrootcert in ONEFOLD_DATABASE_URL.",
    ),
    (
        r"Connection refused|No such file or directory",
        "Nothing listens at the host and port of ONEFOLD_DATABASE_URL; start the database, or correct them.",
    ),
    (
        r"timeout expired|timed out",
        "The database does not answer in time; check host and port in ONEFOLD_DATABASE_URL, and firewalls between.",
    ),
    (
        r"invalid (?:port|connection option|URI|sslmode|percent)|missing \"=\"",
        "ONEFOLD_DATABASE_URL cannot be understood; write postgresql://role:password@host:5432/database.",
    ),
)


def reason_of(error: BaseException, otherwise: str = UNREACHABLE) -> str:
    """What to correct so that a connection succeeds; `otherwise` for a failure that is not recognised."""
    text = str(error)
    return next((message for pattern, message in _REASONS if re.search(pattern, text, re.IGNORECASE)), otherwise)
