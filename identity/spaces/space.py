"""An open space: what every journey needs of one, read once and kept for this process.

What is kept here either never changes (place, long-lived keys, numbers of types) or is named by
its version (rules, index key), so nothing kept can be stale: whoever finds that the gate names another
version takes that up and begins again. That a space still exists is not kept: the gate says so to
writers, the key of the caller to readers.
"""

import asyncio
import time
from base64 import b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable
from functools import wraps
from hmac import compare_digest
from typing import Any, NamedTuple, ParamSpec, TypeVar

import msgspec

from identity.planning.resolution.resolution_rules import DEFAULT_RULES, Rules, compile_rules
from identity.spaces.ledger_publication import check, publish
from identity.store.corrections import rules as stored
from identity.store.corrections.connected_profiles import gate as read_gate
from identity.store.keys import index_key_rotation
from identity.store.postgres.database import Connection, Database
from identity.store.postgres.tenant import Tenant
from identity.store.spaces import spaces_and_keys
from identity.values.calls import Call
from identity.values.errors import BadCursor, KeyRenamed, KeyUnavailable
from identity.values.identifiers import BUILT_IN
from identity.vault.journal import Journal
from identity.vault.keyring import Keyring
from identity.vault.seal import RULES, TYPE_NAME
from identity.vault.space_keys import SpaceKeys

_KEPT_RULES = 4
_MAC = 16
_RULES_SECONDS = 2.0

P = ParamSpec("P")
R = TypeVar("R")


def retry_on_key_rotation(read: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Reads once more where a key went between the reading of a row and its opening.

    A roll destroys the old epoch, an unmerge the old key of what it splits, a rotation of the index key
    gives everything a new name.
    """

    @wraps(read)
    async def reading(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await read(*args, **kwargs)
        except KeyUnavailable:
            for given in args:
                if isinstance(given, Space):
                    await given.refresh_versions()
            return await read(*args, **kwargs)

    return reading


class Older(NamedTuple):
    """Older keys -> newest ones: of identifiers and groups that may still lie under the older, of messages.

    `hashes` are those of identifiers that no more than a hash may be kept of.
    """

    identifiers: dict[bytes, bytes]
    groups: dict[bytes, bytes]
    hashes: dict[bytes, bytes]
    messages: dict[bytes, bytes]


class Space:
    """One space, opened. `public_id` is 16 bytes."""

    def __init__(
        self, tenant: Tenant, public_id: bytes, name: str, keys: SpaceKeys, database: Database, journal: Journal
    ) -> None:
        self.tenant = tenant
        self.public_id = public_id
        self.name = name
        self.keys = keys
        self.journal = journal
        self.rules_version: int | None = None
        self._asked = 0.0
        self.codes: dict[str, int] = {name: code for code, name in enumerate(BUILT_IN, 1)}
        self.names: dict[int, str] = {code: name for name, code in self.codes.items()}
        self.database = database
        self._rules: OrderedDict[int, Rules] = OrderedDict()
        self._types_read = False

    async def rules(self, version: int | None = None) -> Rules:
        """A version of the rules; None: the newest, as of at most two seconds ago.

        Whoever acts on them compares their version with the gate's.
        """
        if version is None:
            version = await self._newest()
        if version == 0:
            return DEFAULT_RULES
        known = self._rules.get(version)
        if known is None:
            async with self.database.reading() as connection:
                sealed = await stored.read(connection, self.tenant.id, version)
            if sealed is None:
                raise KeyUnavailable
            document = self.keys.open(RULES, self.public_id, version, sealed)
            known = self._rules[version] = compile_rules(msgspec.json.decode(document), version)
            while len(self._rules) > _KEPT_RULES:
                self._rules.popitem(last=False)
        self.rules_version = max(version, self.rules_version or 0)
        return known

    async def _newest(self) -> int:
        if self.rules_version is None or time.monotonic() > self._asked + _RULES_SECONDS:
            async with self.database.reading() as connection:
                self.rules_version = await stored.current(connection, self.tenant.id)
            self._asked = time.monotonic()
        return self.rules_version

    async def publish(self) -> None:
        """Has the journal say all that the ledger says; what is acknowledged rests on it. KeyUnavailable."""
        await publish(self.database, self.tenant, self.journal)

    async def refresh_versions(self) -> None:
        """Takes up the versions of the index key that the gate names now. SpaceNotFound."""
        async with self.database.reading() as connection:
            gate = await read_gate(connection, self.tenant.id)
        self.keys.set_versions(gate.versions)

    async def same_index(self, connection: Connection, newest: int) -> None:
        """KeyRenamed where what was read by now may bear names under a newer index key than this."""
        if (await read_gate(connection, self.tenant.id)).newest != newest:
            raise KeyRenamed

    def seal_rules(self, rules: Rules) -> bytes:
        """A rules document as it is stored."""
        return self.keys.seal(RULES, self.public_id, rules.version, msgspec.json.encode(rules.document()))

    def index(self, call: Call, keys: set[bytes]) -> None:
        """Sets the blind indexes of everything a call names, and collects those of identifiers."""
        blind = self.keys.identifier
        for identifier in call.identifiers:
            identifier.key = blind(identifier.type, identifier.value)
            keys.add(identifier.key)
        for skipped in call.skipped:
            if skipped.reason == "blocked":
                skipped.identifier.key = blind(skipped.identifier.type, skipped.identifier.value)
        alias = call.alias
        if alias is not None:
            for previous in (alias.user, alias.anonymous):
                if previous is not None:
                    previous.key = blind(previous.type, previous.value)
                    keys.add(previous.key)
        for named in call.unlinked:
            named.key = blind(named.type, named.value)
        call.message = self.keys.message(call.message_id)
        if call.group is not None:
            call.group_key = self.keys.group(call.group)

    def older(self, calls: Iterable[Call]) -> Older:
        """What the calls name, as it was called under older versions of the index key."""
        versions, keys = self.keys.versions, self.keys
        found = Older({}, {}, {}, {})
        for version in range(versions.oldest, versions.newest):
            index = keys.index(version)
            for call in calls:
                alias = call.alias
                named = [*call.identifiers, *call.unlinked]
                if alias is not None:
                    named += [i for i in (alias.user, alias.anonymous) if i is not None]
                hashes = {index.identifier(each.type, each.value): each.key for each in named}
                found.hashes.update(hashes)
                if version >= versions.live:
                    found.identifiers.update(hashes)
                    if call.group is not None:
                        found.groups[index.group(call.group)] = call.group_key
                if version >= versions.messages:
                    found.messages[index.message(call.message_id)] = call.message
        return found

    def write_cursor(self, domain: bytes, position: bytes) -> str:
        """A place in a list, opaque, good for this list of this space only."""
        return urlsafe_b64encode(self.keys.mac(domain, position) + position).decode()

    def read_cursor(self, domain: bytes, cursor: str) -> bytes:
        """The inverse of `write_cursor`. BadCursor for anything else."""
        try:
            raw = b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
        except ValueError as error:
            raise BadCursor from error
        if not compare_digest(raw[:_MAC], self.keys.mac(domain, raw[_MAC:])):
            raise BadCursor
        return raw[_MAC:]

    async def know_types(self, names: set[str]) -> None:
        """Makes sure that these types have numbers, as far as the space may have more types."""
        if not self._types_read:
            await self._read_types()
        for name in sorted(names - self.codes.keys()):
            await self._add_type(name)

    async def room_for(self, names: set[str]) -> set[str]:
        """Which of these types the space could have, without giving them numbers."""
        await self._read_types()
        taken = sum(code >= stored.FIRST_CODE for code in self.names)
        new = sorted(names - self.codes.keys())
        return (names & self.codes.keys()) | set(new[: max(stored.MOST_TYPES - taken, 0)])

    async def read_types(self) -> dict[int, str]:
        """The names of all types by their numbers, those of other processes included."""
        await self._read_types()
        return self.names

    async def _read_types(self) -> None:
        async with self.database.reading() as connection:
            found = await stored.types(connection, self.tenant.id)
        for code, sealed in found:
            if code not in self.names:
                name = self.keys.open(TYPE_NAME, self.public_id, code, sealed).decode()
                self.names[code] = name
                self.codes[name] = code
        self._types_read = True

    async def _add_type(self, name: str) -> None:
        while name not in self.codes:
            taken = [code for code in self.names if code >= stored.FIRST_CODE]
            if len(taken) >= stored.MOST_TYPES:
                return
            code = max(taken, default=stored.FIRST_CODE - 1) + 1
            sealed = self.keys.seal(TYPE_NAME, self.public_id, code, name.encode())
            async with self.database.transaction() as connection:
                # Two keys of one name would be two types.
                gate = await read_gate(connection, self.tenant.id, share=True)
                self.keys.set_versions(gate.versions)
                await stored.add_type(connection, self.tenant.id, self.keys.type_name(name), code, sealed)
            await self._read_types()


class Spaces:
    """The spaces this process has opened."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self.database = database
        self.keyring = keyring
        self._open: dict[int, Space] = {}

    async def get(self, space_id: int) -> Space:
        """A space by its number. SpaceNotFound; KeyUnavailable when its keys cannot be read.

        Quarantined or LedgerBroken where its ledger and its journal do not agree.
        """
        space = self._open.get(space_id)
        if space is None:
            opened = await self.restored(space_id)
            await check(self.database, opened.tenant, opened.journal)
            # Another task may have opened it meanwhile, and what it knows of types must be shared.
            space = self._open.setdefault(space_id, opened)
        return space

    async def restored(self, space_id: int) -> Space:
        """A space whose ledger and journal need not agree: for whoever brings it in order, and nobody else."""
        async with self.database.reading() as connection:
            row = await spaces_and_keys.find_space(connection, space_id)
            gate = await read_gate(connection, space_id)
        keys = self.keyring.space(row.public_id)
        keys.set_versions(gate.versions)
        journal = await asyncio.to_thread(self.keyring.journal, row.public_id)
        tenant = Tenant(row.id, row.bucket_base, row.spread)
        return Space(tenant, row.public_id, row.name, keys, self.database, journal)

    async def refresh_versions(self) -> None:
        """Takes up what other processes did to the index keys, and forgets those that they destroyed."""
        async with self.database.reading() as connection:
            found = await index_key_rotation.versions(connection)
        for space_id, versions in found:
            space = self._open.get(space_id)
            if space is not None:
                space.keys.set_versions(versions)

    async def forget_deleted(self) -> None:
        """Drops what is kept of spaces that another process deleted."""
        async with self.database.reading() as connection:
            live = {row.id for row in await spaces_and_keys.list_spaces(connection)}
        for space_id in [id_ for id_ in self._open if id_ not in live]:
            self.forget(space_id)

    def forget(self, space_id: int) -> None:
        """Drops what is kept of a space that was deleted, its keys included."""
        space = self._open.pop(space_id, None)
        if space is not None:
            self.keyring.forget(space.public_id)
