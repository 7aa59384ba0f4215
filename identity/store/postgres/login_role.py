"""The role that servers log in as: a member of `onefold_app`, and of nothing else that could change the schema.

A server works as `onefold_app` in any case. One that logs in as the owner could return to the owner's role, and so
could SQL that somebody makes it run; a role of this module has no way there.
"""

import re
import secrets
from typing import Final, NamedTuple

import psycopg
from psycopg import sql

from identity.store.postgres.refused_connections import reason_of
from identity.values.database_roles import APP_ROLE
from identity.values.errors import Misconfigured

_NAME: Final = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,62}")
_BAD_NAME: Final = (
    "A login role needs a name of at most 63 lower-case letters, digits and underscores that does not begin with pg_ "
    f"and is not {APP_ROLE}, for example onefold_server."
)
_TOO_MIGHTY: Final = (
    "The role {0} may do more than a server should: it is, or can become, a superuser, the owner of the tables, or a "
    "role that makes roles or bypasses row security. Choose another name; `onefold migrate` makes the role."
)
_RIGHTS: Final = (
    "The role named in ONEFOLD_DATABASE_URL may not make or change the role {0}. Let a superuser run: "
    f"CREATE ROLE {{0}} LOGIN PASSWORD '<a password>'; GRANT {APP_ROLE} TO {{0}};"
)
# Of each role that a role is or can become.
_MIGHTY: Final = """
SELECT EXISTS (
    SELECT FROM pg_roles r WHERE pg_has_role(l.oid, r.oid, 'MEMBER') AND (
        r.rolsuper OR r.rolcreaterole OR r.rolbypassrls
        OR r.oid = (SELECT datdba FROM pg_database WHERE datname = current_database())
        OR EXISTS (
            SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
            AND c.relowner = r.oid
        )
    )
) FROM pg_roles l WHERE l.rolname = %s
"""


class LoginRole(NamedTuple):
    """A role for servers; `password` where this call made it up, None where it was given or stays."""

    name: str
    password: str | None


def can_become_owner(url: str) -> bool:
    """Whether the role of an address is, or can become, a superuser or the owner of the tables. Misconfigured."""
    try:
        with psycopg.connect(url) as connection:
            found = connection.execute(_MIGHTY, [connection.info.user]).fetchone()
    except psycopg.OperationalError as error:
        raise Misconfigured(reason_of(error)) from error
    return bool(found and found[0])


def ensure(owner_url: str, name: str, password: str | None = None) -> LoginRole:
    """Make a login role for servers, or check one that is there. Misconfigured where it could become the owner.

    A role that is there keeps its password unless one is given. The server gets a hash of it, so that no log of
    statements has it.
    """
    if not _NAME.fullmatch(name) or name == APP_ROLE:
        raise Misconfigured(_BAD_NAME)
    try:
        with psycopg.connect(owner_url) as connection:
            return _ensure(connection, name, password)
    except psycopg.errors.InsufficientPrivilege as error:
        raise Misconfigured(_RIGHTS.format(name)) from error


def _ensure(connection: psycopg.Connection, name: str, password: str | None) -> LoginRole:
    found = connection.execute(_MIGHTY, [name]).fetchone()
    if found and found[0]:
        raise Misconfigured(_TOO_MIGHTY.format(name))
    made_up = secrets.token_urlsafe(24) if found is None and password is None else None
    role = sql.Identifier(name)
    if found is None:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS").format(role)
        )
    if given := password or made_up:
        hashed = connection.pgconn.encrypt_password(given.encode(), name.encode(), b"scram-sha-256").decode()
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(hashed)))
    connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(APP_ROLE), role))
    database = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, role))
    return LoginRole(name, made_up)
