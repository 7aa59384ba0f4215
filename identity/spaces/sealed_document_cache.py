"""Keeps what a sealed document of a space means: the names of its purposes, the checker of its identity tokens.

A change in this process is seen at once, and in another process within two seconds. Invariant: no version counts that
is older than the journal says, where the document has a head in the journal. What a destination may see depends on no
cache: each of its reads reads the purposes anew.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

import msgspec
from msgspec import Struct

from identity.planning.consent.purposes import compile_purposes
from identity.store.destinations import destinations
from identity.store.postgres.database import Connection, Database
from identity.store.postgres.tenant import Tenant
from identity.store.spaces import identity_keys
from identity.values.ids import SpaceId, public
from identity.vault.identity_tokens.keys import unpack
from identity.vault.identity_tokens.verification import TokenChecker
from identity.vault.seal import IDENTITY_KEYS, PURPOSES, SealPlace
from identity.vault.space_keys import SpaceKeys
from identity.vault.vouching.journal_heads import Heads, JournalHeads

_SECONDS: Final = 2.0
Meaning = TypeVar("Meaning")


class SealedDocument(Struct, Generic[Meaning], frozen=True):
    """A kind of document of which a space has versions.

    `in_force` reads the newest version with its sealed document, (0, None) before the first; `place` is that of the
    seal. `mean` makes its meaning of the space, the version and the plain document. `newest` is the version that the
    journal names at least, and `require` raises RolledBack for an older one.
    """

    place: SealPlace
    in_force: Callable[[Connection, Tenant], Awaitable[tuple[int, bytes | None]]]
    mean: Callable[[SpaceId, int, bytes | None], Meaning]
    newest: Callable[[Heads], int] = lambda _: 0
    require: Callable[[Heads, int], None] = lambda _, __: None


class SealedDocumentCache(Generic[Meaning]):
    """Reads and opens one kind of document of a space."""

    def __init__(
        self,
        document: SealedDocument[Meaning],
        tenant: Tenant,
        public_id: SpaceId,
        keys: SpaceKeys,
        database: Database,
        heads: JournalHeads,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._document = document
        self._tenant = tenant
        self._public_id = public_id
        self._keys = keys
        self._database = database
        self._heads = heads
        self._now = now
        self._read_at = 0.0
        self._known: tuple[int, Meaning] | None = None

    async def current(self) -> Meaning:
        """The meaning of the document as of at most two seconds ago. RolledBack for one that was put back."""
        known = self._known
        newest = self._document.newest(self._heads.current)
        if known is None or known[0] < newest or self._now() > self._read_at + _SECONDS:
            read_at = self._now()
            version, plain = await self.read()
            if known is None or version != known[0]:
                known = version, self._document.mean(self._public_id, version, plain)
            self._known, self._read_at = known, read_at
        return known[1]

    async def read(self) -> tuple[int, bytes | None]:
        """The version in force and its document, opened; (0, None) before the first. RolledBack."""
        heads = self._heads.current
        async with self._database.reading() as connection:
            version, sealed = await self._document.in_force(connection, self._tenant)
        self._document.require(heads, version)
        if sealed is None:
            return version, None
        return version, self._keys.open(self._document.place, self._public_id, version, sealed)

    def forget(self) -> None:
        """Read the document again at the next use."""
        self._known = None


def _purpose_names(_space: SpaceId, version: int, plain: bytes | None) -> frozenset[str]:
    return frozenset() if plain is None else frozenset(compile_purposes(msgspec.json.decode(plain), version).purposes)


def _token_checker(space: SpaceId, _version: int, plain: bytes | None) -> TokenChecker:
    return TokenChecker(() if plain is None else unpack(plain), public("spc", space))


PURPOSE_NAMES: Final = SealedDocument(place=PURPOSES, in_force=destinations.purposes, mean=_purpose_names)
"""The names of the purposes, for the check of the categories that calls state."""
TOKEN_CHECKER: Final = SealedDocument(
    place=IDENTITY_KEYS,
    in_force=identity_keys.in_force,
    mean=_token_checker,
    newest=lambda heads: heads.identity_keys,
    require=lambda heads, version: heads.require_identity_keys(version),
)
"""What checks identity tokens, with the keys in force."""
