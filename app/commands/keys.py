"""`onefold keys`: rolls, rotates and backs up keys, and applies them to a restored database."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.settings import Settings
from identity.operations.keys import rotate_index_key
from identity.operations.keys.discard_lost_keys import discard_lost_keys
from identity.operations.keys.dump_key_tables import dump_keys as dump_space
from identity.operations.keys.overlay_key_tables import overlay_space
from identity.operations.keys.roll_epoch_keys import roll as roll_space
from identity.operations.keys.rotate_root_key import rotate_root_key
from identity.operations.spaces import open_spaces
from identity.operations.spaces.run_jobs import Jobs
from identity.spaces.choose_spaces import choose_spaces
from identity.spaces.key_store_comparison import lost_spaces
from identity.spaces.space import Space, Spaces
from identity.spaces.vouched_keys import keys_without_mac, vouch_for_all
from identity.store.spaces.spaces_and_keys import SpaceRow
from identity.values.enums import JobKind, JobState
from identity.values.errors import OnefoldError
from identity.values.ids import public
from identity.vault import root_rotation

_out = Console(highlight=False, soft_wrap=True)
_POLL_SECONDS = 0.2
ProgressCallback = Callable[[int, int], None]
Work = Callable[[Spaces, Space, ProgressCallback], Awaitable[str]]
RowWork = Callable[[Spaces, SpaceRow, ProgressCallback], Awaitable[str]]


def roll(url: str, settings: Settings, space_ids: Sequence[str]) -> None:
    """Roll the epoch key of each space, so that no older database backup can reveal erased people."""

    async def work(spaces: Spaces, space: Space, progress: ProgressCallback) -> str:
        epoch = await roll_space(spaces, space, backup_days=settings.key_backup_days, progress=progress)
        return f"epoch {epoch} is in force, and every older key is destroyed"

    asyncio.run(_for_each_space(url, settings, space_ids, work))


def dump(url: str, settings: Settings, space_ids: Sequence[str]) -> None:
    """Back up the key tables into the key store, and check that every key opens."""

    async def work(spaces: Spaces, space: Space, _progress: ProgressCallback) -> str:
        head = await dump_space(spaces, space)
        return f"{head.subjects} keys of epoch {head.epoch} are backed up and were opened for a test"

    asyncio.run(_for_each_space(url, settings, space_ids, work))


def overlay(url: str, settings: Settings, space_ids: Sequence[str], *, deleted: bool) -> None:
    """Apply the newest key backup to a restored database, before a server starts. Misconfigured while one runs."""

    async def work(spaces: Spaces, row: SpaceRow, _progress: ProgressCallback) -> str:
        named = public("spc", row.public_id) in space_ids
        laid = await overlay_space(spaces, row, deleted=deleted, named=named)
        if laid is None:
            return "was deleted after the backup, and is deleted again"
        if laid.before == laid.epoch:
            return f"the keys are of epoch {laid.epoch} already; nothing to do"
        rebuilds = ", and the server starts with a rebuild, which joins what calls link" if laid.rebuilds else ""
        return (
            f"{laid.keys} keys of epoch {laid.epoch} are in place;"
            f" {len(laid.removed)} profiles without a key were removed{rebuilds}"
        )

    with root_rotation.exclusive_store(settings.key_folder):
        # A server holds its key store, and would go on with the keys that are replaced here.
        pass
    asyncio.run(_for_each_row(url, settings, space_ids, work))


def vouch(url: str, settings: Settings, *, confirm: bool) -> None:
    """List the API keys without a MAC, which are refused; with `confirm` give each its MAC."""
    asyncio.run(_vouch(url, settings, confirm=confirm))


async def _vouch(url: str, settings: Settings, *, confirm: bool) -> None:
    spaces = await open_spaces.open_spaces(
        url, root_file=settings.root_key_file, root_value=settings.root_value, key_store=settings.key_folder
    )
    try:
        async with spaces.database.of_all_spaces.transaction() as connection:
            found = await keys_without_mac(connection)
            if confirm:
                await vouch_for_all(connection, spaces.keyring)
    finally:
        spaces.keyring.close()
        await spaces.database.close()
    for row in found:
        scopes = ", ".join(row.key.scopes)
        _out.print(f"{row.key.public_id} of {public('spc', row.space)}: {row.key.name} ({scopes})", markup=False)
    if not found:
        _out.print("Every API key has its MAC; there is nothing to do.")
    elif confirm:
        _out.print("These keys have their MACs now, and work.")
    else:
        _out.print("These keys are refused. If all of them are yours, run the command again with --confirm.")


def discard(url: str, settings: Settings, space_ids: Sequence[str]) -> None:
    """Destroy the keys and journals of these spaces, whose rows are gone; list all such spaces where none is named."""
    asyncio.run(_discard(url, settings, space_ids))


async def _discard(url: str, settings: Settings, space_ids: Sequence[str]) -> None:
    spaces = await open_spaces.open_spaces(
        url, root_file=settings.root_key_file, root_value=settings.root_value, key_store=settings.key_folder
    )
    try:
        done = await discard_lost_keys(spaces.database, spaces.keyring, space_ids)
        left = await lost_spaces(spaces.database, spaces.keyring)
    finally:
        spaces.keyring.close()
        await spaces.database.close()
    for each in done:
        _out.print(f"{each.label}: keys and journal are destroyed.", markup=False)
    for each in left:
        state = "only the key store has the space" if each.named_as is None else "put the id back into the row"
        _out.print(f"{each.label}: {state}.", markup=False)
    if not done and not left:
        _out.print("The database has every space of the key store; there is nothing to do.")


def rotate_root(url: str, settings: Settings) -> None:
    """Replace the root key, which wraps all others."""
    done = asyncio.run(
        rotate_root_key(
            url,
            root_file=settings.root_key_file,
            root_value=settings.root_value,
            new_value=settings.new_root_value,
            key_store=settings.key_folder,
        )
    )
    wrapped = f"{done.keys} keys are wrapped with it" if done.keys else "all keys were wrapped with it before"
    _out.print(
        f"Root key {done.root_id[:8]} is in force; {wrapped}. Back up the root key and the key store now.", markup=False
    )
    if settings.root_value:
        _out.print("Set ONEFOLD_ROOT_KEY to the new key before the next start.", markup=False)


def rotate_index(url: str, settings: Settings, space_ids: Sequence[str]) -> None:
    """Replace the index key and recompute every blind index, while servers run."""

    async def work(spaces: Spaces, space: Space, progress: ProgressCallback) -> str:
        asked = Jobs(
            spaces,
            {
                JobKind.ROTATE: lambda each, _, progress: rotate_index_key.rotate(
                    spaces, each, progress, settings.message_retention_days
                )
            },
        )
        # A space that is behind its journal is not served, and must not be rotated before it has caught up.
        space = await spaces.get(space.tenant.id)
        await rotate_index_key.begin(spaces, space)
        job = await asked.ask(space, JobKind.ROTATE, {})
        while job.state in (JobState.QUEUED, JobState.RUNNING):
            # A server may be working on the job, or may have died: the free process continues.
            runs = asyncio.create_task(asked.run_next())
            while not runs.done():
                await asyncio.wait([runs], timeout=_POLL_SECONDS)
                job = await asked.follow(space, job.id)
                progress(job.done, job.total)
            job = await asked.follow(space, job.id, wait=0 if runs.result() else 1)
        if job.state != JobState.DONE:
            raise OnefoldError(f"The rotation of the index key has failed ({job.error}); run it again.")
        return _rotation_summary(msgspec.convert(job.result, rotate_index_key.IndexKeyState))

    asyncio.run(_for_each_space(url, settings, space_ids, work))


def _rotation_summary(state: rotate_index_key.IndexKeyState) -> str:
    summary = f"all blind indexes use version {state.version} of the index key"
    if state.oldest == state.version:
        return f"{summary}, and every older version is destroyed"
    why = [f"message ids until {state.messages_until}"] if state.messages_until else []
    if state.hashes_left:
        why.append(f"{state.hashes_left} hashes of blocked, held or removed identifiers")
    return f"{summary}; version {state.oldest} is kept for {' and '.join(why)}"


async def _for_each_space(url: str, settings: Settings, space_ids: Sequence[str], work: Work) -> None:
    async def opened(spaces: Spaces, row: SpaceRow, progress: ProgressCallback) -> str:
        # A restored database is behind its journal until a server has started, which is after this.
        return await work(spaces, await spaces.restored(row.id), progress)

    await _for_each_row(url, settings, space_ids, opened)


async def _for_each_row(url: str, settings: Settings, space_ids: Sequence[str], work: RowWork) -> None:
    """Do the work for each space. OnefoldError that names the spaces that failed, after all others are done."""
    failed: list[str] = []
    spaces = await open_spaces.open_spaces(
        url, root_file=settings.root_key_file, root_value=settings.root_value, key_store=settings.key_folder
    )
    try:
        chosen = await choose_spaces(spaces.database, space_ids)
        for row in chosen:
            public_id = public("spc", row.public_id)
            try:
                with _bar() as bar:
                    task = bar.add_task(public_id, total=None)
                    summary = await work(
                        spaces,
                        row,
                        lambda at, of, task=task: bar.update(task, completed=at, total=of),  # type: ignore[misc]
                    )
            except OnefoldError as error:
                failed.append(f"{public_id} ({row.name}): {error}")
                continue
            _out.print(f"{public_id}: {summary}.", markup=False)
    finally:
        await spaces.database.close()
    if failed:
        raise OnefoldError("\n".join(failed))


def _bar() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
