"""A key of a destination waits for changes once at a time."""

from app.server.long_polls import LongPolls


async def test_a_later_request_of_a_key_ends_the_one_before() -> None:
    """Requests of other keys wait on, and a request that is over ends no other."""
    polls = LongPolls()
    with polls.turn(1) as first, polls.turn(2) as other:
        with polls.turn(1) as second:
            assert first.is_set()
            assert not second.is_set()
        with polls.turn(1) as third:
            pass
        assert not third.is_set()
        assert not other.is_set()
