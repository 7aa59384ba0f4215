"""Plants values with requests, and keeps every refusal: none of them may repeat a value."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from msgspec import Struct

from app.commands.leak_scan.planted_values import PlantedValues
from app.commands.leak_scan.space_client import Ask
from identity.values.errors import DatabaseUnavailable

_REFUSED: Final = 400
_LEADING: Final = 14  # characters of a path that are never a planted value


class RefusedRequest(NamedTuple):
    """What a server answered to a request that it did not take."""

    request: str
    status: int
    content: bytes


class PlantedPerson(Struct, frozen=True):
    """The identifiers of one planted person."""

    user: str
    anonymous: str
    email: str
    phone: str
    group: str


class Planter:
    """Makes requests that carry planted values."""

    def __init__(self, values: PlantedValues, ask: Ask) -> None:
        self.values = values
        self.refusals: list[RefusedRequest] = []
        self.not_planted: list[str] = []
        self.accepted = 0
        self._ask = ask

    def new(self, kind: str, *, small: bool = False, hashed: bool = False) -> str:
        """A fresh value for a kind of place."""
        return self.values.new(kind, small=small, hashed=hashed)

    def answer(
        self, key: str, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """One request; its status and answer. A refusal is kept."""
        status, content = self._ask(key, method, path, body, headers)
        if status >= _REFUSED:
            self.refusals.append(RefusedRequest(f"{method} {path[:_LEADING]}", status, content))
        elif method == "POST" and path.startswith("/v1/"):
            self.accepted += 1
        return status, content

    def send(self, key: str, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> int:
        """One request that may be refused; its status."""
        return self.answer(key, method, path, body, headers)[0]

    def must(
        self, key: str, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """One request that has to be taken; its answer. DatabaseUnavailable where it is refused."""
        status, content = self.answer(key, method, path, body, headers)
        if status // 100 != 2:  # noqa: PLR2004
            raise DatabaseUnavailable(
                f"The server answered a {method} request of the leak scan with status {status}, so its value could "
                "not be planted; see the log of the server, then try again."
            )
        return content

    def if_offered(self, kind: str, key: str, method: str, path: str, body: Any = None) -> None:
        """A request that this version or this machine may not take; a refusal lists the kind as not planted."""
        if self.send(key, method, path, body) // 100 != 2:  # noqa: PLR2004
            self.not_planted.append(kind)

    def send_raw(self, text: str) -> None:
        """Bytes that are no proper request."""
        self.refusals.append(RefusedRequest("unreadable", _REFUSED, self._ask.send_raw(text.encode())))
