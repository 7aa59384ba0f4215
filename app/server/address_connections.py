"""Bounds how many connections one address holds, and keeps room for probes where no other connection finds any.

A connection without room is on trial: its request is answered if it is a probe of the process, and refused otherwise.
The connections on trial are few, and the oldest gives way to the next. A probe sends its request at once, so idle
connections keep no probe out.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from app.server.client_address import Network, forwarded_address, peer_is_proxy

PROBES: Final = frozenset({b"/healthz", b"/readyz"})
MOST_ON_TRIAL: Final = 64


class AddressConnections:
    """The open connections of each address; with a bound of 0 none is on trial for its address."""

    def __init__(self, most: int, proxies: Sequence[Network] = ()) -> None:
        self._most = most
        self._proxies = proxies
        self._open: dict[str, int] = {}
        self._on_trial: OrderedDict[int, Callable[[], None]] = OrderedDict()

    @property
    def on_trial(self) -> int:
        """How many connections are on trial."""
        return len(self._on_trial)

    def enter(self, peer: str) -> bool:
        """Count a connection; whether its address has room for it. A proxy has the connections of many clients."""
        address = forwarded_address(peer, (), ())
        self._open[address] = self._open.get(address, 0) + 1
        return not self._most or self._open[address] <= self._most or peer_is_proxy(peer, self._proxies)

    def leave(self, peer: str) -> None:
        """Count a connection that has ended."""
        address = forwarded_address(peer, (), ())
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]

    def try_out(self, connection: int, give_way: Callable[[], None]) -> None:
        """Put a connection on trial; `give_way` is called where a later one takes its place."""
        self._on_trial[connection] = give_way
        if len(self._on_trial) > MOST_ON_TRIAL:
            _, oldest = self._on_trial.popitem(last=False)
            oldest()

    def end_trial(self, connection: int) -> None:
        """Take a connection off the list of those on trial."""
        self._on_trial.pop(connection, None)
