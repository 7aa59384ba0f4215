"""The keyring: opens and changes the keys of all spaces, from the root and the key store.

Invariants: a key is in the key store, on disk, before anything can be wrapped with it; an epoch
that was destroyed is out of the caches of this process; what cannot be read or opened raises
KeyUnavailable, and nothing goes on without it.
"""

from collections.abc import Iterable
from threading import Lock

from identity.values.errors import KeyUnavailable, Misconfigured, SealBroken
from identity.values.not_ready import SpaceLockDiffers
from identity.vault.cache import KeyCache
from identity.vault.epoch_key_store import EPOCH, INDEX, OTHER_ROOT, SIGNING, KeyStore
from identity.vault.journal import Journal
from identity.vault.key_dumps import Dump
from identity.vault.key_material import WrappingKey, checked_id, fresh_key
from identity.vault.root_keys import Root
from identity.vault.secret import Guarded, Secret
from identity.vault.signing import Signer
from identity.vault.space_keys import SpaceKeys
from identity.vault.vouching import mark

FIRST_EPOCH = 1
FIRST_INDEX = f"{INDEX}1"
SUPPRESSION = "suppression-1"
DOCUMENT = "document-1"
DEPLOYMENT = b"onefold-deployed"
_BAD_EPOCH = "epochs count from 1"


class Keyring(Guarded):
    """All keys of one deployment. Safe to use from several threads.

    `store_id` names the key store and `root_id` the root (neither is secret): the database
    remembers both, so that a process with another store or root is noticed.
    """

    def __init__(self, root: Root, store: KeyStore) -> None:
        if root.id != store.root_id:
            raise Misconfigured(OTHER_ROOT)
        self.store_id = store.store_id
        self.root_id = root.id
        self._root = root
        self._store = store
        self._cache = KeyCache(self._load_epoch)
        self._spaces: dict[bytes, SpaceKeys] = {}
        self._lock = Lock()
        self._signer: Signer | None = None

    def check(self) -> None:
        """Raise KeyUnavailable unless the key store can be read and is the one that was opened."""
        self._store.check()

    def vouches(self) -> bool:
        """Whether rows without a MAC are refused."""
        return mark.is_set(self._store.root_directory)

    def start_vouching(self) -> None:
        """Record for good that the rows of the database have their MACs."""
        mark.set_mark(self._store.root_directory)

    def close(self) -> None:
        """Let go of the key store; what is held in memory stays."""
        self._store.close()

    def create_space(self, space: bytes) -> None:
        """Make the keys of a space: epoch 1 and the long-lived ones, all or none, on disk on return.

        For a space that has its keys it only checks that they can be opened, so that it may be
        repeated after a crash.
        """
        checked_id(space)
        names = (f"{EPOCH}{FIRST_EPOCH}", FIRST_INDEX, SUPPRESSION, DOCUMENT)
        keys = {name: self._root.wrap(_context(space, name), fresh_key()) for name in names}
        if not self._store.create_space(space, keys):
            self.space(space)

    def space(self, space: bytes) -> SpaceKeys:
        """Return the keys of a space; KeyUnavailable if one is missing or cannot be opened."""
        held = self._spaces.get(space)
        if held is not None:
            return held
        with self._lock:
            # Which version is in force the database says; one that is damaged is noticed at once.
            for version in self._store.numbers(space, INDEX)[-1:] or (1,):
                self._load(space, f"{INDEX}{version}")
            return self._spaces.setdefault(
                space,
                SpaceKeys(
                    space,
                    index=lambda version: self._load_index(space, version),
                    suppression=self._load(space, SUPPRESSION),
                    document=self._load(space, DOCUMENT),
                    cache=self._cache,
                ),
            )

    def create_epoch_key(self, space: bytes, epoch: int) -> None:
        """Make an epoch key, on disk on return; for one that is there, check that it can be opened.

        KeyUnavailable for an epoch older than the newest: what was destroyed is not made again.
        """
        name = f"{EPOCH}{_checked_epoch(epoch)}"
        if not self._store.add(space, EPOCH, epoch, self._root.wrap(_context(space, name), fresh_key())):
            self._load(space, name)

    def create_index_key(self, space: bytes, version: int) -> None:
        """Make a version of the index key, on disk on return; for one that is there, check that it opens."""
        name = f"{INDEX}{version}"
        if not self._store.add(space, INDEX, version, self._root.wrap(_context(space, name), fresh_key())):
            self._load(space, name)

    def indexes(self, space: bytes) -> list[int]:
        """Return the versions of the index key that the store holds for a space, ascending."""
        return self._store.numbers(space, INDEX)

    def destroy_index(self, space: bytes, version: int) -> None:
        """Destroy a version of the index key; again is no error. Nothing can be looked up under it any more."""
        self._store.destroy(space, INDEX, version)

    def destroy_epoch(self, space: bytes, epoch: int) -> None:
        """Destroy an epoch key and forget what was unwrapped with it; again is no error.

        From then on whatever only this epoch wraps cannot be read, from no backup either.
        """
        self._store.destroy(space, EPOCH, epoch)
        self._cache.drop_epoch(space, epoch)

    def epochs(self, space: bytes) -> list[int]:
        """Return the epochs that the store holds for a space, ascending."""
        return self._store.numbers(space, EPOCH)

    def forget_destroyed(self) -> None:
        """Forget the epoch keys, and all under them, that another process destroyed."""
        for space, epochs in self._cache.held().items():
            there = set(self._store.numbers(space, EPOCH))
            for epoch in epochs - there:
                self._cache.drop_epoch(space, epoch)

    @property
    def signer(self) -> Signer:
        """The signing keys of the deployment; the first is made when it is first asked for."""
        with self._lock:
            if self._signer is None:
                wrapped = self._store.signing()
                if not wrapped:
                    self._store.add_signing(1, self._root.wrap(_context(DEPLOYMENT, f"{SIGNING}1"), fresh_key()))
                    wrapped = self._store.signing()
                self._signer = Signer([self._unwrap_signing(nr, key) for nr, key in enumerate(wrapped, 1)])
            return self._signer

    def _unwrap_signing(self, number: int, wrapped: bytes) -> Secret:
        try:
            return Secret(self._root.unwrap(_context(DEPLOYMENT, f"{SIGNING}{number}"), wrapped))
        except SealBroken:
            raise KeyUnavailable from None

    def journal(self, space: bytes) -> Journal:
        """The journal of a space's ledger."""
        return Journal(self._store.directory(space), space, self.signer)

    def dump(self, space: bytes, epoch: int, chunks: Iterable[bytes]) -> Dump:
        """Store a dump of a space's key tables, and read it back. SealBroken where it is not whole."""
        return Dump(self._store.add_dump(space, epoch, chunks))

    def newest_dump(self, space: bytes) -> Dump | None:
        """The newest dump of a space. SealBroken where it is not whole."""
        dumps = self._store.dumps(space)
        return Dump(dumps[0][1]) if dumps else None

    def newest_dump_epoch(self, space: bytes) -> int:
        """The epoch of the newest dump of a space; 0 where there is none."""
        dumps = self._store.dumps(space)
        return dumps[0][0] if dumps else 0

    def destroy_dumps(self, space: bytes, before: int) -> None:
        """Destroy the dumps of epochs before this one."""
        self._store.destroy_dumps(space, before)

    def has_space(self, space: bytes) -> bool:
        """Whether the key store holds keys of a space; it holds none of a deleted one."""
        return self._store.directory(space).is_dir()

    def spaces(self) -> set[bytes]:
        """The ids of the spaces that have keys in the key store."""
        return self._store.spaces()

    def destroy_space(self, space: bytes) -> None:
        """Destroy every key of a space; again is no error."""
        self._store.destroy_space(space)
        self.forget(space)

    def forget(self, space: bytes) -> None:
        """Drop what is cached of a space; it is read again when it is next asked for."""
        with self._lock:
            self._spaces.pop(space, None)
        self._cache.drop_space(space)

    def _load_epoch(self, space: bytes, epoch: int) -> WrappingKey:
        return WrappingKey(self._load_number(space, EPOCH, epoch))

    def _load_index(self, space: bytes, version: int) -> bytes:
        return self._load_number(space, INDEX, version)

    def _load_number(self, space: bytes, kind: str, number: int) -> bytes:
        """An index or epoch key. SpaceLockDiffers for one that the key store never held, or holds no more."""
        try:
            return self._load(space, f"{kind}{number}")
        except KeyUnavailable:
            held = self._store.numbers(space, kind)
            if held and number not in held:
                raise SpaceLockDiffers from None
            raise

    def _load(self, space: bytes, name: str) -> bytes:
        wrapped = self._store.read(space, name)
        try:
            return self._root.unwrap(_context(space, name), wrapped)
        except SealBroken:
            raise KeyUnavailable from None


def _context(space: bytes, name: str) -> bytes:
    return space + name.encode()


def _checked_epoch(epoch: int) -> int:
    if epoch < FIRST_EPOCH:
        raise ValueError(_BAD_EPOCH)
    return epoch
