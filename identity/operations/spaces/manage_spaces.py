"""Creates and lists spaces and their API keys, revokes keys, and authenticates callers.

A secret is shown once and stored as a hash (`identity.values.api_key_secrets`).
"""

import asyncio
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from msgspec import Struct

from identity.planning.resolution.resolution_rules import GENERATIONS
from identity.spaces import vouched_keys
from identity.spaces.space import Spaces
from identity.store.ledger import ledger
from identity.store.ledger.ledger import OPERATOR
from identity.store.spaces import spaces_and_keys
from identity.values.api_key_secrets import hash_of, id_of, new_secret
from identity.values.enums import KeyScope
from identity.values.errors import BadInput, SpaceNotFound, Unauthorised
from identity.values.ids import SpaceId, SpaceNumber, new_id, public
from identity.values.ledger_actions import LedgerAction
from identity.values.plain_text import is_visible
from identity.values.stamps import Micros, first_stamp, wall_time
from identity.values.unknown_names import hint, shown
from identity.vault.threads import in_key_store
from identity.vault.vouching.ledger_entries import vouch_for_entry

SCOPES = tuple(scope.value for scope in KeyScope)
# The keys a new space comes with: name in the answer -> scopes.
FIRST_KEYS = {
    "write": [KeyScope.WRITE.value],
    "import": [KeyScope.IMPORT.value],
    "profiles": [KeyScope.PROFILES_READ.value],
    "privacy": [KeyScope.PRIVACY.value],
    "admin": [KeyScope.ADMIN.value],
}
LONGEST_NAME = 200
_CACHE_SECONDS = 2.0
_CACHED = 4_096
_Found = spaces_and_keys.VouchedKeyRow | None

_log = structlog.get_logger(__name__)


class SpaceSecrets(Struct, frozen=True):
    """A new space with the secrets of its first keys by purpose. No later call returns them."""

    id: SpaceId
    name: str
    keys: dict[str, str]


class SpaceEntry(Struct, frozen=True):
    """A space in the list of all."""

    id: SpaceId
    name: str
    created_at: Micros


class KeySecret(Struct, frozen=True):
    """A new key (by its public id). No later call returns its secret."""

    id: str
    secret: str
    name: str
    scopes: list[str]


class KeyEntry(Struct, frozen=True):
    """A key (by its public id), without its secret."""

    id: str
    name: str
    scopes: list[str]
    created_at: Micros


class Caller(Struct, frozen=True):
    """The API key of a request with its scopes. `key_number` is its number, `key_id` its public id."""

    space_id: SpaceNumber
    key_number: int
    key_id: str
    name: str
    scopes: frozenset[str]

    @property
    def server(self) -> bool:
        """Whether this is a server-side key, which sees outcomes and may rename user ids."""
        return not self.scopes.isdisjoint(("import", "admin"))


class KeyCheck:
    """Finds callers by their secrets, from a cache that is at most two seconds old.

    There is one query at a time, for all keys that arrived meanwhile. So a flood of unknown keys costs one
    connection and delays no valid key for long. A key whose row Onefold did not store is refused as an unknown one:
    see `identity.vault.vouching.api_keys`.
    """

    def __init__(
        self,
        spaces: Spaces,
        now: Callable[[], float] = time.monotonic,
        on_foreign_key: Callable[[], None] = lambda: None,
    ) -> None:
        self._spaces = spaces
        self._now = now
        self._known: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()
        self._asked: dict[str, asyncio.Future[_Found]] = {}
        self._asking: asyncio.Task[None] | None = None
        self._on_foreign_key = on_foreign_key

    async def caller(self, secret: str) -> Caller:
        """The caller of a secret. Unauthorised if there is none."""
        key_id = id_of(secret)
        if key_id is None:
            raise Unauthorised
        hash_ = hash_of(secret)
        known = self._known.get(hash_)
        if known is not None and known[0] > self._now():
            return known[1]
        found = await self._find(key_id)
        if found is None or not hmac.compare_digest(found.secret_hash, hash_) or not await self._vouched(found):
            self._known.pop(hash_, None)
            raise Unauthorised
        key = found.key
        caller = Caller(
            space_id=key.space_id, key_number=key.id, key_id=key.public_id, name=key.name, scopes=frozenset(key.scopes)
        )
        self._known[hash_] = (self._now() + _CACHE_SECONDS, caller)
        while len(self._known) > _CACHED:
            self._known.popitem(last=False)
        return caller

    async def _vouched(self, found: spaces_and_keys.VouchedKeyRow) -> bool:
        """Whether Onefold stored this key as it is, and did not revoke it. Unauthorised, Unavailable."""
        try:
            space = await self._spaces.get(found.key.space_id)
        except SpaceNotFound:
            raise Unauthorised from None
        if vouched_keys.is_in_force(found, space.keys, space.heads):
            return True
        self._on_foreign_key()
        _log.error("key.foreign", space=public("spc", found.space))
        return False

    async def _find(self, key_id: str) -> _Found:
        asked = self._asked.get(key_id)
        if asked is None:
            asked = self._asked[key_id] = asyncio.get_running_loop().create_future()
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask())
        # A cancelled request must not cancel the query for the others.
        return await asyncio.shield(asked)

    async def _ask(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, {}
            try:
                async with self._spaces.database.of_all_spaces.reading() as connection:
                    found = await spaces_and_keys.find_keys(connection, list(asked))
            except Exception as error:  # noqa: BLE001 (every error goes to the waiting requests)
                for future in asked.values():
                    future.set_exception(error)
                    future.exception()  # marks it as retrieved: every waiting request may be gone
            else:
                for key_id, future in asked.items():
                    future.set_result(found.get(key_id))

    def revoked(self, key_id: str) -> None:
        """Forget a key at once in this process."""
        for hash_ in [h for h, (_, caller) in self._known.items() if caller.key_id == key_id]:
            del self._known[hash_]

    def closed(self, space_id: SpaceNumber) -> None:
        """Forgets all keys of a space at once in this process."""
        for hash_ in [h for h, (_, caller) in self._known.items() if caller.space_id == space_id]:
            del self._known[hash_]


async def create_space(spaces: Spaces, name: str) -> SpaceSecrets:
    """Create a space with one key per purpose; no later call returns their secrets. BadInput."""
    name = _name(name)
    public_id = SpaceId(new_id())
    # The keys are in the key store before a row names them; a crash here leaves an unused folder.
    await in_key_store(spaces.keyring.create_space, public_id)
    keys = await in_key_store(spaces.keyring.space, public_id)
    first = [vouched_keys.UnstoredKey(*new_secret(), purpose, scopes) for purpose, scopes in FIRST_KEYS.items()]
    async with spaces.database.of_all_spaces.transaction() as connection:
        stamp, defaults = first_stamp(wall_time()), len(GENERATIONS) - 1
        space = await spaces_and_keys.create_space(connection, public_id, name, stamp, defaults)
        await vouched_keys.add_keys(connection, space.id, keys, *first)
        created = ledger.entry(
            OPERATOR, LedgerAction.SPACE_CREATED, public("spc", public_id), wall_time(), {"version": defaults}
        )
        await ledger.append(connection, space.id, *vouch_for_entry(keys, created))
    await (await spaces.get(space.id)).publish()
    return SpaceSecrets(public_id, name, {key.name: key.secret for key in first})


async def list_spaces(spaces: Spaces) -> list[SpaceEntry]:
    """All spaces, oldest first."""
    async with spaces.database.of_all_spaces.reading() as connection:
        found = await spaces_and_keys.list_spaces(connection)
    return [SpaceEntry(row.public_id, row.name, _time(row.created_at)) for row in found]


async def create_key(spaces: Spaces, caller: Caller, name: str, scopes: Sequence[str]) -> KeySecret:
    """Create a key of the caller's space; no later call returns its secret. BadInput."""
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        message = f"A key needs scopes out of: {', '.join(SCOPES)}."
        if unknown:
            message = f"No scope is called {shown(unknown[0], 'so', SCOPES)}. {hint(unknown[0], SCOPES)} {message}"
        raise BadInput(message)
    name = _name(name)
    key_id, secret = new_secret()
    space = await spaces.get(caller.space_id)
    async with space.database.transaction() as connection:
        new = vouched_keys.UnstoredKey(key_id, secret, name, sorted(set(scopes)))
        await vouched_keys.add_keys(connection, caller.space_id, space.keys, new)
        await ledger.note(connection, caller.space_id, caller.key_id, "key.create", key_id)
    return KeySecret(key_id, secret, name, sorted(set(scopes)))


async def list_keys(spaces: Spaces, caller: Caller) -> list[KeyEntry]:
    """The keys of the caller's space that are not revoked, without their secrets."""
    async with spaces.database.of_space(caller.space_id).reading() as connection:
        found = await spaces_and_keys.list_keys(connection, caller.space_id)
    return [KeyEntry(key.public_id, key.name, key.scopes, _time(key.created_at)) for key in found]


async def revoke_key(spaces: Spaces, caller: Caller, key_id: str) -> None:
    """Revoke a key of the caller's space; other processes notice within two seconds. KeyNotFound."""
    async with spaces.database.of_space(caller.space_id).transaction() as connection:
        await vouched_keys.revoke_key(connection, caller.space_id, key_id, caller.key_id)
    await (await spaces.get(caller.space_id)).publish()


def _name(name: str) -> str:
    name = name.strip()
    if len(name) > LONGEST_NAME or not name.isprintable() or not is_visible(name):
        message = f"A name needs 1 to {LONGEST_NAME} printable characters, and one of them that people can see."
        raise BadInput(message)
    return name


def _time(moment: datetime) -> Micros:
    return Micros(int(moment.timestamp() * 1_000_000))
