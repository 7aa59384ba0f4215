"""The space of a leak scan is deleted at its end, however it ends."""

import signal
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from app.commands import tour
from app.commands.leak_scan import scratch_server
from app.commands.tour import TourSpace
from identity.values.errors import DatabaseUnavailable

SPACE = "spc_" + "0" * 32


class Client:
    """Records the requests in place of a server."""

    status = 204
    asked: list[tuple[Any, ...]]
    answers: dict[str, list[tuple[int, bytes]]]

    def __init__(self, _url: str, keys: dict[str, str]) -> None:
        self.keys = keys

    def __call__(self, *given: Any) -> tuple[int, bytes]:
        """The next of the answers, or the status of all clients."""
        self.asked.append(given)
        return self.answers[given[1]].pop(0) if self.answers else (self.status, b"")


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Client]]:
    """The clients, in place of those that speak HTTP; the handlers of signals are as before at the end."""
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    fresh = type("Fresh", (Client,), {"asked": [], "answers": {}})
    monkeypatch.setattr(scratch_server, "SpaceClient", fresh)
    monkeypatch.setattr(tour, "create_space", lambda *_: TourSpace(SPACE, "scan", {"write": "of_w"}))
    yield fresh
    assert {each: signal.getsignal(each) for each in before} == before


def test_the_space_is_deleted_when_the_block_ends_or_fails(client: type[Client]) -> None:
    """By its id and name, with the operator token."""
    for failing in (False, True):
        client.asked.clear()
        space = scratch_server._with_space("http://x", "token")
        assert isinstance(space, Generator)
        found = next(space)
        assert isinstance(found, client)
        assert found.keys == {"write": "of_w", "operator": "token"}
        if failing:
            with pytest.raises(ValueError, match="scan"):
                space.throw(ValueError("scan"))
        else:
            assert list(space) == []
        ((key, method, path),) = client.asked
        assert (key, method) == ("operator", "DELETE")
        assert path.startswith(f"/v1/spaces/{SPACE}?confirm=scan%20")


def test_a_hold_is_released_where_it_forbids_the_deletion(client: type[Client]) -> None:
    """The hold that the scan plants is in force until the end of the scan, and ends with the space."""
    hold = "hld_" + "1" * 32
    client.answers = {"GET": [(200, hold.encode())], "DELETE": [(409, b""), (200, hold.encode()), (204, b"")]}
    space = scratch_server._with_space("http://x", "token")
    next(space)

    assert list(space) == []
    paths = [(key, method, path.split("?")[0]) for key, method, path in client.asked]
    deletion = ("operator", "DELETE", f"/v1/spaces/{SPACE}")
    assert paths == [deletion, ("privacy", "GET", "/v1/holds"), ("privacy", "DELETE", f"/v1/holds/{hold}"), deletion]


def test_a_space_that_stays_behind_is_named(client: type[Client]) -> None:
    """The operator can delete it."""
    client.status = 503
    space = scratch_server._with_space("http://x", "token")
    next(space)
    with pytest.raises(DatabaseUnavailable, match="scan "):
        list(space)


def test_a_signal_waits_until_the_space_has_an_id(client: type[Client], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ended between the creation and its answer, the command would leave the space behind."""

    def create(*_: str) -> TourSpace:
        signal.raise_signal(signal.SIGTERM)
        return TourSpace(SPACE, "scan", {})

    monkeypatch.setattr(tour, "create_space", create)
    with pytest.raises(KeyboardInterrupt):
        next(scratch_server._with_space("http://x", "token"))
    assert [method for _, method, _ in client.asked] == ["DELETE"]
