"""Jobs: taken over where their runner is gone, ended with a code where they fail, sealed where they lie."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from identity.operations.spaces import run_jobs
from identity.operations.spaces.run_jobs import PRIVACY, Jobs, Progress, Work
from identity.spaces.space import Space
from identity.values.enums import JobKind, JobState
from identity.values.errors import DatabaseUnavailable, JobNotFound, LastIdentifier
from identity.values.ids import JobId
from identity.values.not_ready import SimulationWaits
from tests.support.processes.writer_processes import Lab

KIND = 7
SECRET = "ann@example.org"


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def echo(_space: Space, wanted: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Work that gives back what was asked for."""
    await progress(3, 4)
    return {"asked": wanted["ask"]}


async def test_a_job_goes_from_queued_to_done(lab: Lab) -> None:
    """Its parameters and its result are sealed."""
    spaces = await lab.open()
    space = await lab.space(spaces)
    runner = Jobs(spaces, {KIND: echo})
    asked = await runner.ask(space, KIND, {"ask": SECRET})
    assert asked.state == JobState.QUEUED
    assert (await runner.follow(space, asked.id)).state == JobState.QUEUED
    assert await runner.run_next()
    assert not await runner.run_next()
    report = await runner.follow(space, asked.id, 5)
    assert (report.kind, report.state, report.result) == (KIND, JobState.DONE, {"asked": SECRET})
    assert (report.done, report.total) == (3, 4)
    assert SECRET.encode() not in b"".join(bytes(row) for (row,) in lab.query("SELECT payload FROM job"))
    for unknown in (JobId(bytes(16)), None):
        with pytest.raises(JobNotFound):
            await runner.follow(space, unknown)
    await spaces.database.close()


async def test_waiting_ends_with_the_job(lab: Lab) -> None:
    """Whichever process runs it."""
    spaces = await lab.open()
    space = await lab.space(spaces)
    runner, other = Jobs(spaces, {KIND: echo}), Jobs(spaces, {KIND: echo})
    running = asyncio.create_task(runner.run_for_ever())
    asked = await other.ask(space, KIND, {"ask": 1})
    assert (await other.follow(space, asked.id, 30)).state == JobState.DONE
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await spaces.database.close()


async def test_a_runner_that_is_gone(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job whose holder stopped saying so is begun anew by another, and only then."""
    monkeypatch.setattr(run_jobs, "_HELD", 1_500_000)

    spaces = await lab.open()
    space = await lab.space(spaces)
    begun = asyncio.Event()

    async def never(_space: Space, _wanted: dict[str, Any], _progress: Progress) -> dict[str, Any]:
        begun.set()
        await asyncio.Event().wait()
        return {}

    gone, other = Jobs(spaces, {KIND: never}), Jobs(spaces, {KIND: echo})
    asked = await gone.ask(space, KIND, {"ask": 2})
    running = asyncio.create_task(gone.run_next())
    await begun.wait()
    assert not await other.run_next()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    while not await other.run_next():  # noqa: ASYNC110 (another process would not be notified either)
        await asyncio.sleep(0.1)
    assert (await other.follow(space, asked.id)).result == {"asked": 2}
    await spaces.database.close()


async def test_a_stalled_runner_does_not_overwrite_the_result_of_its_successor(lab: Lab) -> None:
    """Its lease ended while it worked; what it says afterwards counts for nothing."""
    spaces = await lab.open()
    space = await lab.space(spaces)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def stalled(_space: Space, _wanted: dict[str, Any], _progress: Progress) -> dict[str, Any]:
        begun.set()
        await go_on.wait()
        return {"late": True}

    slow, other = Jobs(spaces, {KIND: stalled}), Jobs(spaces, {KIND: echo})
    asked = await slow.ask(space, KIND, {"ask": 3})
    running = asyncio.create_task(slow.run_next())
    await begun.wait()
    lab.query("UPDATE job SET until = 0")
    assert await other.run_next()
    go_on.set()
    await running
    assert (await other.follow(space, asked.id)).result == {"asked": 3}
    await spaces.database.close()


@pytest.mark.parametrize(
    ("error", "code"), [(LastIdentifier(), "last_identifier"), (ValueError(SECRET), "internal_error")]
)
async def test_a_failed_job_ends_with_a_code(lab: Lab, error: Exception, code: str) -> None:
    """And with none of its parameters."""
    spaces = await lab.open()
    space = await lab.space(spaces)

    async def fails(_space: Space, _wanted: dict[str, Any], _progress: Progress) -> dict[str, Any]:
        raise error

    runner = Jobs(spaces, {KIND: fails})
    asked = await runner.ask(space, KIND, {"ask": SECRET})
    assert await runner.run_next()
    report = await runner.follow(space, asked.id)
    assert (report.state, report.error) == (JobState.FAILED, code)
    assert report.result is None
    await spaces.database.close()


async def test_an_outage_is_waited_out(lab: Lab) -> None:
    """Where the database is away the job is not given up: it still says that it runs."""
    spaces = await lab.open()
    space = await lab.space(spaces)

    async def away(_space: Space, _wanted: dict[str, Any], _progress: Progress) -> dict[str, Any]:
        raise DatabaseUnavailable

    runner = Jobs(spaces, {KIND: away})
    asked = await runner.ask(space, KIND, {"ask": 1})
    with pytest.raises(DatabaseUnavailable):
        await runner.run_next()
    assert lab.query("SELECT state FROM job") == [(JobState.RUNNING,)]
    assert (await runner.follow(space, asked.id)).state == JobState.RUNNING
    await spaces.database.close()


async def test_the_spaces_take_turns(lab: Lab) -> None:
    """A space with many jobs keeps another waiting for one of them at most."""
    spaces = await lab.open()
    flooding, other = await lab.space(spaces), await lab.space(spaces)
    ran: list[bytes] = []

    async def note(space: Space, _wanted: dict[str, Any], _progress: Progress) -> None:
        ran.append(space.public_id)

    runner = Jobs(spaces, {KIND: note})
    for _ in range(4):
        await runner.ask(flooding, KIND, {})
    assert await runner.run_next()
    for _ in range(2):
        await runner.ask(other, KIND, {})
    while await runner.run_next():
        pass

    first, second = flooding.public_id, other.public_id
    assert ran == [first, second, first, second, first, first]
    await spaces.database.close()


async def test_privacy_work_goes_first(lab: Lab) -> None:
    """Before everything that was asked for earlier; a runner of its own takes nothing else."""
    spaces = await lab.open()
    space, other = await lab.space(spaces), await lab.space(spaces)
    ran: list[int] = []

    def works(kind: int) -> Work:
        async def note(_space: Space, _wanted: dict[str, Any], _progress: Progress) -> None:
            ran.append(kind)

        return note

    runner = Jobs(spaces, {kind: works(kind) for kind in (JobKind.REBUILD, JobKind.EXPORT)})
    await runner.ask(other, JobKind.REBUILD, {})
    await runner.ask(space, JobKind.EXPORT, {})
    assert await runner.run_next()
    await runner.ask(space, JobKind.EXPORT, {})
    assert await runner.run_next(PRIVACY)
    assert not await runner.run_next(PRIVACY)
    assert await runner.run_next()

    assert ran == [JobKind.EXPORT, JobKind.EXPORT, JobKind.REBUILD]
    await spaces.database.close()


async def test_a_space_has_one_simulation_that_waits(lab: Lab) -> None:
    """However many ask at once; one that runs is no longer waiting, and other spaces have theirs."""
    spaces = await lab.open()
    space, other = await lab.space(spaces), await lab.space(spaces)
    runner = Jobs(spaces, {JobKind.SIMULATE: echo})

    asked = await asyncio.gather(
        *(runner.ask(space, JobKind.SIMULATE, {"ask": nr}) for nr in range(6)), return_exceptions=True
    )

    assert sum(isinstance(each, SimulationWaits) for each in asked) == 5
    await runner.ask(other, JobKind.SIMULATE, {"ask": 1})
    assert await runner.run_next()
    await runner.ask(space, JobKind.SIMULATE, {"ask": 2})
    await spaces.database.close()
