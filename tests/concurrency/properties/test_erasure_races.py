"""Erasures among writers: an erased person is gone in every order of requests, and all others are complete."""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from identity.operations.privacy.resume_requests import resume_requests
from identity.values.enums import ErasureState, RequestKind
from identity.values.ids import SpaceNumber
from identity.values.stamps import Micros
from tests.support.integrity.space_audit import discrepancies
from tests.support.processes.racing_servers import REFUSED, Race
from tests.support.processes.writer_processes import Ingest, Lab, Worker, run, send

WRITERS = 8
ERASED, STAYING = 50, 10
SECONDS = 2
_NOBODY: Any = None
PEOPLE = [f"p{number}" for number in range(ERASED)]
OTHERS = [f"s{number}" for number in range(STAYING)]


@pytest.fixture(scope="module")
def race(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Race]:
    """Two servers of one host."""
    made = Race(Lab(url, tmp_path_factory.mktemp("erasures")))
    yield made
    for worker in made.workers:
        worker.close()


def identifiers(person: str) -> list[str]:
    """The identifiers of a person."""
    return [f"user_id:{person}", f"anonymous_id:{person}-1", f"anonymous_id:{person}-2", f"email:{person}@x.org"]


def known(person: str) -> list[dict[str, Any]]:
    """Calls that make somebody known by all of that, at two origins."""
    return [
        {"type": "track", "event": "E", "anonymousId": f"{person}-2"},
        {"type": "identify", "userId": person, "anonymousId": f"{person}-1", "traits": {"email": f"{person}@x.org"}},
        {"type": "identify", "userId": person, "anonymousId": f"{person}-2", "traits": {"secret": person}},
    ]


def call(rng: random.Random, person: str, number: str) -> dict[str, Any]:
    """Any call of theirs, with a trait of their own or a group."""
    device = {"anonymousId": f"{person}-{rng.randint(1, 2)}", "messageId": f"{person}-{number}"}
    return rng.choice(
        [
            {"type": "identify", "userId": person, "traits": {"secret": number}, **device},
            {"type": "identify", "traits": {"email": f"{person}@x.org", "secret": number}, **device},
            {"type": "group", "userId": person, "groupId": f"{person}-co", **device},
            {"type": "track", "event": "E", **device},
        ]
    )


async def _audit(race: Race, space: int) -> list[Any]:
    spaces = await race.lab.open()
    try:
        opened = await spaces.get(SpaceNumber(space))
        return await discrepancies(Ingest(race.lab, spaces, opened, _NOBODY))
    finally:
        await spaces.database.close()


def sound(race: Race, space: int) -> bool:
    """An audit of the space finds nothing."""
    assert run(_audit(race, space)) == []
    return True


def nothing_left(race: Race, space: int, people: list[str]) -> None:
    """No identifier of theirs leads anywhere, and every key and row belongs to somebody who is there."""
    stored = race.stored(space)
    for person in people:
        for text in identifiers(person):
            type_, _, value = text.partition(":")
            assert stored.keys.identifier(type_, value) not in stored.owners, text
    secrets = {document.traits["secret"][0] for document in stored.documents.values() if "secret" in document.traits}
    assert not {secret for secret in secrets if str(secret).startswith(tuple(f"{p}-" for p in people))}
    for table in ("subject_key", "profile_document", "evidence", "sighting", "history", "profile_identifier"):
        alone = race.lab.query(
            f"""SELECT count(*) FROM {table} t WHERE space_id = %s
                AND NOT EXISTS (SELECT FROM profile p WHERE p.profile_id = t.profile_id)
                AND NOT EXISTS (SELECT FROM account a WHERE a.account_id = t.profile_id)""",
            space,
        )
        assert alone == [(0,)], table


def storm(race: Race, space: int, seconds: float, work: Any) -> tuple[Any, list[tuple[dict[str, Any], Any]]]:
    """Eight writers send calls of everybody until `work` is done and the time is over; calls and outcomes."""
    over = threading.Event()

    def write(nr: int) -> list[tuple[dict[str, Any], Any]]:
        rng, answered, round_ = random.Random(nr), [], 0
        while not over.is_set():
            round_ += 1
            people = rng.choices(PEOPLE + OTHERS, k=6)
            items = [call(rng, person, f"{nr}-{round_}-{at}") for at, person in enumerate(people)]
            task = [{"items": items, "server": True, "source": 1 + nr % 2, "history": False}]
            ((answer,),) = send([race.workers[nr % 2]], space, [[task[0]]])
            assert isinstance(answer, list), answer
            answered += list(zip(items, answer, strict=True))
        return answered

    ends = time.monotonic() + seconds
    with ThreadPoolExecutor(WRITERS + 2) as pool:
        writing = [pool.submit(write, nr) for nr in range(WRITERS)]
        try:
            done = work(pool)
            time.sleep(max(ends - time.monotonic(), 0))
        finally:
            over.set()
        return done, [each for task in writing for each in task.result()]


def settled(race: Race, space: int, answered: list[tuple[dict[str, Any], Any]]) -> None:
    """Of everybody who stays each accepted call is there once."""
    log = [logged.kept_call.message_id for logged in race.stored(space).log]
    mine = [each for each in log if each.startswith(tuple(f"{other}-" for other in OTHERS))]
    accepted = [
        item["messageId"]
        for item, outcome in answered
        if outcome["status"] == "accepted" and item["messageId"].startswith(tuple(f"{other}-" for other in OTHERS))
    ]
    assert sorted(mine) == sorted(accepted)
    assert sound(race, space)


@pytest.mark.parametrize("seconds", [SECONDS, pytest.param(60, marks=[pytest.mark.soak, pytest.mark.timeout(600)])])
def test_fifty_erasures_among_eight_writers(race: Race, seconds: float) -> None:
    """Fifty people are erased while eight writers send their calls again and again."""
    space = race.space()
    first = [each for person in PEOPLE + OTHERS for each in known(person)]
    send(race.workers, space, [[{"items": first, "server": True, "source": 1}]])

    def erase(_pool: ThreadPoolExecutor) -> list[Any]:
        def one(nr: int) -> Any:
            named = [random.Random(nr).choice(identifiers(PEOPLE[nr]))]
            return race.workers[nr % 2].ask("erase", space=space, named=named, kind=RequestKind.SUPPRESS_WITH_DELETE)

        with ThreadPoolExecutor(ERASED) as erasing:
            return list(erasing.map(one, range(ERASED)))

    states, answered = storm(race, space, seconds, erase)
    assert states == [[ErasureState.FINISHED]] * ERASED
    nothing_left(race, space, PEOPLE)
    settled(race, space, answered)


def test_who_comes_again_is_new(race: Race) -> None:
    """After a deletion without suppression among writers, the same identifier has a new and consistent profile."""
    space = race.space()
    first = [each for person in PEOPLE + OTHERS for each in known(person)]
    send(race.workers, space, [[{"items": first, "server": True, "source": 1}]])
    created = dict(race.lab.query("SELECT profile_id, born FROM profile WHERE space_id = %s", space))

    def erase(_pool: ThreadPoolExecutor) -> list[Any]:
        named = [f"email:{person}@x.org" for person in PEOPLE]
        return [race.workers[0].ask("erase", space=space, named=named, kind=RequestKind.DELETE_ONLY)]

    states, answered = storm(race, space, SECONDS / 2, erase)
    assert states == [[ErasureState.FINISHED] * ERASED]
    settled(race, space, answered)
    stored = race.stored(space)
    for person in PEOPLE:
        owner = stored.owners.get(stored.keys.identifier("user_id", person))
        assert owner is None or owner not in {id_.bytes for id_ in created}


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 3))])
def test_storm_of_acts(race: Race, seed: int) -> None:
    """Merges, unmerges, removals and erasures of the same people, all at once, leave what an audit accepts."""
    rng = random.Random(seed)
    space = race.space()
    people = PEOPLE[:6]
    first = [each for person in people + OTHERS for each in known(person)]
    send(race.workers, space, [[{"items": first, "server": True, "source": 1}]])
    acted: list[Any] = []

    def act(_pool: ThreadPoolExecutor) -> list[Any]:
        for _ in range(25):
            worker = rng.choice(race.workers)
            person, other = rng.sample(people, 2)
            kind = rng.randrange(4)
            if kind == 0:
                glue = {"type": "identify", "anonymousId": f"{person}-1", "traits": {"email": f"{other}@x.org"}}
                send([worker], space, [[{"items": [glue], "server": True, "source": 1, "history": False}]])
            elif kind == 1:
                named = rng.sample(identifiers(person), 2)
                acted.append(worker.ask("act", space=space, act="unmerge", named=named, block=rng.random() < 0.5))
            elif kind == 2:
                named = [rng.choice(identifiers(person))]
                acted.append(worker.ask("act", space=space, act="remove", named=named, block=False))
            else:
                kind = rng.choice((RequestKind.SUPPRESS_WITH_DELETE, RequestKind.DELETE_ONLY))
                states = worker.ask("erase", space=space, named=[rng.choice(identifiers(person))], kind=kind)
                assert states in ([ErasureState.FINISHED], [ErasureState.DUPLICATE])
        return acted

    _, answered = storm(race, space, 0, act)
    assert {each for each in acted if isinstance(each, str)} <= REFUSED
    settled(race, space, answered)


@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 3))])
def test_killed_in_the_middle(race: Race, seed: int) -> None:
    """The next process finishes a request whose process was killed, and so does the client's repetition."""
    rng = random.Random(seed)
    space = race.space()
    first = [each for person in PEOPLE + OTHERS for each in known(person)]
    send(race.workers, space, [[{"items": first, "server": True, "source": 1}]])
    victim = Worker(race.lab)
    named = [rng.choice(identifiers(person)) for person in PEOPLE]
    asked = victim.start("erase", space=space, named=named, kind=RequestKind.SUPPRESS_WITH_DELETE, again=f"once-{seed}")
    while race.lab.query("SELECT count(*) FROM erasure WHERE space_id = %s AND state = 2", space)[0][0] < 3:
        time.sleep(0.002)
    time.sleep(rng.random() / 20)
    victim.kill()
    with pytest.raises(RuntimeError):
        asked.result()

    async def finish() -> int:
        spaces = await race.lab.open()
        try:
            return await resume_requests(spaces, older_than=Micros(0))
        finally:
            await spaces.database.close()

    if seed:
        run(finish())
    again = race.workers[0].ask(
        "erase", space=space, named=named, kind=RequestKind.SUPPRESS_WITH_DELETE, again=f"once-{seed}"
    )
    assert again == [ErasureState.FINISHED] * ERASED
    assert race.lab.query("SELECT count(*) FROM erasure WHERE space_id = %s", space) == [(ERASED,)]
    nothing_left(race, space, PEOPLE)
    assert sound(race, space)
