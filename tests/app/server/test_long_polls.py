"""A key of a destination waits for changes once at a time."""

import asyncio

from app.server.long_polls import LongPolls


class Poll:
    """A request that waits until a later one ends its wait."""

    def __init__(self, polls: LongPolls, key: int) -> None:
        self.task = asyncio.create_task(self._wait(polls, key))

    async def _wait(self, polls: LongPolls, key: int) -> bool:
        async with polls.turn(key) as reader:
            read = not reader.ended
            await reader.woken()
            return read


async def _pause() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_later_request_of_a_key_ends_the_one_before() -> None:
    """Requests of other keys wait on, and a request that is over ends no other."""
    polls = LongPolls()
    first, other = Poll(polls, 1), Poll(polls, 2)
    await _pause()
    second = Poll(polls, 1)
    await _pause()

    assert (first.task.done(), second.task.done(), other.task.done()) == (True, False, False)
    other.task.cancel()
    await _pause()
    assert not second.task.done()
    second.task.cancel()


async def test_of_many_requests_at_once_one_reads() -> None:
    """Those between the first and the last are ended before their turn."""
    polls = LongPolls()
    many = [Poll(polls, 1) for _ in range(900)]
    ended = await asyncio.gather(*(each.task for each in many[:-1]))

    assert ended == [True] + [False] * 898
    assert not many[-1].task.done()
    many[-1].task.cancel()
