"""OpenDSR's callbacks: called once a request is done, with what it is answered too, until they take it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_bytes
from typing import Any

import pytest

from app.schemas.opendsr_status import to_call
from identity.operations.privacy import request_erasure
from identity.operations.privacy.resume_requests import forget_settled
from identity.operations.privacy.send_status_callbacks import LOOK, call_done
from identity.planning.privacy.request_kinds import Asked
from identity.spaces.space import Space
from identity.values.calls import DAY
from identity.values.enums import Law, RequestInterface, RequestKind
from tests.support.callback_destination import Mail, mailing, person
from tests.support.webhook_receiver import FAILING, HTML
from tests.support.writer_processes import Lab, run


@pytest.fixture(scope="module")
def lab(url: str, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A database with its keys; each test has a space of its own in it."""
    return Lab(url, tmp_path_factory.mktemp("status"))


@asynccontextmanager
async def asked(lab: Lab) -> AsyncIterator[tuple[Mail, bytes]]:
    """A request about somebody whom a destination was told of, with the address of a controller twice."""
    async with mailing(lab) as mail:
        await mail.ingest.send(person("ann"))
        await mail.send()
        url = mail.receiver.server.url("/status")
        wanted = Asked(
            RequestInterface.OPENDSR, RequestKind.SUPPRESS_WITH_DELETE, Law.GDPR, ["user_id:ann"], "key_test",
            request_id=token_bytes(16), details={"controller_id": "c1", "callbacks": [url, url]},
        )  # fmt: skip
        yield mail, (await request_erasure.ask(mail.space, wanted)).id


async def told(space: Space, id_: bytes) -> tuple[dict[str, Any], list[str]]:
    """What a controller is told."""
    return await to_call(space, id_, "https://cdp.example.org")


def test_called_when_done(lab: Lab) -> None:
    """Each address is called once everybody has acknowledged, with the status that a follower reads, and not again."""

    async def main() -> None:
        async with asked(lab) as (mail, id_):
            receiver, now = mail.receiver, mail.clock.now + DAY
            assert await call_done(mail.ingest.spaces, mail.client, told, now) == 1
            assert await call_done(mail.ingest.spaces, mail.client, told, now) == 0
            assert receiver.statuses == []
            await mail.send()
            await mail.ack(receiver.cursor)
            assert await forget_settled(mail.ingest.spaces) == 1
            assert await call_done(mail.ingest.spaces, mail.client, told, now + LOOK) == 1
            status, urls = await told(mail.space, id_)
            assert status["request_status"] == "completed"
            assert receiver.statuses == [{**status, "status_callback_url": url} for url in urls]
            assert await call_done(mail.ingest.spaces, mail.client, told, now + DAY) == 0

    run(main())


def test_called_again(lab: Lab) -> None:
    """What is not taken is called again, less and less often, for a week."""

    async def main() -> None:
        async with asked(lab) as (mail, _):
            await mail.send()
            await mail.ack(mail.receiver.cursor)
            assert await forget_settled(mail.ingest.spaces) == 1
            question = "SELECT call_at FROM privacy_request WHERE space_id = %s"
            mail.receiver.answer = FAILING
            now = first = mail.clock.now + DAY
            for _ in range(4):
                assert await call_done(mail.ingest.spaces, mail.client, told, now) == 1
                ((now,),) = lab.query(question, mail.space.tenant.id)
            assert len(mail.receiver.statuses) == 8
            assert now > first
            mail.receiver.answer = HTML
            await call_done(mail.ingest.spaces, mail.client, told, now)
            assert lab.query(question, mail.space.tenant.id) == [(None,)]

            lab.query("UPDATE privacy_request SET call_at = 1 WHERE space_id = %s", mail.space.tenant.id)
            mail.receiver.answer = FAILING
            await call_done(mail.ingest.spaces, mail.client, told, first + 8 * DAY)
            assert lab.query(question, mail.space.tenant.id) == [(None,)]

    run(main())
