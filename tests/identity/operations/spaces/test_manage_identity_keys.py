"""The keys of identity tokens: two at once, ended at once, and never again, whatever a database or a backup says."""

from pathlib import Path

import pytest

from identity.operations.integrity.find_rolled_back import find_rolled_back
from identity.operations.spaces.manage_identity_keys import add_identity_key, end_identity_key, list_identity_keys
from identity.spaces.space import Space
from identity.values.calls import MICRO
from identity.values.errors import SealBroken
from identity.values.identity_tokens.claims import TokenClaims, TokenFault
from identity.values.identity_tokens.refusals import BadIdentityKey, IdentityKeyNotFound, TooManyIdentityKeys
from identity.values.ids import public
from identity.values.not_ready import RolledBack
from identity.values.stamps import Micros
from tests.support.integrity.rolled_back_rows import former
from tests.support.keys.identity_tokens import NOW, claims, pem_of, signed
from tests.support.keys.identity_tokens import PRIVATE as PRIVATE_KEYS
from tests.support.privacy.older_backup import Backup, publish_ledgers
from tests.support.processes.writer_processes import Lab, ingesting

AT = Micros(NOW * MICRO)


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def stated(space: Space, kid: str, algorithm: str = "HS256", secret: str | None = None) -> object:
    """What a token of a key states in a space."""
    payload = claims(aud=public("spc", space.public_id), email=None)
    return (await space.identity_keys.current()).check(signed(payload, algorithm, kid=kid, key=secret), AT)


async def test_a_key_counts_until_it_ends(lab: Lab) -> None:
    """Two at a time, so that a server can change from one to the next."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        assert await list_identity_keys(space) == []
        web = await add_identity_key(space, "HS256", "web", None, "t")
        app = await add_identity_key(space, "ES256", "app", pem_of(PRIVATE_KEYS["ES256"]), "t")
        assert app.secret is None
        assert await list_identity_keys(space) == [web.key, app.key]
        with pytest.raises(TooManyIdentityKeys):
            await add_identity_key(space, "HS256", "third", None, "t")
        assert await stated(space, web.key.id, secret=web.secret) == TokenClaims("ann")
        assert await stated(space, app.key.id, "ES256") == TokenClaims("ann")
        await end_identity_key(space, web.key.id, "t")
        assert await stated(space, web.key.id, secret=web.secret) == TokenFault.UNKNOWN_KEY
        with pytest.raises(IdentityKeyNotFound):
            await end_identity_key(space, web.key.id, "t")
        assert lab.query("SELECT count(*) FROM identity_keys") == [(3,)]


@pytest.mark.parametrize(
    ("algorithm", "name", "public_key", "message"),
    [
        ("none", "web", None, "No algorithm is called"),
        ("rs256", "web", None, "RS256"),
        ("HS256", "web", "secret", "makes the secret"),
        ("RS256", "web", None, "needs public_key"),
        ("HS256", "\n", None, "A name needs"),
    ],
)
async def test_a_key_that_cannot_be_used_is_refused(
    lab: Lab, algorithm: str, name: str, public_key: str | None, message: str
) -> None:
    """With what to send; nothing is stored."""
    async with ingesting(lab) as ingest:
        with pytest.raises(BadIdentityKey, match=message):
            await add_identity_key(ingest.space, algorithm, name, public_key, "t")
        assert lab.query("SELECT count(*) FROM identity_keys") == [(0,)]


async def test_attack_225_a_former_row_revives_no_key(lab: Lab) -> None:
    """A database writer puts the row before the end back, deletes the newest, or copies one to a new version."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        made = await add_identity_key(space, "HS256", "web", None, "t")
        with former(lab, "identity_keys"):
            await end_identity_key(space, made.key.id, "t")
        with pytest.raises(RolledBack):
            await list_identity_keys(space)
        space.identity_keys.forget()
        with pytest.raises(RolledBack):
            await space.identity_keys.current()
        found = await find_rolled_back(ingest.spaces, frozenset())
        assert [kind for _, kind, _ in found] == ["identity_keys_rolled_back"]
        lab.query(
            "INSERT INTO identity_keys (space_id, version, document) SELECT space_id, 9, document FROM identity_keys"
        )
        with pytest.raises(SealBroken):
            await list_identity_keys(space)


async def test_attack_226_a_restore_brings_no_ended_key_back(lab: Lab) -> None:
    """A key that was made after the backup is there, and one that was ended since stays ended."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        gone = await add_identity_key(space, "HS256", "gone", None, "t")
        backup = Backup(lab, "identity_keys")
        await end_identity_key(space, gone.key.id, "t")
        new = await add_identity_key(space, "HS256", "new", None, "t")
        backup.restore()
        await publish_ledgers(ingest)

        space = await ingest.spaces.get(space.tenant.id)
        assert await list_identity_keys(space) == [new.key]
        assert await stated(space, gone.key.id, secret=gone.secret) == TokenFault.UNKNOWN_KEY
        assert await stated(space, new.key.id, secret=new.secret) == TokenClaims("ann")
