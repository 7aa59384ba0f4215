"""Consent that was withdrawn after a backup stays withdrawn after a restore of the backup."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from identity.operations.corrections.rebuild_profiles import rebuild_space
from identity.operations.corrections.remove_identifier import remove_identifier
from identity.operations.destinations import manage_destinations, manage_purposes
from identity.operations.destinations.destination_read import get_profile
from identity.operations.ingest.record_consent import record_consent
from identity.operations.keys.restore_consent import restore_withdrawal
from identity.values.calls import Source
from identity.values.ids import DestinationId, public
from identity.values.not_ready import DestinationPaused
from tests.support.integrity.space_audit import discrepancies, ignore_progress
from tests.support.privacy.older_backup import Backup, publish_ledgers
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

ADS = {"purposes": ["Marketing"], "traits": ["plan"], "identifiers": ["user_id"]}
ASKS = {"purposes": [{"id": "Marketing", "class": "ads"}]}
ALLOWS = {**ASKS, "unset": "allow"}
Withdraw = Callable[[Ingest], Awaitable[Any]]


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


def call(**context: Any) -> dict[str, Any]:
    """A call of the browser of ann with this in its context."""
    return {"type": "track", "event": "Opened", "userId": "ann", "anonymousId": "browser", "context": context}


def by_call(*, server: bool = False, **context: Any) -> Withdraw:
    """A call that states something on consent."""

    async def withdraw(ingest: Ingest) -> None:
        await ingest.send(call(**context), server=server)

    return withdraw


async def by_privacy_key(ingest: Ingest) -> None:
    """A decision that is recorded for ann."""
    await record_consent(ingest.space, ingest.queue, "user_id:ann", {"Marketing": False}, Source(1, True))


async def by_nothing(_ingest: Ingest) -> None:
    """No withdrawal at all."""


WITHDRAWALS = {
    "privacy key": by_privacy_key,
    "category": by_call(consent={"categoryPreferences": {"Marketing": False}}),
    "category of a server": by_call(server=True, consent={"categoryPreferences": {"Marketing": False}}),
    "left out": by_call(consent={"categoryPreferences": {"Other": True}}),
    "unreadable": by_call(consent={"categoryPreferences": "none"}),
    "gpc": by_call(gpc=True),
    "minor": by_call(consent={"minor": True}),
    "misspelt": by_call(Consent={"categoryPreferences": {"Marketing": True}}),
}


async def sees(ingest: Ingest, destination: DestinationId) -> bool:
    """Whether the destination sees traits of ann; it knows her id from before."""
    space = await ingest.spaces.get(ingest.space.tenant.id)
    return bool((await get_profile(space, public("dst", destination), "user_id:ann")).traits)


async def restored(ingest: Ingest, purposes: dict[str, Any], withdraw: Withdraw) -> DestinationId:
    """Ann, a destination that sees her, a backup, a withdrawal, and the restore; the id of the destination."""
    space = ingest.space
    await manage_purposes.put_purposes(space, purposes, "t")
    mail = (await manage_destinations.put_destination(space, "mail", ADS, "t")).id
    consent = {} if purposes is ALLOWS else {"consent": {"categoryPreferences": {"Marketing": True}}}
    granted = {**call(**consent), "type": "identify", "traits": {"plan": "pro"}, "timestamp": "2026-01-01T00:00:00Z"}
    await ingest.send(granted, server=False)
    await space.publish()
    assert await sees(ingest, mail)
    backup = Backup(ingest.lab, "delivery", "disclosure", "purposes", "destination", "api_key")
    await withdraw(ingest)
    await ingest.send({"type": "identify", "userId": "eve"})
    assert await sees(ingest, mail) == (withdraw is by_nothing)
    await manage_purposes.put_purposes(space, purposes, "t")
    await space.publish()
    backup.restore()
    await publish_ledgers(ingest)
    with pytest.raises(DestinationPaused):
        await sees(ingest, mail)
    ingest.space = await ingest.spaces.get(space.tenant.id)
    assert (await manage_destinations.get_destination(ingest.space, "mail")).paused
    assert not (await manage_destinations.resume_destination(ingest.space, "mail", "t")).paused
    return mail


@pytest.mark.parametrize("purposes", [ASKS, ALLOWS])
@pytest.mark.parametrize("how", WITHDRAWALS)
async def test_attack_180_what_was_withdrawn_stays_withdrawn(lab: Lab, how: str, purposes: dict[str, Any]) -> None:
    """However it was withdrawn, also after a rebuild; nothing else of the restored space differs."""
    async with ingesting(lab) as ingest:
        mail = await restored(ingest, purposes, WITHDRAWALS[how])
        assert not await sees(ingest, mail)
        assert await discrepancies(ingest) == []
        await rebuild_space(ingest.space, 1, ignore_progress)
        assert not await sees(ingest, mail)
        assert await discrepancies(ingest) == []


@pytest.mark.parametrize("purposes", [ASKS, ALLOWS])
async def test_what_was_not_withdrawn_stays_granted(lab: Lab, purposes: dict[str, Any]) -> None:
    """Once an administrator resumed the destination, and not before."""
    async with ingesting(lab) as ingest:
        assert await sees(ingest, await restored(ingest, purposes, by_nothing))


async def test_attack_186_a_withdrawal_whose_statements_do_not_open_denies_everything(lab: Lab) -> None:
    """The origin has another key in the backup, or is another one with an identifier of the call."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        await manage_purposes.put_purposes(space, ALLOWS, "t")
        mail = (await manage_destinations.put_destination(space, "mail", ADS, "t")).id
        await ingest.send({**call(), "type": "identify", "traits": {"plan": "pro"}})
        assert await sees(ingest, mail)
        stamp = int(lab.query("SELECT max(stamp) + 256 FROM profile")[0][0])
        entry = {
            "origin": "00" * 16, "indexes": [space.keys.identifier("user_id", "ann").hex()], "stamp": stamp,
            "evidence": "AAAA", "server": False, "at": stamp >> 8,
        }  # fmt: skip
        connection = await space.database.writer()
        for _ in range(2):
            async with connection.transaction():
                await restore_withdrawal(space, connection, entry)
        await connection.close()
        assert not await sees(ingest, mail)
        assert lab.query("SELECT count(*) FROM evidence WHERE stamp = %s", stamp) == [(1,)]
        # Nobody knows whose device withdrew, so no device lifts that, and a server does.
        for server in (False, True):
            await ingest.send(call(consent={"categoryPreferences": {"Marketing": True}}), server=server)
            assert await sees(ingest, mail) == server


async def test_attack_183_a_value_that_was_blocked_since_the_backup_links_nobody(lab: Lab) -> None:
    """Whether a profile had it or not; the profile of the backup loses it again, and no call joins it."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "ann", "traits": {"email": "info@example.org"}})
        backup = Backup(lab)
        for value in ("email:info@example.org", "email:shop@example.org"):
            await remove_identifier(ingest.space, value, block=True, source=Source(1, True), actor="t")
        await ingest.space.publish()
        backup.restore()
        await publish_ledgers(ingest)
        ingest.space = await ingest.spaces.get(ingest.space.tenant.id)
        for at, mail in enumerate(("info@example.org", "shop@example.org")):
            people = [{"type": "identify", "userId": f"u{at}{nr}", "traits": {"email": mail}} for nr in range(2)]
            outcomes = await ingest.send(*people)
            assert len({outcome.profile_id for outcome in outcomes}) == 2
            assert [outcome.demoted[0]["reason"] for outcome in outcomes] == ["blocked"] * 2
        assert lab.query("SELECT count(*) FROM profile WHERE head = profile_id") == [(5,)]
        assert await discrepancies(ingest) == []
