"""Who does not acknowledge is seen, and addresses that lead inside are not called."""

from ipaddress import IPv4Network

import pytest

from app.server.metrics import Metrics
from identity.operations.destinations import manage_destinations, manage_purposes
from identity.operations.destinations.monitor_destinations import find_overdue
from identity.operations.privacy.read_requests import get_request
from identity.values.calls import DAY, MICRO
from identity.values.errors import BadCallback
from identity.values.stamps import Micros
from identity.webhooks.client import Client
from tests.support.destinations.callback_destination import MAIL, mailing, person
from tests.support.processes.writer_processes import Lab, ingesting
from tests.support.webhooks.tls_server import Names


@pytest.fixture(scope="module")
def lab(url: str, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A database with its keys; each test has a space of its own in it."""
    return Lab(url, tmp_path_factory.mktemp("push"))


async def test_a_withdrawal_not_acknowledged_for_a_week_is_overdue(lab: Lab) -> None:
    """Until it is acknowledged; an undisclosed change is no debt."""
    async with mailing(lab) as mail:
        later = mail.clock.now + 8 * DAY
        await mail.ingest.send(person("ann"), person("eve", marketing=False))
        await mail.send()
        assert ((await mail.status()).behind_since, (await mail.status()).overdue) == (None, False)
        await mail.ingest.send(person("eve", marketing=False, plan="team"))
        none = await find_overdue(mail.ingest.spaces, Micros(later))
        assert (none.overdue, none.dead, none.erasures, none.lag_seconds) == (0, 0, 0, 0.0)
        await mail.ingest.send(person("ann", marketing=False))
        found = await find_overdue(mail.ingest.spaces, Micros(later))
        metrics = Metrics()
        metrics.set_attention(destinations_overdue=found.overdue)
        assert b"onefold_destinations_overdue 1.0" in metrics.text()
        assert (await find_overdue(mail.ingest.spaces)).overdue == 0
        status = await mail.status()
        assert status.behind_since is not None
        assert status.overdue is False
        lab.query("UPDATE change SET at = at - %s WHERE space_id = %s", 8 * DAY << 8, mail.space.tenant.id)
        lab.query("UPDATE disclosure SET first = first - %s WHERE space_id = %s", 8 * DAY, mail.space.tenant.id)
        assert (await mail.status()).overdue is True
        await mail.send()
        await mail.ack(mail.receiver.cursor)
        assert (await mail.status()).behind_since is None
        assert (await find_overdue(mail.ingest.spaces, Micros(later))).overdue == 0


async def test_an_erasure_not_acknowledged_by_its_date_is_overdue(lab: Lab) -> None:
    """It is done when acknowledged after all."""
    async with mailing(lab) as mail:
        await mail.ingest.send(person("ann"))
        await mail.send()
        asked = await mail.erase("user_id:ann")
        due = asked.erasures[0].due_at
        assert due is not None
        for now, state, count in ((due - MICRO, 0, 0), (due + MICRO, 6, 1)):
            assert (await find_overdue(mail.ingest.spaces, Micros(now))).erasures == count
            found = await get_request(mail.space, asked.id)
            assert [notice.state for notice in found.erasures[0].notices] == [state]
        await mail.send()
        assert await mail.ack(mail.receiver.cursor) == 1
        found = await get_request(mail.space, asked.id)
        assert [notice.state for notice in found.erasures[0].notices] == [3]
        assert (await find_overdue(mail.ingest.spaces, Micros(due + DAY))).erasures == 0


INSIDE = (
    "http://169.254.169.254/",
    "https://[::ffff:127.0.0.1]/",
    "https://2130706433/",
    "https://user@example.org/",
    "gopher://example.org/",
    "https://example.org:22/",
    "https://hooks.example.org/",
)


async def test_an_internal_or_ambiguous_address_is_rejected(lab: Lab) -> None:
    """Nothing is created."""
    async with ingesting(lab) as ingest:
        client = Client(resolve=Names(["10.0.0.1"]))
        purposes = {"purposes": [{"id": "Marketing", "class": "ads"}]}
        await manage_purposes.put_purposes(ingest.space, purposes, "key_test")
        for url in INSIDE:
            with pytest.raises(BadCallback):
                await manage_destinations.put_destination(
                    ingest.space, "mail", {**MAIL, "callback_url": url}, "key_test", client.vet
                )
        assert await manage_destinations.list_destinations(ingest.space) == []
        await client.aclose()


MOVED = b"HTTP/1.1 302 Found\r\nlocation: https://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"


async def test_a_name_that_changes_its_address_is_not_followed(lab: Lab) -> None:
    """Neither is a redirect."""
    names = Names(["127.0.0.1"], ["10.0.0.1"], ["127.0.0.1"])
    allowed = [IPv4Network("127.0.0.1/32")]
    async with mailing(lab, resolve=names, allowed=allowed) as mail:
        await mail.ingest.send(person("ann"))
        await mail.send()
        assert mail.receiver.server.connections == 0
        assert (await mail.status()).push == "failing"
        mail.now_due()
        mail.receiver.answer = MOVED
        await mail.send()
        assert mail.receiver.server.connections == 1
        assert (await mail.status()).push == "failing"
        assert names.asked == ["hooks.example.org"] * 3
