"""The identifier types of one space: each has a number, which rows hold in place of the sealed name.

Invariant: a number never changes its type, and a space has a bounded number of types. One name has one number, with
one exception: where a release makes a type built-in that a space has as a custom type, the name has both numbers. Both
read as the name, and `read` gives new rows the older number, the one of the custom type.
"""

import asyncio

from identity.store.corrections import rules as stored_rules
from identity.store.postgres import space_lock
from identity.store.postgres.database import Connection, Database
from identity.values.identifiers import BUILT_IN
from identity.values.ids import SpaceNumber
from identity.vault.seal import TYPE_NAME
from identity.vault.space_keys import SpaceKeys


class IdentifierTypes:
    """`codes` are numbers by name and `names` are names by number, as far as this process has read them."""

    def __init__(self, space_id: SpaceNumber, keys: SpaceKeys, database: Database) -> None:
        self.codes: dict[str, int] = {name: code for code, name in enumerate(BUILT_IN, 1)}
        self.names: dict[int, str] = {code: name for name, code in self.codes.items()}
        self._space_id = space_id
        self._keys = keys
        self._database = database
        self._complete = False
        # Each addition waits for the space lock with a connection of the pool.
        self._adding = asyncio.Lock()

    async def ensure(self, names: set[str]) -> None:
        """Gives numbers to the types among these that have none, as long as the space may have more types."""
        if not self._complete:
            await self.read()
        async with self._adding:
            for name in sorted(names - self.codes.keys()):
                await self._add(name)

    async def possible(self, names: set[str]) -> set[str]:
        """The types among these that the space has or could have; none of them gets a number."""
        await self.read()
        taken = sum(code >= stored_rules.FIRST_CODE for code in self.names)
        new = sorted(names - self.codes.keys())
        return (names & self.codes.keys()) | set(new[: max(stored_rules.MOST_TYPES - taken, 0)])

    async def read(self, connection: Connection | None = None) -> dict[int, str]:
        """The names of all types by number, those that other processes added included.

        A caller that holds the space lock passes its connection: all others may wait for the lock.
        """
        if connection is None:
            async with self._database.reading() as own:
                found = await stored_rules.types(own, self._space_id)
        else:
            found = await stored_rules.types(connection, self._space_id)
        for code, sealed in found:
            if code not in self.names:
                name = self._keys.open(TYPE_NAME, self._keys.id, code, sealed).decode()
                self.names[code] = name
                self.codes[name] = code
        self._complete = True
        return self.names

    async def _add(self, name: str) -> None:
        while name not in self.codes:
            taken = [code for code in self.names if code >= stored_rules.FIRST_CODE]
            if len(taken) >= stored_rules.MOST_TYPES:
                return
            code = max(taken, default=stored_rules.FIRST_CODE - 1) + 1
            sealed = self._keys.seal(TYPE_NAME, self._keys.id, code, name.encode())
            async with self._database.transaction() as connection:
                # Under the space lock: one name with two keys would be two types.
                lock_row = await space_lock.share(connection, self._space_id)
                self._keys.set_versions(lock_row.versions)
                await stored_rules.add_type(connection, self._space_id, self._keys.type_name(name), code, sealed)
            await self.read()
