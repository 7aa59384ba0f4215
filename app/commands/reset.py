"""`onefold reset`: destroys a data directory, so that the next start begins with nothing.

Invariant: nothing is destroyed while a process uses the directory, and nothing beside the entries that Onefold makes.
"""

import shutil
from pathlib import Path

from rich.console import Console

from app.commands.demo import SPACE_FILE
from app.settings import ROOT_KEY_FILE, TOKEN_FILE, Settings, forget_libpq
from identity.values.errors import Misconfigured
from identity.values.extras import extra

_EXTERNAL = (
    "ONEFOLD_DATABASE_URL is set, and onefold reset destroys an embedded database only. Drop that database with the "
    "tools of its server, and delete its key store."
)
_CONTENTS = {
    "postgres": "the database, with every profile",
    "keys": "the key store: no backup of this database can be read without a copy of it",
    ROOT_KEY_FILE: "the root key: no backup of the key store can be read without a copy of it",
    TOKEN_FILE: "the operator token",
    SPACE_FILE: "the API keys of the demo space",
    "postgres-log": "the logs of Postgres",
    "postgres-conf": "the settings of Postgres",
    "postgres-start.log": "the log of its last start",
    "owner.lock": "the lock of the directory",
}
_UNFINISHED = "postgres.new-*"
_out = Console(highlight=False, soft_wrap=True)


def run(settings: Settings, *, confirm: bool) -> None:
    """List what a reset destroys, and with `confirm` destroy it. Misconfigured."""
    if settings.database_url:
        raise Misconfigured(_EXTERNAL)
    root = settings.data_dir.expanduser().resolve()
    found = [name for name in _CONTENTS if (root / name).exists()]
    if not (root / "postgres").exists() and not (root / "keys").exists():
        raise Misconfigured(f"There is nothing to reset in {root}; name a data directory with --data-dir.")
    with extra("embedded"):
        from identity.store.embedded.server import EmbeddedPostgres

    forget_libpq()
    postgres = EmbeddedPostgres(root)
    postgres.claim()
    try:
        _list(root, found, confirm=confirm)
    finally:
        # A database that outlived its server ends here too.
        postgres.stop()
    if not confirm:
        raise Misconfigured("Nothing was destroyed. Add --confirm to destroy it.")
    postgres.claim()
    try:
        _destroy(root, found)
    finally:
        postgres.stop()
    _out.print("The next start begins with an empty database and new keys. Exports and backups elsewhere stay.")


def _list(root: Path, names: list[str], *, confirm: bool) -> None:
    _out.print(f"{'Destroying' if confirm else 'A reset destroys'}, in {root}:", markup=False)
    for name in names:
        _out.print(f"  {name}: {_CONTENTS[name]}", markup=False)


def _destroy(root: Path, names: list[str]) -> None:
    """Delete these entries, the keys first: from then on nobody can read the rest."""
    first = ("keys", ROOT_KEY_FILE)
    for name in sorted(names, key=lambda name: name not in first):
        path = root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in root.glob(_UNFINISHED):
        shutil.rmtree(path)
    if not any(root.iterdir()):
        root.rmdir()
