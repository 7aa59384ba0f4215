"""Spaces and their keys: who exists, and who may do what.

A secret is shown once and kept as a hash (`identity.values.api_key_secrets`).
"""

import asyncio
import hmac
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import structlog
from msgspec import Struct

from identity.planning.resolution.event_time import format_time
from identity.spaces.space import Spaces
from identity.store.ledger import ledger
from identity.store.spaces import spaces_and_keys
from identity.values.api_key_secrets import hash_of, id_of, new_secret
from identity.values.errors import BadInput, KeyUnavailable, NotConfirmed, SpaceNotFound, Unauthorised
from identity.values.ids import new_id, private, public

OPERATOR = "operator"
SCOPES = ("write", "import", "profiles:read", "legal:read", "privacy", "admin")
# The keys a new space comes with: name in the answer -> scopes.
FIRST_KEYS = {
    "write": ["write"],
    "import": ["import"],
    "profiles": ["profiles:read"],
    "privacy": ["privacy"],
    "admin": ["admin"],
}
LONGEST_NAME = 200
_CACHE_SECONDS = 2.0
_CACHED = 4_096
_Found = tuple[spaces_and_keys.ApiKeyRow, bytes] | None

_log = structlog.get_logger(__name__)


class Caller(Struct, frozen=True):
    """Who calls: a key of a space and what it may do. `key` is its number, `key_id` is public."""

    space_id: int
    key: int
    key_id: str
    name: str
    scopes: frozenset[str]

    @property
    def server(self) -> bool:
        """Whether this is a server-side key, which is told outcomes and may rename user ids."""
        return not self.scopes.isdisjoint(("import", "admin"))


class KeyCheck:
    """Knows the callers by their secrets; what it knows is at most two seconds old.

    There is one question to the database at a time, for all keys that were shown meanwhile: a
    flood of keys that nobody has costs one connection and keeps no other key out.
    """

    def __init__(self, spaces: Spaces) -> None:
        self._spaces = spaces
        self._known: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()
        self._asked: dict[str, asyncio.Future[_Found]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def caller(self, secret: str) -> Caller:
        """The caller that a secret belongs to. Unauthorised if there is none."""
        key_id = id_of(secret)
        if key_id is None:
            raise Unauthorised
        hash_ = hash_of(secret)
        known = self._known.get(hash_)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        found = await self._find(key_id)
        if found is None or not hmac.compare_digest(found[1], hash_):
            self._known.pop(hash_, None)
            raise Unauthorised
        key = found[0]
        caller = Caller(key.space_id, key.id, key.public_id, key.name, frozenset(key.scopes))
        self._known[hash_] = (time.monotonic() + _CACHE_SECONDS, caller)
        while len(self._known) > _CACHED:
            self._known.popitem(last=False)
        return caller

    async def _find(self, key_id: str) -> _Found:
        asked = self._asked.get(key_id)
        if asked is None:
            asked = self._asked[key_id] = asyncio.get_running_loop().create_future()
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask())
        # Who goes away must not take the answer from the others.
        return await asyncio.shield(asked)

    async def _ask(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, {}
            try:
                async with self._spaces.database.reading() as connection:
                    found = await spaces_and_keys.find_keys(connection, list(asked))
            except Exception as error:  # noqa: BLE001 (whatever it is, those who asked have to hear of it)
                for future in asked.values():
                    future.set_exception(error)
                    future.exception()  # maybe nobody waits any more
            else:
                for key_id, future in asked.items():
                    future.set_result(found.get(key_id))

    def revoked(self, key_id: str) -> None:
        """Forgets a key at once in this process."""
        for hash_ in [h for h, (_, caller) in self._known.items() if caller.key_id == key_id]:
            del self._known[hash_]

    def closed(self, space_id: int) -> None:
        """Forgets all keys of a space at once in this process."""
        for hash_ in [h for h, (_, caller) in self._known.items() if caller.space_id == space_id]:
            del self._known[hash_]


async def create_space(spaces: Spaces, name: str) -> dict[str, Any]:
    """A new space with one key per purpose; their secrets are shown this once."""
    name = _name(name)
    public_id = new_id()
    # The keys lie in the key store before anything names them; a crash here leaves a folder.
    await asyncio.to_thread(spaces.keyring.create_space, public_id)
    shown = {}
    async with spaces.database.transaction() as connection:
        space = await spaces_and_keys.create_space(connection, public_id, name, time.time_ns() // 1000 << 8)
        for purpose, scopes in FIRST_KEYS.items():
            key_id, secret = new_secret()
            await spaces_and_keys.create_key(connection, space.id, key_id, purpose, scopes, hash_of(secret))
            shown[purpose] = secret
        await ledger.note(connection, space.id, OPERATOR, "space.create", public("spc", public_id))
    await (await spaces.get(space.id)).publish()
    return {"space_id": public("spc", public_id), "name": name, "keys": shown}


async def list_spaces(spaces: Spaces) -> list[dict[str, Any]]:
    """All spaces, oldest first."""
    async with spaces.database.reading() as connection:
        found = await spaces_and_keys.list_spaces(connection)
    return [
        {"space_id": public("spc", row.public_id), "name": row.name, "created_at": _time(row.created_at)}
        for row in found
    ]


async def delete_space(spaces: Spaces, space_id: str, confirm: str | None) -> int:
    """Closes a space and destroys its keys; what is left of it can no longer be read by anyone.

    Returns its number. The rows go later, by a job.
    """
    public_id = private("spc", space_id)
    if public_id is None:
        raise SpaceNotFound
    async with spaces.database.transaction() as connection:
        space = await spaces_and_keys.find_public_space(connection, public_id)
        if confirm != space.name:
            raise NotConfirmed
        await spaces_and_keys.delete_space(connection, space.id)
        await ledger.note(connection, space.id, OPERATOR, "space.delete", space_id)
    spaces.forget(space.id)
    try:
        await asyncio.to_thread(spaces.keyring.destroy_space, public_id)
    except KeyUnavailable as error:
        # It is closed, and the purge destroys the keys before it forgets the space.
        _log.warning("space.keys_left", exc_info=error)
    return space.id


async def create_key(spaces: Spaces, caller: Caller, name: str, scopes: Sequence[str]) -> dict[str, Any]:
    """A new key of the caller's space; its secret is shown this once."""
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        message = f"A key needs scopes out of: {', '.join(SCOPES)}."
        raise BadInput(message)
    name = _name(name)
    key_id, secret = new_secret()
    async with spaces.database.transaction() as connection:
        await spaces_and_keys.create_key(
            connection, caller.space_id, key_id, name, sorted(set(scopes)), hash_of(secret)
        )
        await ledger.note(connection, caller.space_id, caller.key_id, "key.create", key_id)
    return {"key_id": key_id, "secret": secret, "name": name, "scopes": sorted(set(scopes))}


async def list_keys(spaces: Spaces, caller: Caller) -> list[dict[str, Any]]:
    """The live keys of the caller's space, without their secrets."""
    async with spaces.database.reading() as connection:
        found = await spaces_and_keys.list_keys(connection, caller.space_id)
    return [
        {"key_id": key.public_id, "name": key.name, "scopes": key.scopes, "created_at": _time(key.created_at)}
        for key in found
    ]


async def revoke_key(spaces: Spaces, caller: Caller, key_id: str) -> None:
    """Ends a key of the caller's space; other processes notice within two seconds."""
    async with spaces.database.transaction() as connection:
        await spaces_and_keys.revoke_key(connection, caller.space_id, key_id)
        await ledger.note(connection, caller.space_id, caller.key_id, "key.revoke", key_id)


def _name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        message = f"A name needs 1 to {LONGEST_NAME} printable characters."
        raise BadInput(message)
    return name


def _time(moment: Any) -> str:
    return format_time(int(moment.timestamp() * 1_000_000))
