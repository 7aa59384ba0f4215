"""A cluster with a database of the newest schema, made once for all processes of a run, and copies of it.

A server that starts on an empty data directory runs initdb and every migration, seven times the work of a start on a
copy. `tests/identity/store/embedded/test_server.py`, `tests/app/test_cli.py`, `tests/app/commands/test_demo.py` and
`tests/end_to_end/test_docs.py` start on an empty one.
"""

import fcntl
import subprocess
from pathlib import Path
from typing import Final

import psycopg

from identity.store.embedded.data_directory import SUPERUSER
from identity.store.embedded.server import OWNER_ROLE, EmbeddedPostgres
from identity.store.postgres.schema import migrate
from identity.values.database_roles import APP_ROLE

_CLUSTER = "postgres"
_READY = "ready"
# What a test asks the owner about is in all spaces; the sessions of a server name their space themselves.
_SHOW_ALL: Final = f"ALTER ROLE {OWNER_ROLE} SET onefold.space = '*'"
# As an owner has that made the role by a migration of its own database.
_ADMINISTER: Final = f"GRANT {APP_ROLE} TO {OWNER_ROLE} WITH ADMIN OPTION"


def prepare(folder: Path) -> Path:
    """Make the cluster in this folder, which processes may share: the first one does it, the others wait."""
    folder.mkdir(mode=0o711, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / _READY).exists():
            with EmbeddedPostgres(folder / "data") as postgres:
                migrate(postgres.url())
                with psycopg.connect(postgres.url(SUPERUSER, SUPERUSER)) as connection:
                    connection.execute(_SHOW_ALL)
                    connection.execute(_ADMINISTER)
            (folder / _READY).touch()
    return folder / "data"


def copy(prepared: Path, data_dir: Path) -> Path:
    """Give a data directory, new or empty, the cluster; returns the directory."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", prepared / _CLUSTER, data_dir / _CLUSTER], check=True)
    return data_dir
