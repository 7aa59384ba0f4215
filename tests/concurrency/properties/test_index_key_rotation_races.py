"""Eight writers during a rotation of the index key whose runner dies: no profile is lost or doubled."""

import random
import time
from pathlib import Path
from typing import Any

import pytest

from identity.operations.integrity.verify_space import verify_space
from identity.store.postgres.database import Database
from identity.store.spaces import spaces_and_keys
from identity.values.ids import SpaceNumber
from tests.support.processes.writer_processes import Lab, Worker, run, send

PEOPLE, GROUPS = 60, 3
WRITERS = 8
SECONDS = 2


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


def spellings(person: int) -> list[str]:
    """Whatever finds a person from the first call on."""
    return [
        f"user_id:p{person}", f"anonymous_id:d{person}", f"email:P{person}@Example.org", f"email:p{person}@example.org",
    ]  # fmt: skip


def introduction(person: int) -> dict[str, Any]:
    """The call that says who somebody is."""
    mail = {"email": f"p{person}@example.org", "person": person}
    return {"type": "identify", "userId": f"p{person}", "anonymousId": f"d{person}", "traits": mail}


def call(rng: random.Random, number: int) -> dict[str, Any]:
    """A call of somebody known, by one or two of their names, a new one among them at times."""
    person = rng.randrange(PEOPLE)
    kind = rng.randrange(5)
    if kind == 0:
        return {"type": "track", "event": "E", "anonymousId": f"d{person}", "messageId": f"m{number % 500}"}
    if kind == 1:
        return {"type": "group", "userId": f"p{person}", "groupId": f"g{number % GROUPS}", "traits": {"n": number}}
    if kind == 2:
        return {
            "type": "identify",
            "anonymousId": f"n{person}-{number % 7}",
            "traits": {"email": f"P{person}@example.ORG"},
        }
    if kind == 3:
        return {"type": "identify", "userId": f"p{person}", "traits": {"seen": number}}
    return introduction(person)


def act(rng: random.Random, number: int) -> tuple[str, dict[str, Any]]:
    """What somebody does to one of those whom nobody looks up."""
    ghost = rng.randrange(8)
    named = rng.sample([f"user_id:g{ghost}", f"anonymous_id:h{ghost}", f"email:g{ghost}@example.org"], 1)
    if number % 7 == 0:
        return "erase", {"named": named, "kind": 2}
    return "act", {"act": rng.choice(["unmerge", "remove"]), "named": named, "block": rng.random() < 0.3}


def ghost(rng: random.Random) -> dict[str, Any]:
    """A call of one of those."""
    one, mail = rng.randrange(8), {"email": f"g{rng.randrange(8)}@example.org"}
    return {"type": "identify", "userId": f"g{one}", "anonymousId": f"h{rng.randrange(8)}", "traits": mail}


def storm(lab: Lab, seconds: float, seed: int, *, acting: bool = False) -> None:  # noqa: C901 (a storm)
    """Writes, reads and rotates at once, and looks at what came of it.

    With `acting`, people of their own are parted, erased and blocked all the while.
    """

    async def make() -> int:
        spaces = await lab.open()
        try:
            return (await lab.space(spaces)).tenant.id
        finally:
            spaces.keyring.close()
            await spaces.database.close()

    space, rng = run(make()), random.Random(seed)
    writers = [Worker(lab, writers=WRITERS // 2) for _ in range(2)]
    dying = Worker(lab, at_once=3)
    accepted = [[{"items": [introduction(person)]}] for person in range(PEOPLE)]
    assert {task[0][0]["status"] for task in send(writers, space, accepted)} == {"accepted"}
    refs = [ref for person in range(PEOPLE) for ref in spellings(person)]
    number, sent, started = 0, 0, time.monotonic()
    runners: list[Any] = []
    rotating = dying.start("rotate", space=space, pause=0.1)
    lost: list[str] = []
    while runners == [] or not all(each.done() for each in runners):
        reading = writers[0].start("find", space=space, refs=rng.sample(refs, 60))
        asked = [[{"items": [call(rng, number + each * 9 + nr) for nr in range(9)]}] for each in range(WRITERS)]
        number += 9 * WRITERS
        if acting:
            asked.append([{"items": [ghost(rng) for _ in range(5)]}])
            done = [writers[nr % 2].start(name, space=space, **given)
                    for nr, (name, given) in enumerate(act(rng, number + nr) for nr in range(4))]  # fmt: skip
        for task in send(writers, space, asked):
            wanted = {"accepted", "duplicate"} | ({"suppressed", "unresolved"} if acting else set())
            assert {each["status"] for each in task[0]} <= wanted, task
            sent += len(task[0])
        if acting:
            for each in done:
                each.result(120)
        lost += [] if all(reading.result(120)) else ["somebody"]
        if runners == [] and time.monotonic() > started + seconds / 3:
            assert not rotating.done()
            dying.kill()
            fresh = Worker(lab, at_once=5)
            runners = [each.start("rotate", space=space, begin=False) for each in (fresh, writers[1])]
    assert lost == []
    assert sent > WRITERS
    for each in runners:
        assert each.result()["version"] == 2
    assert lab.query("SELECT index_live FROM space_gate") == [(2,)]
    for worker in writers:
        worker.close()
    profiles = fresh.ask("read", space=space, refs=refs)
    assert [profile["traits"]["person"] for profile in profiles] == [nr for nr in range(PEOPLE) for _ in range(4)]
    fresh.close()
    if acting:
        assert audited(lab, space) == []
        return
    assert lab.query("SELECT count(*) FROM profile WHERE head = profile_id") == [(PEOPLE,)]
    assert lab.query("SELECT count(*), count(DISTINCT (type, profile_id)) > 0 FROM profile_identifier") == lab.query(
        "SELECT count(*), true FROM identifier"
    )
    assert [line for line in lab.differences(space) if not line.startswith("message ")] == []
    assert audited(lab, space) == []


def audited(lab: Lab, space: int) -> list[Any]:
    """What an audit of the space finds."""

    async def main() -> list[Any]:
        database = Database(lab.url, readers=1)
        await database.open()
        try:
            async with database.of_space(SpaceNumber(space)).reading() as connection:
                row = await spaces_and_keys.find_space(connection, SpaceNumber(space))
            return (await verify_space(database, row, lambda _what, _rows: None)).findings
        finally:
            await database.close()

    found: list[Any] = run(main())
    return found


def test_a_rotation_among_writers(lab: Lab) -> None:
    """Attack 61: no look-up is lost and nobody comes twice, though the one that rotates is killed."""
    storm(lab, SECONDS, 61)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [*range(5), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(5, 12))])
def test_many_rotations_among_writers(lab: Lab, seed: int) -> None:
    """The same with kills at other moments."""
    storm(lab, 1 + seed / 2, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(3, 6))])
def test_rotations_among_acts(lab: Lab, seed: int) -> None:
    """The same during unmerges, blocks and erasures: an audit finds nothing."""
    storm(lab, 3, seed, acting=True)
