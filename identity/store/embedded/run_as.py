"""Who runs Postgres when Onefold itself runs as root, and how that account reaches its files.

Postgres refuses to run as root. The account gets the least it needs: to pass through the folders
above its own (an access list entry for it alone, never a folder opened to everybody that is not
ours), and a copy of the programs where it cannot read the originals. It never owns a folder in
which root writes.
"""

import errno
import os
import pwd
import shutil
import stat
import struct
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from identity.values.errors import Misconfigured

NAME = "onefold-postgres"
CACHE = Path("/var/cache/onefold")

_ACCESS_LIST = "system.posix_acl_access"
_HEADER, _ENTRY = struct.Struct("<I"), struct.Struct("<HHI")
_OWNER, _USER, _OWNING_GROUP, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_ENTER, _VERSION, _NOBODY = 1, 2, 0xFFFFFFFF
_READ_AND_RUN = stat.S_IROTH | stat.S_IXOTH


class Account(NamedTuple):
    """An account of this machine that Postgres runs under."""

    name: str
    uid: int
    gid: int


def account(cluster: Path) -> Account | None:
    """The account to switch to, made if need be; None when this process is not root.

    A cluster that exists already is run by whoever owns it. Raises Misconfigured if the account
    cannot be made or the cluster belongs to somebody else.
    """
    owner = cluster.stat().st_uid if cluster.exists() else None
    if (me := os.geteuid()) != 0:
        if owner not in (None, me):
            raise Misconfigured(f"The database in {cluster} belongs to another user; start Onefold as that user.")
        return None
    entry = pwd.getpwuid(owner) if owner else _made()
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


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


def open_way(folder: Path, own: Path, who: Account) -> None:
    """Let the account pass through `folder` and every folder above it, without listing any.

    `own` is the topmost folder that is Onefold's: where the file system has no access lists, that
    and what is below is opened for passing through; above it Misconfigured names the folder.
    """
    for each in (folder, *folder.parents):
        if can_enter(each, who):
            continue
        try:
            _grant(each, who)
        except OSError as refused:
            if refused.errno not in (errno.ENOTSUP, errno.EPERM, errno.EROFS, errno.EINVAL):
                raise
            if not each.is_relative_to(own):
                raise Misconfigured(
                    f"Postgres cannot run as root, and the account {who.name} cannot pass through {each}; "
                    f"choose another data directory, or run: chmod o+x {each}"
                ) from refused
            each.chmod(each.stat().st_mode | stat.S_IXOTH)


def readable_copy(programs: Path, libraries: Path, who: Account) -> Path:
    """The programs themselves if the account can run them, else a copy that it can run.

    The programs find their libraries by the path from one to the other, which the copy keeps.
    """
    checked = [programs, programs / "bin", programs / "bin" / "postgres", programs / "share", libraries]
    if all(each.stat().st_mode & _READ_AND_RUN == _READ_AND_RUN for each in checked if each.exists()) and all(
        can_enter(each, who) for each in (*programs.parents, libraries)
    ):
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


def can_enter(folder: Path, who: Account) -> bool:
    """Whether the account may pass through a folder (not: through those above it)."""
    about = folder.stat()
    if about.st_uid == who.uid:
        return bool(about.st_mode & stat.S_IXUSR)
    if about.st_gid == who.gid:
        return bool(about.st_mode & stat.S_IXGRP)
    return bool(about.st_mode & stat.S_IXOTH) or _granted(folder, who)


def _granted(folder: Path, who: Account) -> bool:
    entries = _entries(folder)
    masked = entries.get((_MASK, _NOBODY), 7)
    return bool(entries.get((_USER, who.uid), 0) & masked & _ENTER)


def _entries(folder: Path) -> dict[tuple[int, int], int]:
    if not hasattr(os, "getxattr"):  # not Linux
        return {}
    try:
        data = os.getxattr(folder, _ACCESS_LIST)
    except OSError:
        return {}
    return {(tag, number): rights for tag, rights, number in _ENTRY.iter_unpack(data[_HEADER.size :])}


def _grant(folder: Path, who: Account) -> None:
    if not hasattr(os, "setxattr"):
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
    mode = folder.stat().st_mode
    entries = _entries(folder) or {
        (_OWNER, _NOBODY): mode >> 6 & 7,
        (_OWNING_GROUP, _NOBODY): mode >> 3 & 7,
        (_OTHER, _NOBODY): mode & 7,
    }
    mask = entries.get((_MASK, _NOBODY), 7)
    # The mask has to let our entry through; what it held back from others is taken from them
    # first, so that nobody else gains anything.
    for (tag, number), rights in entries.items():
        if tag in (_USER, _OWNING_GROUP, _GROUP):
            entries[tag, number] = rights & mask
    entries[_USER, who.uid] = entries.get((_USER, who.uid), 0) | _ENTER
    shared = (_USER, _OWNING_GROUP, _GROUP)
    needed = 0
    for (tag, _), rights in entries.items():
        needed |= rights if tag in shared else 0
    entries[_MASK, _NOBODY] = needed
    body = b"".join(_ENTRY.pack(tag, entries[tag, number], number) for tag, number in sorted(entries))
    os.setxattr(folder, _ACCESS_LIST, _HEADER.pack(_VERSION) + body)
