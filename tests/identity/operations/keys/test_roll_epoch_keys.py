"""Rolling the epoch key, and the race between a roll and those who mint keys."""

from pathlib import Path
from typing import Any

import pytest

from identity.operations.keys.roll_epoch_keys import roll
from identity.operations.profiles.read_profile import get_profile
from tests.support.processes.writer_processes import Lab, Worker, ingesting, run, send

RACE_SECONDS = 2


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def test_a_roll_moves_every_slot(lab: Lab) -> None:
    """Afterwards nothing is wrapped under the old epoch, whose key is gone, and all can be read."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "u1", "traits": {"plan": "pro"}})
        assert await roll(ingest.spaces, ingest.space) == 2
        assert await roll(ingest.spaces, ingest.space) == 3
        assert lab.query("SELECT DISTINCT epoch FROM slot_key") == [(3,)]
        assert lab.keyring().epochs(ingest.space.public_id) == [3]
        assert (await get_profile(ingest.space, "user_id:u1")).traits == {"plan": "pro"}
        ingest.check()


async def test_a_roll_that_was_cut_short_is_finished_by_the_next(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A roll that died after raising the epoch loses nothing, and the next one makes up for it."""
    from identity.store.keys import epoch_key_roll

    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "u1"})

        async def die(*_: Any) -> None:
            raise ArithmeticError

        with monkeypatch.context() as patch:
            patch.setattr(epoch_key_roll, "lock_slots", die)
            with pytest.raises(ArithmeticError):
                await roll(ingest.spaces, ingest.space)
        assert lab.keyring().epochs(ingest.space.public_id) == [1, 2]
        await ingest.send({"type": "track", "event": "E", "userId": "u1", "anonymousId": "a1"})
        ingest.check()
        assert await roll(ingest.spaces, ingest.space) == 3
        assert lab.keyring().epochs(ingest.space.public_id) == [3]
        ingest.check()


def race(lab: Lab, seconds: int, **how: Any) -> int:
    """Rolls without a pause while two servers mint keys; then all restart and everything is read.

    One server uses few slots, so that keys are minted under slots being moved; the other many, so
    that it makes new slots all the time.
    """

    async def make() -> tuple[int, bytes]:
        spaces = await lab.open()
        space = await lab.space(spaces)
        await spaces.database.close()
        return space.tenant.id, space.public_id

    space, public_id = run(make())
    roller, *writers = workers = [Worker(lab), Worker(lab, slots=3, **how), Worker(lab, **how)]
    rolling = roller.start("roll", space=space, seconds=seconds)
    users = 0
    while not rolling.done():
        tasks = [
            [{"items": [{"type": "identify", "userId": f"u{users}-{task}-{nr}"}]} for nr in range(5)]
            for task in range(8)
        ]
        users += 1
        for task in send(writers, space, tasks):
            assert [answer[0]["status"] for answer in task] == ["accepted"] * 5
    rolls = int(rolling.result())
    for worker in workers:
        worker.kill()
    again = Worker(lab)
    refs = [f"user_id:u{user}-{task}-{nr}" for user in range(users) for task in range(8) for nr in range(5)]
    assert len(again.ask("read", space=space, refs=refs)) == len(refs)
    again.close()
    assert lab.query("SELECT count(*) FROM profile WHERE space_id = %s", space) == [(len(refs),)]
    assert lab.differences(space) == []
    epochs = lab.keyring().epochs(public_id)
    assert epochs == [rolls + 1]
    assert lab.query("SELECT DISTINCT epoch FROM slot_key WHERE space_id = %s", space) == [(rolls + 1,)]
    return rolls


def test_rolls_against_two_writers(lab: Lab) -> None:
    """No key is ever minted under an epoch that a roll destroys: all that was acknowledged can be read."""
    assert race(lab, RACE_SECONDS) > 1


@pytest.mark.soak
def test_many_rolls_against_two_writers(lab: Lab) -> None:
    """The same, again and again, each time from the first key of a space on."""
    for _ in range(40):
        assert race(lab, RACE_SECONDS) > 1
