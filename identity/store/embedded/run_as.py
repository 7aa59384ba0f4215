"""Chooses the account that runs Postgres where Onefold runs as root, and lets the account reach its files.

Postgres refuses to run as root. The account gets the least it needs: passage through the folders above its own, and a
copy of the programs where the originals are unreadable. The account never owns a folder in which root writes.
"""

import errno
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from identity.values.errors import Misconfigured

NAME = "onefold-postgres"
CACHE = Path("/var/cache/onefold")


class UserAccount(NamedTuple):
    """An account of this machine that Postgres runs under."""

    name: str
    uid: int
    gid: int


def account(cluster: Path) -> UserAccount | None:
    """The account to switch to, made if need be; None when this process is not root.

    A cluster that exists runs as its owner. Raises Misconfigured if the account
    cannot be made or the cluster belongs to somebody else.
    """
    owner = cluster.stat().st_uid if cluster.exists() else None
    if (me := os.geteuid()) != 0:
        if owner not in (None, me):
            raise Misconfigured(f"The database in {cluster} belongs to another user; start Onefold as that user.")
        return None
    entry = pwd.getpwuid(owner) if owner else _made()
    return UserAccount(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _made() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        pass
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    try:
        subprocess.run(  # noqa: S603 a constant command
            [*command, "--shell", "/usr/sbin/nologin", NAME], check=True, capture_output=True
        )
        return pwd.getpwnam(NAME)
    except (OSError, subprocess.SubprocessError, KeyError) as failure:
        raise Misconfigured(
            f"Postgres cannot run as root and the account {NAME} could not be made; "
            "start Onefold as an ordinary user, or set ONEFOLD_DATABASE_URL."
        ) from failure


def open_way(folder: Path, who: UserAccount) -> None:
    """Let the account pass through `folder` and every folder above it, without listing any.

    A closed folder goes to the group of the account, which has no other member, and only where its own
    group is root's or has no right to it: nobody else gains or loses anything. Misconfigured names any other.
    """
    for each in (*reversed(folder.parents), folder):
        if may(who, "-x", each):
            continue
        about = each.stat()
        try:
            # Rights of root's own group may go: root needs none.
            if about.st_gid and about.st_mode & stat.S_IRWXG:
                raise PermissionError(errno.EPERM, "its group has rights to it")
            os.chown(each, -1, who.gid)
            each.chmod(stat.S_IMODE(about.st_mode) & ~stat.S_IRWXG | stat.S_IXGRP)
        except OSError as refused:
            raise Misconfigured(
                f"Postgres cannot run as root, and the account {who.name} cannot pass through {each}. "
                f"Choose another data directory, run: chmod o+x {each}, or start Onefold as an ordinary user."
            ) from refused


def may(who: UserAccount, right: str, *paths: Path) -> bool:
    """Whether the account has a right (`-r`, `-x`) to each path: a process of the account asks the system."""
    asked = subprocess.run(  # noqa: S603 a constant program, the paths are its arguments
        ["/bin/sh", "-c", f'for each; do [ {right} "$each" ] || exit 1; done', "sh", *map(str, paths)],
        cwd="/", env={}, user=who.uid, group=who.gid, extra_groups=[], check=False,
    )  # fmt: skip
    return asked.returncode == 0


def readable_copy(programs: Path, libraries: Path, who: UserAccount) -> Path:
    """The programs themselves if the account can run them, else a copy that it can run.

    The programs find their libraries by the path from one to the other, which the copy keeps.
    """
    needed = [each for each in (programs / "bin" / "postgres", programs / "share", libraries) if each.exists()]
    if may(who, "-x", *needed) and may(who, "-r", *needed):
        return programs
    original = (programs / "bin" / "postgres").stat()
    mark = sha256(f"{programs}|{original.st_size}|{original.st_mtime_ns}".encode()).hexdigest()[:12]
    copy = CACHE / f"postgres-{mark}"
    home = libraries.parent
    if not copy.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        CACHE.chmod(0o755)  # whatever the umask says
        fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=CACHE))
        for folder in (programs, libraries):
            if folder.exists():
                shutil.copytree(folder, fresh / folder.relative_to(home), symlinks=True)
        for each in (fresh, *fresh.rglob("*")):
            if not each.is_symlink():
                runs = each.is_dir() or each.stat().st_mode & stat.S_IXUSR
                each.chmod(0o755 if runs else 0o644)
        try:
            fresh.rename(copy)
        except OSError:  # another process was faster; its copy is as good
            shutil.rmtree(fresh)
    return copy / programs.relative_to(home)
