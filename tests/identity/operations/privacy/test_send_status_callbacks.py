"""OpenDSR callbacks: sent once a request ends, with the status of its answer, until they are accepted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_bytes

import pytest
from msgspec import to_builtins

from app.schemas.opendsr import dsr_callback, dsr_status
from identity.operations.privacy.opendsr_status import OpenDsrStatus, opendsr_status
from identity.operations.privacy.read_requests import get_request
from identity.operations.privacy.request_erasure import request_erasure
from identity.operations.privacy.resume_requests import close_settled_erasures
from identity.operations.privacy.send_status_callbacks import LOOK, send_status_callbacks
from identity.planning.privacy.privacy_requests import NewRequest
from identity.store.privacy import status_callbacks
from identity.values.calls import DAY
from identity.values.enums import Law, RequestInterface, RequestKind
from identity.values.ids import RequestId
from identity.values.stamps import Micros
from tests.support.destinations.callback_destination import Mail, mailing, person
from tests.support.processes.writer_processes import Lab
from tests.support.webhooks.webhook_receiver import FAILING, HTML

BASE = "https://cdp.example.org"


@pytest.fixture(scope="module")
def lab(url: str, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A database with its keys; each test has a space of its own in it."""
    return Lab(url, tmp_path_factory.mktemp("status"))


@asynccontextmanager
async def asked(lab: Lab) -> AsyncIterator[tuple[Mail, RequestId]]:
    """A request about a person disclosed to a destination, with the address of a controller twice."""
    async with mailing(lab) as mail:
        await mail.ingest.send(person("ann"))
        await mail.send()
        url = mail.receiver.server.url("/status")
        wanted = NewRequest(
            front=RequestInterface.OPENDSR,
            kind=RequestKind.SUPPRESS_WITH_DELETE,
            regulation=Law.GDPR,
            identifiers=["user_id:ann"],
            actor="key_test",
            request_id=RequestId(token_bytes(16)),
            details={"controller_id": "c1", "callbacks": [url, url]},
        )
        yield mail, (await request_erasure(mail.space, wanted)).id


def render(status: OpenDsrStatus, url: str) -> bytes:
    """The body of a callback, as the server renders it."""
    return dsr_callback(status, BASE, url)


async def test_each_address_is_called_once_everybody_acknowledged(lab: Lab) -> None:
    """With the status that a follower reads, and not again."""
    async with asked(lab) as (mail, id_):
        receiver, now = mail.receiver, mail.clock.now + DAY
        assert await send_status_callbacks(mail.ingest.spaces, mail.client, render, Micros(now)) == 1
        assert await send_status_callbacks(mail.ingest.spaces, mail.client, render, Micros(now)) == 0
        assert receiver.statuses == []
        await mail.send()
        await mail.ack(receiver.cursor)
        assert await close_settled_erasures(mail.ingest.spaces) == 1
        assert await send_status_callbacks(mail.ingest.spaces, mail.client, render, Micros(now + LOOK)) == 1
        status = dsr_status(await opendsr_status(mail.space, await get_request(mail.space, id_)), BASE)
        assert status.request_status == "completed"
        url = receiver.server.url("/status")
        assert receiver.statuses == [{**to_builtins(status), "status_callback_url": url}] * 2
        assert await send_status_callbacks(mail.ingest.spaces, mail.client, render, Micros(now + DAY)) == 0


async def test_a_failed_call_is_repeated_for_a_week(lab: Lab) -> None:
    """Less and less often."""
    async with asked(lab) as (mail, _):
        await mail.send()
        await mail.ack(mail.receiver.cursor)
        assert await close_settled_erasures(mail.ingest.spaces) == 1
        question = "SELECT call_at FROM privacy_request WHERE space_id = %s"
        mail.receiver.answer = FAILING
        now = first = mail.clock.now + DAY
        for _ in range(4):
            assert await send_status_callbacks(mail.ingest.spaces, mail.client, render, Micros(now)) == 1
            ((now,),) = lab.query(question, mail.space.tenant.id)
        assert len(mail.receiver.statuses) == 8
        assert now > first
        mail.receiver.answer = HTML
        await send_status_callbacks(mail.ingest.spaces, mail.client, render, Micros(now))
        assert lab.query(question, mail.space.tenant.id) == [(None,)]

        lab.query("UPDATE privacy_request SET call_at = 1 WHERE space_id = %s", mail.space.tenant.id)
        mail.receiver.answer = FAILING
        await send_status_callbacks(mail.ingest.spaces, mail.client, render, Micros(first + 8 * DAY))
        assert lab.query(question, mail.space.tenant.id) == [(None,)]


async def test_a_stalled_caller_does_not_overwrite_what_its_successor_settled(lab: Lab) -> None:
    """Its lease ended while it called; the later end of the other lease is the fence."""
    async with asked(lab) as (mail, id_):
        tenant, now = mail.space.tenant, mail.clock.now + DAY
        async with mail.space.database.reading() as connection:
            stalled = await status_callbacks.claim(connection, tenant, id_, Micros(now), Micros(now + LOOK))
            assert stalled is not None
            assert await status_callbacks.claim(connection, tenant, id_, Micros(now), Micros(now + LOOK)) is None
            other = await status_callbacks.claim(connection, tenant, id_, Micros(now + LOOK), Micros(now + 2 * LOOK))
            assert other is not None
            assert await status_callbacks.settle(connection, tenant, id_, None, None, other.until)
            assert not await status_callbacks.settle(connection, tenant, id_, Micros(now), Micros(now), stalled.until)
            assert await status_callbacks.due(connection, Micros(now + DAY), 9) == []
        # The other tests count the open requests of all spaces.
        await mail.send()
        await mail.ack(mail.receiver.cursor)
        assert await close_settled_erasures(mail.ingest.spaces) == 1
