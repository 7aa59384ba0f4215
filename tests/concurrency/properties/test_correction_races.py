"""Corrections among writers: no call is lost or on the wrong side, in every order of requests."""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from identity.values.calls import STORED_KINDS
from tests.support.processes.racing_servers import REFUSED, WRITERS, Race
from tests.support.processes.writer_processes import Lab, Worker, send

PEOPLE = ("ann", "bob")


@pytest.fixture(scope="module")
def race(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Race]:
    """Two servers of one host."""
    made = Race(Lab(url, tmp_path_factory.mktemp("races")))
    yield made
    for worker in made.workers:
        worker.close()


def identifiers(person: str) -> list[str]:
    """The identifiers of a person."""
    return [f"user_id:{person}", f"anonymous_id:{person}-1", f"anonymous_id:{person}-2", f"email:{person}@x.org"]


def call(rng: random.Random, person: str, number: int) -> dict[str, Any]:
    """A call of one person: identifiers of hers, a trait that is hers."""
    device = f"{person}-{rng.randint(1, 2)}"
    kind = rng.randrange(4)
    if kind == 0:
        return {"type": "identify", "userId": person, "anonymousId": device, "traits": {person: number}}
    if kind == 1:
        return {"type": "identify", "anonymousId": device, "traits": {"email": f"{person}@x.org", person: number}}
    if kind == 2:
        return {"type": "group", "userId": person, "groupId": f"{person}-co"}
    return {"type": "track", "event": "E", "anonymousId": device, "messageId": f"{person}{number}"}


def bridge(rng: random.Random) -> dict[str, Any]:
    """A call that takes the two for one."""
    device, mail = f"{rng.choice(PEOPLE)}-1", f"{rng.choice(PEOPLE)}@x.org"
    return {"type": "identify", "anonymousId": device, "traits": {"email": mail}}


def tasks(rng: random.Random, *, bridges: bool) -> list[Any]:
    """Requests of eight senders; each sender waits for its answers."""
    made = []
    for sender in range(WRITERS):
        requests = []
        for number in range(12):
            items = [call(rng, PEOPLE[sender % 2], 100 * sender + 10 * number + at) for at in range(rng.randint(1, 3))]
            if bridges and rng.random() < 0.3:
                items.append(bridge(rng))
            requests.append({"items": items, "server": True, "source": 1 + sender % 2})
        made.append(requests)
    return made


def settle(race: Race, space: int, sent: list[Any], answers: list[Any]) -> None:
    """Whatever was answered is there once, and everything stands where the order of the stamps puts it."""
    differences = race.lab.differences(space)
    assert not differences, "\n".join(differences)
    outcomes = [outcome for task in answers for answer in task for outcome in answer]
    assert all(isinstance(outcome, dict) for outcome in outcomes), outcomes
    assert len(outcomes) == sum(len(request["items"]) for task in sent for request in task)
    log = [logged.kept_call.message_id for logged in race.stored(space).log if logged.kept_call.message_id]
    accepted = [outcome["message_id"] for outcome in outcomes if outcome["status"] == "accepted"]
    assert sorted(accepted) == sorted(log)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 6))])
def test_acts_among_eight_writers(race: Race, seed: int) -> None:
    """Unmerges and removals while eight writers hit both sides, and merge them again and again."""
    rng = random.Random(seed)
    space = race.space()
    ids = [text for person in PEOPLE for text in identifiers(person)]
    over = threading.Event()
    acted: list[Any] = []

    def undo(worker: Worker, rng: random.Random) -> None:
        while not over.is_set():
            act = "unmerge" if rng.random() < 0.8 else "remove"
            named = rng.sample(ids, rng.randint(1, 4)) if rng.random() < 0.5 else identifiers(rng.choice(PEOPLE))
            block = act == "unmerge" and rng.random() < 0.3
            acted.append(worker.ask("act", space=space, act=act, named=named, block=block))

    sent = tasks(rng, bridges=True)
    with ThreadPoolExecutor(2) as pool:
        undoing = [pool.submit(undo, worker, random.Random(seed + n)) for n, worker in enumerate(race.workers)]
        try:
            answers = send(race.workers, space, sent)
        finally:
            over.set()
        for each in undoing:
            each.result()

    assert {each for each in acted if isinstance(each, str)} <= REFUSED
    settle(race, space, sent, answers)


def test_nothing_on_the_wrong_side(race: Race) -> None:
    """Parted for good while both go on, each has what is hers and nothing of the other's."""
    rng = random.Random(7)
    space = race.space()
    change = race.workers[0].ask("rules", space=space, document={"limits": {"user_id": {"max": 2}}})
    first = [
        {"type": "identify", "userId": person, "anonymousId": f"{person}-1", "traits": {"email": f"{person}@x.org"}}
        for person in PEOPLE
    ]
    glue = {"type": "track", "event": "E", "anonymousId": "ann-1", "context": {"traits": {"email": "bob@x.org"}}}
    ((made,),) = send(race.workers, space, [[{"items": [*first, glue], "server": True, "source": 1}]])
    assert len(made[-1]["merged"]) == 1
    sent = tasks(rng, bridges=False)
    bobs = ["user_id:bob", "anonymous_id:bob-1", "email:bob@x.org"]
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send, race.workers, space, sent)
        parted = race.workers[0].ask("act", space=space, act="unmerge", named=bobs, block=True)
        answers = sending.result()
    assert isinstance(parted, dict), parted
    differences = race.lab.differences(space, [(change[0], change[1])])
    assert not differences, "\n".join(differences)
    stored = race.stored(space)
    for person, other in (PEOPLE, PEOPLE[::-1]):
        root = stored.profiles[stored.owners[stored.keys.identifier("user_id", person)]].root
        assert root != stored.profiles[stored.owners[stored.keys.identifier("user_id", other)]].root
        origins = [id_ for id_, profile in stored.profiles.items() if profile.root == root]
        found = {name for id_ in origins if id_ in stored.documents for name in stored.documents[id_].traits}
        assert other not in found
    assert len([outcome for task in answers for answer in task for outcome in answer]) == sum(
        len(request["items"]) for task in sent for request in task
    )


@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 4))])
def test_killed_in_the_middle(race: Race, seed: int) -> None:
    """Of acts that a kill -9 ends, each is there whole or not at all; what was answered is there."""
    rng = random.Random(seed)
    space = race.space()
    victim = Worker(race.lab)
    answered: list[Any] = []

    def undo() -> None:
        for number in range(10_000):
            person = PEOPLE[number % 2]
            both = {"type": "identify", "userId": person, "anonymousId": f"{person}-1", "traits": {person: number}}
            victim.ask("send", space=space, tasks=[[{"items": [both], "server": True, "source": 1}]])
            named = [f"anonymous_id:{person}-1"]
            answered.append(victim.ask("act", space=space, act="unmerge", named=named, block=False))

    with ThreadPoolExecutor(1) as pool:
        undoing = pool.submit(undo)
        while len(answered) < 2:
            time.sleep(0.01)
        time.sleep(rng.random() / 5)
        victim.kill()
        with pytest.raises(RuntimeError):
            undoing.result()

    differences = race.lab.differences(space)
    assert not differences, "\n".join(differences)
    acts = [logged for logged in race.stored(space).log if STORED_KINDS[logged.kept_call.kind] == "unmerge"]
    done = [answer for answer in answered if isinstance(answer, dict)]
    assert len(done) <= len(acts) <= len(done) + 1
