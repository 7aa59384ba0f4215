"""Several servers that write at once store the same rows as one planner with the same calls in turn.

Two processes with four writer connections each, on one database, with calls of servers, of public keys and of public
keys with identity tokens. Which call comes first is up to the race; the stamps say which did, and the replay of that
order has to give the same rows.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.integrity.stored_rows import Stored
from tests.support.keys.token_signer import Sign, token_signer
from tests.support.planning import traffic
from tests.support.processes.writer_processes import Lab, Worker, run, send

# A race does not repeat itself, so nothing is gained by shrinking or by trying again.
RACES = settings(phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck), deadline=None)


class Pair:
    """Two servers on one database, and a space to write to."""

    def __init__(self, lab: Lab, **second: Any) -> None:
        self.lab = lab
        self.workers = [Worker(lab), Worker(lab, **second)]

    def space(self) -> int:
        """A new space."""
        return self.signing_space()[0]

    def signing_space(self) -> tuple[int, Sign]:
        """A new space with an identity key, and what signs the claims of a token for it."""

        async def make() -> tuple[int, Sign]:
            spaces = await self.lab.open()
            try:
                space = await self.lab.space(spaces)
                return space.tenant.id, await token_signer(space)
            finally:
                await spaces.database.close()

        made: tuple[int, Sign] = run(make())
        return made

    def stored(self, space: int) -> Stored:
        """The stored rows."""
        return Stored(self.lab.url, self.lab.keyring(), space)


@pytest.fixture(scope="module")
def pair(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two servers of one host."""
    made = Pair(Lab(url, tmp_path_factory.mktemp("serial")))
    yield made
    for worker in made.workers:
        worker.close()


@pytest.fixture(scope="module")
def skewed(pair: Pair) -> Iterator[Pair]:
    """Two servers whose clocks are seven seconds apart."""
    made = Pair(pair.lab, ahead=7)
    yield made
    for worker in made.workers:
        worker.close()


def settle(
    pair: Pair, space: int, sent: list[Any], answers: list[Any], changes: list[tuple[int, int]], *, one_clock: bool
) -> None:
    """Asserts every invariant after all answers. A message id counts once for each class of call."""
    differences = pair.lab.differences(space, changes)
    assert not differences, "\n".join(differences)
    outcomes = [outcome for task in answers for answer in task for outcome in answer]
    assert all(isinstance(outcome, dict) for outcome in outcomes), Counter(map(str, outcomes))
    log = [(logged.kept_call.server, logged.kept_call.message_id) for logged in pair.stored(space).log]
    by_task = [
        [(request["server"], each) for request, answer in zip(*task, strict=True) for each in answer]
        for task in zip(sent, answers, strict=True)
    ]
    accepted = [[(server, o["message_id"]) for server, o in task if o["status"] == "accepted"] for task in by_task]
    assert sorted(each for task in accepted for each in task) == sorted(log)
    duplicates = {(server, o["message_id"]) for task in by_task for server, o in task if o["status"] == "duplicate"}
    assert duplicates <= set(log)
    if not one_clock:
        return
    place = {message: at for at, message in enumerate(log)}
    # An answer does not say whether a token of its call was good: a public key may have two calls of one message id.
    twice = {message for message, times in Counter(log).items() if times > 1}
    for task in accepted:
        mine = [place[message] for message in task if message not in twice]
        assert mine == sorted(mine), "a call precedes one that was answered before it was sent"


def race(pair: Pair, sent: list[Any], rules: list[Any], *, one_clock: bool = True) -> None:
    """Sends all at once, while the rules change; then everything has to hold."""
    space, sign = pair.signing_space()
    sent = [[traffic.signed_calls(each, sign) for each in task] for task in sent]
    changes: list[tuple[int, int]] = []

    def put(document: Any, worker: Worker) -> None:
        change = worker.ask("rules", space=space, document=document)
        # Rules that equal those in force make no version.
        if change is not None and (change := tuple(change)) not in changes:
            changes.append(change)

    if rules:
        put(rules[0], pair.workers[0])
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send, pair.workers, space, sent)
        for nr, document in enumerate(rules[1:]):
            put(document, pair.workers[nr % 2])
        answers = sending.result()
    settle(pair, space, sent, answers, changes, one_clock=one_clock)


@settings(RACES, max_examples=8)
@given(sent=traffic.tasks(), rules=st.lists(traffic.rules, max_size=3))
def test_two_servers_equal_the_planner(pair: Pair, sent: list[Any], rules: list[Any]) -> None:
    """Partition, traits, consent, memberships and log are those of the stamps' order."""
    race(pair, sent, rules)


@settings(RACES, max_examples=5)
@given(sent=traffic.tasks())
def test_clocks_that_differ(skewed: Pair, sent: list[Any]) -> None:
    """Stamps give one serial order, although one server's clock is seven seconds ahead."""
    race(skewed, sent, [], one_clock=False)


@pytest.mark.soak
@settings(RACES, max_examples=3_000)
@given(sent=st.integers(8, 24).flatmap(traffic.tasks), rules=st.lists(traffic.rules, max_size=5))
def test_concurrent_writers_equal_a_serial_order_over_many_examples(
    pair: Pair, sent: list[Any], rules: list[Any]
) -> None:
    """The same over thousands of examples."""
    race(pair, sent, rules)


@pytest.mark.soak
@settings(RACES, max_examples=1_000)
@given(sent=traffic.tasks())
def test_clocks_that_differ_over_many_examples(skewed: Pair, sent: list[Any]) -> None:
    """The same with clocks that differ, over a thousand examples."""
    race(skewed, sent, [], one_clock=False)


def test_a_difference_is_seen(pair: Pair) -> None:
    """The comparison notices a row that differs from the planner's, in any table."""
    space = pair.space()
    send(pair.workers, space, [[{"items": SOME}]])
    assert pair.lab.differences(space) == []
    for change in CHANGES:
        table, _, rest = change.partition(" ")
        pair.lab.query(f"CREATE TABLE kept AS SELECT * FROM {table} WHERE space_id = {space}")
        pair.lab.query(
            f"{'DELETE FROM' if rest == 'gone' else 'UPDATE'} {table}"
            + (f" WHERE space_id = {space}" if rest == "gone" else f" SET {rest} WHERE space_id = {space}")
        )
        try:
            found = pair.lab.differences(space)
        except (AssertionError, KeyError):
            found = ["broken"]
        assert found, change
        pair.lab.query(f"DELETE FROM {table} WHERE space_id = {space}")
        pair.lab.query(f"INSERT INTO {table} SELECT * FROM kept")
        pair.lab.query("DROP TABLE kept")
    assert pair.lab.differences(space) == []


SOME: list[dict[str, Any]] = [
    {"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"email": "x@y.org", "plan": "pro"}},
    {"type": "track", "event": "E", "userId": "u1"},
    {"type": "track", "event": "E", "userId": "u1"},
    {"type": "track", "event": "E", "anonymousId": "a2"},
    {"type": "track", "event": "E", "userId": "u1", "anonymousId": "a2"},
    {"type": "group", "userId": "u1", "groupId": "g", "traits": {"n": 1}},
]
CHANGES = [
    "profile version = version + 1",
    "profile stamp = stamp + 1",
    "profile events = events + 1",
    "profile born = born - 1",
    "profile head = profile_id",
    "profile canonical = gen_random_uuid()",
    "profile elder = elder + 1",
    "profile joined_at = NULL",
    "profile own = coalesce(folded, own), folded = own",
    "profile_document gone",
    "profile_identifier retired = true",
    "profile_identifier last_seen = last_seen + 1",
    "profile_identifier gone",
    "identifier gone",
    "evidence gone",
    "evidence kept = ''",
    "event gone",
    "history gone",
    "history kind = 2",
    "sighting count = count + 1",
    "sighting first_seen = first_seen - 1",
    "membership gone",
    "account gone",
    "message gone",
    "change gone",
    "lane_head seq = seq + 1",
]
