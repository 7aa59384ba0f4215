"""The names of one space hold up no other space, and a name that failed is not looked up again at once."""

import asyncio
from collections.abc import Sequence

from identity.webhooks.host_lookups import OF_A_SPACE, REMEMBERED, HostLookups

ONE, OTHER = b"1" * 16, b"2" * 16


class Names:
    """A resolver that knows one host, and gets no answer for others until it is ended."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.end = asyncio.Event()

    async def __call__(self, host: str, _port: int) -> Sequence[str]:
        """Look a host up."""
        self.asked.append(host)
        if host == "known.example":
            return ["192.0.2.1"]
        await self.end.wait()
        raise OSError


async def test_names_that_never_resolve_take_the_places_of_their_space_alone() -> None:
    """Also where the callers went away: the system goes on looking."""
    names = Names()
    lookups = HostLookups(names)
    hanging = [asyncio.create_task(lookups.addresses(f"h{at}.example", 443, ONE)) for at in range(OF_A_SPACE)]
    await asyncio.sleep(0)
    for each in hanging:
        each.cancel()
    waiting = asyncio.create_task(lookups.addresses("known.example", 443, ONE))

    assert await lookups.addresses("known.example", 443, OTHER) == ["192.0.2.1"]
    assert not waiting.done()
    names.end.set()
    assert await waiting == ["192.0.2.1"]


async def test_a_host_that_failed_is_taken_for_unknown_for_a_time() -> None:
    """Of any space; then it is looked up again."""
    names, now = Names(), [5.0]
    names.end.set()
    lookups = HostLookups(names, lambda: now[0])

    assert await lookups.addresses("gone.example", 443, ONE) == ()
    assert await lookups.addresses("gone.example", 8443, OTHER) == ()
    assert names.asked == ["gone.example"]
    now[0] += REMEMBERED
    assert await lookups.addresses("gone.example", 443, ONE) == ()
    assert len(names.asked) == 2
