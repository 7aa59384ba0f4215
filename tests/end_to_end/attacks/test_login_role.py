"""Attack 230: SQL that a server is made to run cannot make its role the owner of the tables."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.commands.migrate import address_for
from identity.store.embedded.data_directory import SUPERUSER
from identity.store.embedded.server import OWNER_ROLE, EmbeddedPostgres
from identity.store.postgres import login_role, schema
from identity.store.postgres.database import Database
from identity.values.database_roles import APP_ROLE
from identity.values.errors import Misconfigured
from identity.values.ids import SpaceNumber
from tests.app.conftest import new_shop
from tests.conftest import ONEFOLD, Running, administer, launch
from tests.support.processes.command_line import onefold

GIVEN = "a-password-of-the-test"
STATEMENTS = (
    f"SET ROLE {OWNER_ROLE}",
    f"SET SESSION AUTHORIZATION {OWNER_ROLE}",
    f"SET ROLE {SUPERUSER}",
    f"RESET ROLE; SET ROLE {OWNER_ROLE}",
    "SET ROLE NONE; ALTER TABLE profile DISABLE ROW LEVEL SECURITY",
    "SET ROLE NONE; ALTER TABLE profile NO FORCE ROW LEVEL SECURITY",
    "SET ROLE NONE; DROP POLICY by_space ON profile",
    "SET ROLE NONE; ALTER POLICY by_space ON profile USING (true)",
    "SET ROLE NONE; CREATE POLICY own ON profile USING (true)",
    "SET ROLE NONE; SELECT onefold_by_space('profile')",
    "SET ROLE NONE; SET row_security = off; SELECT FROM profile",
    "SET ROLE NONE; UPDATE ledger SET entry = ''",
    "SET ROLE NONE; DROP TABLE profile",
    "SET ROLE NONE; CREATE TABLE own (id int)",
    "SET ROLE NONE; ALTER ROLE CURRENT_USER BYPASSRLS",
    f"SET ROLE NONE; GRANT {OWNER_ROLE} TO {APP_ROLE}",
    f"RESET SESSION AUTHORIZATION; SET ROLE {OWNER_ROLE}",
)


@pytest.fixture
def name(postgres: EmbeddedPostgres, database: str) -> Iterator[str]:
    """A name for a login role, which is gone after the test."""
    made = f"login_{conninfo_to_dict(database)['dbname']}"
    yield made
    with psycopg.connect(make_conninfo(database, user=SUPERUSER), autocommit=True) as superuser:
        if superuser.execute("SELECT FROM pg_roles WHERE rolname = %s", [made]).rowcount:
            superuser.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(made)))
            administer(postgres, sql.SQL("DROP ROLE {}").format(sql.Identifier(made)))


@pytest.fixture
def login(database: str, name: str) -> str:
    """The address for servers of the test's database."""
    return address_for(database, login_role.ensure(database, name))


def log_of(running: Running) -> str:
    """What a server has logged."""
    return running.data_dir.with_name(running.data_dir.name + ".log").read_text()


def test_attack_230_no_statement_makes_a_server_the_owner(
    postgres: EmbeddedPostgres, database: str, login: str
) -> None:
    """Neither with the role that `onefold migrate --login` makes, nor with that of the embedded database."""
    embedded = postgres.url(str(conninfo_to_dict(database)["dbname"]), APP_ROLE)
    for url in (login, embedded):
        with psycopg.connect(url, autocommit=True, options=f"-c role={APP_ROLE}") as session:
            for statement in STATEMENTS:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    session.execute(statement.encode())
                session.execute("SET ROLE NONE")
                assert session.execute("SELECT current_user").fetchone() == (conninfo_to_dict(url)["user"],), statement
                session.execute(f"SET ROLE {APP_ROLE}".encode())


def test_attack_230_a_server_serves_with_a_login_of_its_own(server: Callable[..., Running], login: str) -> None:
    """It needs no right of the owner, not even to make partitions and to keep its books."""
    running = server(ONEFOLD_DATABASE_URL=login)
    with httpx.Client(base_url=running.url, timeout=60) as client:
        shop = new_shop(client, {"Authorization": f"Bearer {running.admin_token}"})
        sent = shop.ask("POST", "/v1/identify", "write", json={"userId": "ann", "traits": {"plan": "pro"}})
        read = shop.ask("GET", "/v1/profiles/user_id:ann", "profiles")

        assert (sent.status_code, read.json()["traits"]) == (200, {"plan": "pro"})
        assert client.get("/readyz").status_code == 200
    assert "database.owner_login" not in log_of(running)


def test_attack_230_servers_of_the_embedded_database_log_in_as_the_service(
    migrated_data: Path, processes: list[Running]
) -> None:
    """By themselves; only the migration before the start is the owner's."""
    processes.append(launch([*ONEFOLD, "serve"], migrated_data))
    postgres = EmbeddedPostgres(migrated_data)
    postgres.attach()
    with psycopg.connect(postgres.url(SUPERUSER, SUPERUSER)) as superuser:
        found = superuser.execute("SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'onefold'")
        assert found.fetchall() == [(APP_ROLE,)]


def test_attack_230_a_login_as_owner_or_superuser_is_noticed(
    server: Callable[..., Running], database: str, login: str
) -> None:
    """In a line of the log at every start."""
    assert "database.owner_login" in log_of(server())
    assert [login_role.can_become_owner(url) for url in (login, database, make_conninfo(database, user=SUPERUSER))] == [
        False, True, True,
    ]  # fmt: skip


def test_a_role_that_could_become_the_owner_is_refused(database: str, name: str) -> None:
    """As are names that mean another role."""
    with psycopg.connect(make_conninfo(database, user=SUPERUSER), autocommit=True) as superuser:
        superuser.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        for power in (f"GRANT {OWNER_ROLE} TO {name}", f"ALTER ROLE {name} CREATEROLE"):
            superuser.execute(power.encode())
            with pytest.raises(Misconfigured, match="may do more than a server should"):
                login_role.ensure(database, name)
            superuser.execute(f"REVOKE {OWNER_ROLE} FROM {name}".encode())
    for bad in (APP_ROLE, "pg_server", "Server", "a b", "", "x" * 64, OWNER_ROLE, SUPERUSER):
        with pytest.raises(Misconfigured):
            login_role.ensure(database, bad)


def test_the_command_prints_the_address_for_servers_once(database: str, name: str) -> None:
    """A password that is given is not shown, and one that is there stays; the server keeps a hash."""

    def stored() -> str:
        with psycopg.connect(make_conninfo(database, user=SUPERUSER)) as superuser:
            row = superuser.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [name]).fetchone()
        assert row is not None
        return str(row[0])

    status, out, _ = onefold("migrate", "--login", name, ONEFOLD_DATABASE_URL=database)
    made = next(line for line in out.splitlines() if line.startswith("ONEFOLD_DATABASE_URL="))
    first = stored()
    assert (status, first[:13]) == (0, "SCRAM-SHA-256")
    info = conninfo_to_dict(made.partition("=")[2])
    assert (info["user"], info["dbname"]) == (name, conninfo_to_dict(database)["dbname"])
    assert len(str(info["password"])) == 32

    _, out, _ = onefold("migrate", "--login", name, ONEFOLD_DATABASE_URL=database)
    assert f"{name}:<password>@" in out
    assert stored() == first

    _, out, _ = onefold("migrate", "--login", name, ONEFOLD_DATABASE_URL=database, ONEFOLD_LOGIN_PASSWORD=GIVEN)
    assert GIVEN not in out
    assert stored() != first


def test_the_address_for_servers_keeps_the_rest_of_the_owners() -> None:
    """Host, database and the way of the connection; not the owner's password, wherever it stands."""
    made = login_role.LoginRole("srv", "p/w")
    owner = "postgresql://boss:secret@db:5433/cdp?sslmode=verify-full&password=secret&sslrootcert=/ca.pem&user=boss"
    assert address_for(owner, made) == "postgresql://srv:p%2Fw@db:5433/cdp?sslmode=verify-full&sslrootcert=/ca.pem"


def test_a_login_that_cannot_migrate_says_who_can(database: str, login: str) -> None:
    """On a current schema it has nothing to do."""
    schema.migrate(login)
    schema.require_current(login)
    with psycopg.connect(database) as owner:
        owner.execute("UPDATE alembic_version SET version_num = '0015'")
    with pytest.raises(Misconfigured, match="with the address of the owner"):
        schema.migrate(login)


def test_a_role_outside_of_the_service_may_not_read(postgres: EmbeddedPostgres, database: str, name: str) -> None:
    """The refusal says what the owner has to grant."""
    administer(postgres, sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
    with pytest.raises(Misconfigured, match=f"GRANT {APP_ROLE} TO"):
        schema.needs_migration(make_conninfo(database, user=name))


async def test_attack_230_the_service_sees_a_space_whatever_default_its_login_has(
    postgres: EmbeddedPostgres, database: str, name: str
) -> None:
    """A default of the role that shows all spaces does not count: each session of the service names its own."""
    url = address_for(database, login_role.ensure(database, name))
    administer(postgres, sql.SQL("ALTER ROLE {} SET onefold.space = '*'").format(sql.Identifier(name)))
    opened = Database(url, readers=1)
    await opened.open()
    try:
        for of, expected in ((opened, ""), (opened.of_space(SpaceNumber(7)), "7")):
            async with of.reading() as connection:
                found = await connection.execute("SELECT current_setting('onefold.space')")
                assert await found.fetchone() == (expected,)
            writer = await of.writer()
            found = await writer.execute("SELECT current_setting('onefold.space')")
            assert await found.fetchone() == (expected,)
            await writer.close()
    finally:
        await opened.close()
