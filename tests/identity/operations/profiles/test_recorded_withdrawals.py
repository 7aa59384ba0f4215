"""A former document that somebody puts back grants nothing that was withdrawn since."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from identity.operations.destinations import manage_destinations, manage_purposes
from identity.operations.destinations.count_audience import count_audience
from identity.operations.destinations.destination_read import get_profile
from identity.operations.profiles.consent_history import consent_at
from identity.operations.profiles.profile import open_profile
from identity.values.errors import ProfileNotFound
from identity.values.ids import public
from tests.support.destinations.consenting_people import ALL, user
from tests.support.integrity.rolled_back_rows import LAX, former
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

PEOPLE = ("ann", "bob")


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


def withdrawal(**context: Any) -> dict[str, Any]:
    """A call of ann with this consent."""
    return {"type": "identify", "userId": "ann", "context": context}


async def granted(ingest: Ingest) -> str:
    """Two people who granted Marketing, and a destination that sees them."""
    await manage_purposes.put_purposes(ingest.space, LAX, "t")
    mail = await manage_destinations.put_destination(ingest.space, "mail", ALL, "t")
    await ingest.send(*(user(name) for name in PEOPLE))
    return public("dst", mail.id)


async def seen(ingest: Ingest, destination: str) -> list[str]:
    """The people whose traits the destination reads; the audience counts as many."""
    found = []
    for name in PEOPLE:
        try:
            profile = await get_profile(ingest.space, destination, f"user_id:{name}")
        except ProfileNotFound:
            continue
        found += [name] if profile.traits else []
    assert (await count_audience(ingest.space, destination)).visible == len(found)
    return found


@pytest.mark.parametrize(
    "context", [{"consent": {"categoryPreferences": {"Marketing": False}}}, {"gpc": True}, {"consent": {"minor": True}}]
)
@pytest.mark.parametrize("again", [False, True])
async def test_attack_169_a_former_document_grants_nothing(lab: Lab, context: dict[str, Any], *, again: bool) -> None:
    """Also after a later call of the person was folded into it; a grant after the withdrawal counts."""
    async with ingesting(lab) as ingest:
        destination = await granted(ingest)
        assert await seen(ingest, destination) == ["ann", "bob"]
        with former(lab, "profile_document"):
            await ingest.send(withdrawal(**context))
            await ingest.space.publish()
            assert await seen(ingest, destination) == ["bob"]
        if again:
            await ingest.send({"type": "identify", "userId": "ann", "traits": {"plan": "free"}})
        assert await seen(ingest, destination) == ["bob"]


async def test_a_grant_after_the_withdrawal_counts(lab: Lab) -> None:
    """The journal adds nothing to a document that is as Onefold left it."""
    async with ingesting(lab) as ingest:
        destination = await granted(ingest)
        for decision, people in ((False, ["bob"]), (True, ["ann", "bob"])):
            await ingest.send(withdrawal(consent={"categoryPreferences": {"Marketing": decision}}))
            await ingest.space.publish()
            assert await seen(ingest, destination) == people


@pytest.mark.parametrize("denial", [{"consent": {"categoryPreferences": {"Marketing": False}}}, {"gpc": True}])
async def test_attack_197_a_deleted_document_makes_nobody_undecided(lab: Lab, denial: dict[str, Any]) -> None:
    """The first statement of a device, no withdrawal: the destination reads what `GET /v1/consent` reads."""
    async with ingesting(lab) as ingest:
        await manage_purposes.put_purposes(ingest.space, {**LAX, "unset": "allow"}, "t")
        mail = await manage_destinations.put_destination(ingest.space, "mail", ALL, "t")
        destination = public("dst", mail.id)
        device = {"anonymousId": "dev"}
        await ingest.send(
            *({"type": "identify", "userId": name, "traits": {"plan": "gold"}} for name in PEOPLE),
            {"type": "page", **device, "context": denial},
        )
        await ingest.send({"type": "identify", "userId": "ann", **device})
        assert await seen(ingest, destination) == ["bob"]
        (origin,) = {row.id for row in (await open_profile(ingest.space, "anonymous_id:dev")).origins} & {
            each.origin
            for each in (await open_profile(ingest.space, "anonymous_id:dev")).identifiers
            if each.type == ingest.space.codes["anonymous_id"]
        }
        lab.query("DELETE FROM profile_document WHERE profile_id = %s", origin.hex())
        assert not (await consent_at(ingest.space, "user_id:ann", None)).purposes["Marketing"].granted
        with capture_logs() as lines:
            assert await seen(ingest, destination) == ["bob"]
        assert not lines


async def test_a_device_that_stated_nothing_keeps_no_one_from_a_destination(lab: Lab) -> None:
    """An origin without a document is common, and its calls deny nothing."""
    async with ingesting(lab) as ingest:
        destination = await granted(ingest)
        await ingest.send({"type": "page", "anonymousId": "dev"})
        await ingest.send({"type": "identify", "userId": "ann", "anonymousId": "dev"})
        assert lab.query("SELECT count(*) FROM profile_document") == [(2,)]
        await manage_purposes.put_purposes(ingest.space, {**LAX, "unset": "allow"}, "t")
        assert await seen(ingest, destination) == ["ann", "bob"]
