"""Brings a database to the schema of this version, as its owner.

Only this module and the migrations ever act as the owner; the service itself works under the
role `onefold_app`, which may neither change the schema nor rewrite the audit. Alembic and SQLAlchemy
take longer to load than the rest of the service, so they are imported only where there is a migration to run.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from identity.store.postgres.owner_address import showing_all_spaces
from identity.store.postgres.refused_connections import reason_of
from identity.store.postgres.unfinished_restore import require_finished, require_finished_on
from identity.values.database_roles import APP_ROLE
from identity.values.errors import Misconfigured

if TYPE_CHECKING:
    import sqlalchemy as sa
    from alembic.config import Config

# Beside the package, in a checkout as where a wheel is installed.
_MIGRATIONS = Path(str(files("identity"))).with_name("migrations")
_RIGHTS = (
    "The role named in ONEFOLD_DATABASE_URL must own the database and may create roles; or let a superuser run: "
    f"CREATE ROLE {APP_ROLE} NOLOGIN; GRANT {APP_ROLE} TO <that role>; "
    "ALTER DATABASE <the database> OWNER TO <that role>;"
)
_NOT_OWNER = (
    "The database has another schema than this version, and the role named in ONEFOLD_DATABASE_URL may not change it. "
    "Run `onefold migrate` of this version with the address of the owner, then start the servers."
)
_NO_MEMBER = (
    "The role named in ONEFOLD_DATABASE_URL may not read the database. Let the owner run: "
    f"GRANT {APP_ROLE} TO <that role>;"
)
_LOCK = 0x0F01D  # any number; it keeps two processes from migrating at once


def migrate(owner_url: str) -> None:
    """Upgrades to the newest revision. Safe to call from several processes, and again."""
    if not needs_migration(owner_url):
        return
    _require_owner(owner_url)
    import sqlalchemy as sa
    from alembic import command

    with _owner(owner_url) as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        try:
            command.upgrade(_config(connection), "head")
        except sa.exc.ProgrammingError as error:
            if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
                raise Misconfigured(_RIGHTS) from error
            raise
        finally:
            connection.rollback()
            connection.execute(sa.text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})


def check(owner_url: str) -> None:
    """Raises if the migrations and the declared tables differ (Alembic says in what)."""
    from alembic import command

    with _owner(owner_url) as connection:
        command.check(_config(connection))


def migrate_finished(owner_url: str) -> None:
    """Upgrades to the newest revision. Misconfigured while a restore has not ended."""
    if not _is_current(owner_url):
        migrate(owner_url)
        require_finished(owner_url)


def needs_migration(url: str) -> bool:
    """Whether the database is at another revision than this version's newest."""
    with _asking(url) as connection:
        return not _is_newest(connection)


def _require_owner(url: str) -> None:
    """Misconfigured where the tables of Onefold are there and belong to a role that this one cannot act for."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('alembic_version')"
        ).fetchone()
    if found is not None and not found[0]:
        raise Misconfigured(_NOT_OWNER)


def newest() -> str:
    """The newest revision of this version: the file name of a migration begins with its revision."""
    return max(path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


def require_current(url: str) -> None:
    """Raises Misconfigured unless the database is at this version's newest revision, and no restore is unfinished."""
    if not _is_current(url):
        raise Misconfigured("The database has another schema than this version; run `onefold migrate`.")


def is_declared(item: Any, _name: str | None, type_: str, reflected: bool, _to: Any) -> bool:  # noqa: FBT001
    """Whether Alembic compares an object: partitions of `event` are made by the service."""
    name = item.name if type_ == "table" else item.table.name if hasattr(item, "table") else ""
    return not (reflected and str(name).startswith("event_"))


def _is_current(url: str) -> bool:
    """Whether the database is at the newest revision. Misconfigured if it is, and a restore has not ended."""
    with _asking(url) as connection:
        if not _is_newest(connection):
            return False
        require_finished_on(connection)
    return True


def _is_newest(connection: psycopg.Connection) -> bool:
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except psycopg.errors.UndefinedTable:
        connection.rollback()
        return False
    return row is not None and row[0] == newest()


@contextmanager
def _asking(url: str) -> Iterator[psycopg.Connection]:
    try:
        with psycopg.connect(url) as connection:
            yield connection
    except psycopg.errors.InsufficientPrivilege as error:
        raise Misconfigured(_NO_MEMBER) from error
    except psycopg.OperationalError as error:
        raise Misconfigured(reason_of(error)) from error


@contextmanager
def _owner(url: str) -> Iterator["sa.Connection"]:
    """An SQLAlchemy connection to a libpq URL, which goes to libpq untouched."""
    import sqlalchemy as sa

    engine = sa.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(showing_all_spaces(url)), poolclass=sa.pool.NullPool
    )
    try:
        connection = engine.connect()
    except sa.exc.OperationalError as error:
        raise Misconfigured(reason_of(error)) from error
    with connection:
        yield connection
    engine.dispose()


def _config(connection: "sa.Connection") -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config
