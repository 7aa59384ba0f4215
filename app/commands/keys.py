"""`onefold keys`: rolling and rotating keys, dumping them, and laying them over a restored database."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.settings import Settings
from identity.operations.keys import rotate_index_key
from identity.operations.keys.dump_key_tables import dump as dump_space
from identity.operations.keys.overlay_key_tables import overlay as overlay_space
from identity.operations.keys.roll_epoch_keys import roll as roll_space
from identity.operations.keys.rotate_root_key import rotate_root as rotate_root_key
from identity.operations.spaces import open_spaces
from identity.operations.spaces.run_jobs import Jobs
from identity.spaces.space import Space, Spaces
from identity.store.spaces import spaces_and_keys
from identity.values.enums import JobKind
from identity.values.errors import OnefoldError, SpaceNotFound
from identity.values.ids import private, public

_out = Console(highlight=False, soft_wrap=True)
_LOOK = 0.2
Moved = Callable[[int, int], None]
Work = Callable[[Spaces, Space, Moved], Awaitable[str]]


def roll(url: str, settings: Settings, space_ids: Sequence[str]) -> None:
    """Rolls the epoch key, so that no backup from before opens what was erased before."""

    async def work(spaces: Spaces, space: Space, moved: Moved) -> str:
        epoch = await roll_space(spaces, space, backup_days=settings.key_backup_days, progress=moved)
        return f"epoch {epoch} is in force, and no other key is left"

    asyncio.run(_each(url, settings, space_ids, work))


def dump(url: str, settings: Settings, space_ids: Sequence[str]) -> None:
    """Writes the key tables into the key store and proves that every key opens."""

    async def work(spaces: Spaces, space: Space, _moved: Moved) -> str:
        head = await dump_space(spaces, space)
        return f"{head.subjects} keys of epoch {head.epoch} dumped and opened"

    asyncio.run(_each(url, settings, space_ids, work))


def overlay(url: str, settings: Settings, space_ids: Sequence[str]) -> None:
    """Lays the newest dump over the keys of a restored database, before it is served."""

    async def work(spaces: Spaces, space: Space, _moved: Moved) -> str:
        laid = await overlay_space(spaces, space)
        if laid.before == laid.epoch:
            return f"the keys are of epoch {laid.epoch} already; nothing to do"
        return f"{laid.keys} keys of epoch {laid.epoch} in place; {laid.gone} profiles that none opens are gone"

    asyncio.run(_each(url, settings, space_ids, work))


def rotate_root(url: str, settings: Settings) -> None:
    """Puts a new root key in the place of the old one."""
    done = asyncio.run(
        rotate_root_key(
            url,
            root_file=settings.root_key_file,
            root_value=settings.root_value,
            new_value=settings.new_root_value,
            key_store=settings.key_folder,
        )
    )
    said = f"{done.keys} keys are wrapped anew" if done.keys else "all keys were wrapped anew before"
    _out.print(f"Root key {done.root_id[:8]} is in force; {said}. Back up root key and key store now.", markup=False)
    if settings.root_value:
        _out.print("Start with the new key in ONEFOLD_ROOT_KEY from now on.", markup=False)


def rotate_index(url: str, settings: Settings, space_ids: Sequence[str]) -> None:
    """Makes every blind index anew under a new key, while servers run."""

    async def work(spaces: Spaces, space: Space, moved: Moved) -> str:
        asked = Jobs(
            spaces,
            {
                JobKind.ROTATE: lambda each, _, told: rotate_index_key.rotate(
                    spaces, each, told, settings.message_retention_days
                )
            },
        )
        # One that is behind its journal is not served yet, and may not be rotated before that is made good.
        space = await spaces.get(space.tenant.id)
        await rotate_index_key.begin(spaces, space)
        job = await asked.ask(space, JobKind.ROTATE, {})
        while job.state in ("queued", "running"):
            # A server may be at it, or have died over it: whoever is free goes on.
            runs = asyncio.create_task(asked.run_next())
            while not runs.done():
                await asyncio.wait([runs], timeout=_LOOK)
                job = (await asked.follow(space, job.job_id))[1]
                moved(job.done, job.total)
            job = (await asked.follow(space, job.job_id, wait=0 if runs.result() else 1))[1]
        if job.state != "done":
            raise OnefoldError(f"The rotation of the index key has failed ({job.error}); run it again.")
        return _said(msgspec.convert(job.result, rotate_index_key.IndexKeyState))

    asyncio.run(_each(url, settings, space_ids, work))


def _said(state: rotate_index_key.IndexKeyState) -> str:
    said = f"everything is under version {state.version} of the index key"
    if state.oldest == state.version:
        return f"{said}, and no other is left"
    why = [f"message ids until {state.messages_until}"] if state.messages_until else []
    if state.hashes_left:
        why.append(f"{state.hashes_left} hashes of what nothing else is kept of")
    return f"{said}; version {state.oldest} is kept for {' and '.join(why)}"


async def _each(url: str, settings: Settings, space_ids: Sequence[str], work: Work) -> None:
    spaces = await open_spaces.open_spaces(
        url, root_file=settings.root_key_file, root_value=settings.root_value, key_store=settings.key_folder
    )
    try:
        for number, public_id in await _named(spaces, space_ids):
            # A restored database is behind its journal until it is served, which is after this.
            space = await spaces.restored(number)
            with _bar() as bar:
                task = bar.add_task(public_id, total=None)
                said = await work(spaces, space, lambda at, of, task=task: bar.update(task, completed=at, total=of))  # type: ignore[misc]
            _out.print(f"{public_id}: {said}.", markup=False)
    finally:
        await spaces.database.close()


async def _named(spaces: Spaces, space_ids: Sequence[str]) -> list[tuple[int, str]]:
    async with spaces.database.reading() as connection:
        found = await spaces_and_keys.list_spaces(connection)
    ids = {public("spc", row.public_id): row.id for row in found}
    if any(private("spc", each) is None or each not in ids for each in space_ids):
        raise SpaceNotFound
    return [(ids[each], each) for each in space_ids or ids]


def _bar() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
