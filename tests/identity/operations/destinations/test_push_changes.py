"""The feed as it is sent: signed, made anew for each attempt, given up after a week, never lost."""

import asyncio
from typing import Any

import msgspec
import pytest

from app.schemas.feed import feed_message, feed_page
from app.schemas.privacy import erasure
from identity.operations.destinations import manage_destinations
from identity.operations.destinations.monitor_destinations import find_overdue
from identity.operations.destinations.push_changes import LEASE, Pushing
from identity.operations.destinations.read_changes import page_after, read_changes
from identity.operations.privacy.read_requests import get_request
from identity.planning.destinations.feed_pages import ERASURE_MARGIN
from identity.planning.destinations.retry import GIVE_UP
from identity.planning.privacy import request_status
from identity.store.destinations import feed
from identity.values.calls import DAY
from identity.values.stamps import Micros, Stamp
from tests.support.destinations.callback_destination import mailing, person
from tests.support.processes.writer_processes import Lab
from tests.support.webhooks.webhook_receiver import FAILING, HTML


@pytest.fixture(scope="module")
def lab(url: str, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A database with its keys; each test has a space of its own in it."""
    return Lab(url, tmp_path_factory.mktemp("push"))


async def test_a_receiver_is_sent_exactly_what_it_could_pull(lab: Lab) -> None:
    """Signed as its library verifies, and then nothing more."""
    async with mailing(lab) as mail:
        await mail.ingest.send(*(person(f"u{nr}", plan=nr) for nr in range(5)), person("eve", marketing=False))
        await mail.send()
        await mail.ingest.send(person("u1", plan="team"), person("u2", marketing=False))
        await mail.send()
        receiver = mail.receiver
        assert receiver.forged == 0
        assert [message.get("resync", False) for message in receiver.messages] == [True, False]
        assert {message["destination_id"] for message in receiver.messages} == {mail.public}
        assert receiver.ops == ["upsert"] * 6 + ["withdraw"]
        assert sorted(map(str, (held["plan"] for held in receiver.held.values()))) == ["0", "3", "4", "team"]
        pulled = await read_changes(mail.space, mail.public, receiver.messages[0]["cursor"], 100)
        pulled_page = msgspec.to_builtins(feed_page(pulled))
        assert pulled_page == {**{k: receiver.messages[1][k] for k in ("changes", "cursor")}, "has_more": False}
        await mail.send()
        await mail.pushing.turn()
        assert len(receiver.messages) == 2
        assert (await mail.status()).push == "working"


async def test_a_receiver_that_fails_for_a_week_is_given_up(lab: Lab) -> None:
    """Its erasures are overdue; resumed, it receives all it missed."""
    async with mailing(lab) as mail:
        await mail.ingest.send(person("ann"), person("bob"))
        await mail.send()
        asked = await mail.erase("user_id:ann")
        mail.receiver.answer = FAILING
        begun = mail.clock.now
        while (await mail.status()).push != "dead":
            await mail.send()
            mail.clock.now = mail.next_at()
            assert mail.clock.now <= begun + GIVE_UP
            # The verifier checks the time of a signature.
            mail.receiver.secrets = []
        assert len(mail.receiver.messages) > 20
        found = await get_request(mail.space, asked.id)
        assert [notice.state for notice in found.erasures[0].notices] == [6]
        assert request_status.segment_status(found) == "PARTIAL_SUCCESS"
        shown = erasure(found.erasures[0], Micros(mail.clock.now))
        assert (shown.internal, shown.overall) == ("finished", "partial")
        assert (await find_overdue(mail.ingest.spaces, Micros(begun))).dead == 1

        mail.receiver.answer, failed = HTML, len(mail.receiver.ids)
        await mail.send()
        assert len(mail.receiver.ids) == failed
        assert (await manage_destinations.resume_destination(mail.space, "mail", "key_test")).push == "working"
        await mail.send()
        assert set(mail.receiver.ids[1:]) == {mail.receiver.ids[-1]}
        assert len(mail.receiver.held) == 1
        assert (await find_overdue(mail.ingest.spaces, Micros(begun))).dead == 0


async def test_a_200_is_not_an_acknowledgement(lab: Lab) -> None:
    """Whatever its body; an erasure is done once acknowledged."""
    async with mailing(lab) as mail:
        await mail.ingest.send(person("ann"))
        await mail.send()
        asked = await mail.erase("user_id:ann")
        mail.receiver.answer = HTML
        for state, acknowledged in ((0, None), (2, None), (3, 1), (3, 0)):
            if acknowledged is not None:
                assert await mail.ack(mail.receiver.cursor) == acknowledged
            found = await get_request(mail.space, asked.id)
            assert [notice.state for notice in found.erasures[0].notices] == [state]
            await mail.send()
        assert mail.receiver.ops == ["upsert", "erase"]


async def test_a_page_cut_off_is_sent_again_under_the_same_id(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The receiver has the same state."""
    async with mailing(lab) as mail:
        await mail.ingest.send(person("ann"))
        await mail.send()
        await mail.ingest.send(person("ann", plan="team"))

        async def dying(*_: Any) -> bool:
            raise asyncio.CancelledError

        monkeypatch.setattr(mail.pushing, "_accepted", dying)
        with pytest.raises(asyncio.CancelledError):
            await mail.send()
        held = dict(mail.receiver.held)
        monkeypatch.undo()
        await mail.send()
        assert len(mail.receiver.ids) == 2
        mail.clock.now = Micros(mail.clock.now + LEASE + 1)
        await mail.send()
        assert mail.receiver.ids[2:] == mail.receiver.ids[1:2]
        assert mail.receiver.messages[2] == mail.receiver.messages[1]
        assert mail.receiver.held == held


async def test_a_page_is_rendered_again_for_each_attempt(lab: Lab) -> None:
    """Nothing follows a withdrawal made in between."""
    async with mailing(lab) as mail:
        mail.receiver.answer = FAILING
        await mail.ingest.send(person("ann"), person("bob"))
        await mail.send()
        await mail.send()
        await mail.ingest.send(person("ann", marketing=False))
        mail.now_due()
        mail.receiver.answer = HTML
        await mail.send()
        first, second, *_ = mail.receiver.messages
        assert [line["op"] for line in first["changes"]] == ["upsert", "upsert"]
        assert sorted(line["op"] for line in second["changes"]) == ["upsert", "withdraw"]
        assert len(mail.receiver.held) == 1


async def test_a_receiver_behind_the_retention_begins_again(lab: Lab) -> None:
    """It misses nothing."""
    async with mailing(lab) as mail:
        await mail.ingest.send(person("ann"), person("bob"))
        await mail.send()
        asked = await mail.erase("user_id:ann")
        lab.query("UPDATE erasure SET internal_at = internal_at - %s", ERASURE_MARGIN)
        await mail.ingest.send(person("bob", plan="team"))
        tenant = mail.space.tenant
        async with mail.space.database.transaction() as connection:
            for lane in await feed.lanes(connection, tenant):
                await feed.trim(connection, tenant, lane.lane, Stamp(1 << 62), 1000)
        await mail.send()
        assert mail.receiver.messages[1]["resync"] is True
        assert list(mail.receiver.held.values()) == [{"plan": "team"}]
        assert [n.state for n in (await get_request(mail.space, asked.id)).erasures[0].notices] == [2]
        # A date that passed meanwhile changes nothing: they acknowledged everything before it.
        await find_overdue(mail.ingest.spaces, Micros(mail.clock.now + 40 * DAY))
        assert [n.state for n in (await get_request(mail.space, asked.id)).erasures[0].notices] == [6]
        assert await mail.ack(mail.receiver.cursor) == 1


async def test_two_senders_send_one_message(lab: Lab) -> None:
    """An expired claim blocks nobody."""
    async with mailing(lab) as mail:
        await mail.ingest.send(*(person(f"u{nr}") for nr in range(3)))
        others = [Pushing(mail.ingest.spaces, mail.client, page_after, feed_message, mail.clock) for _ in range(4)]
        while not mail.receiver.messages:
            await asyncio.gather(*(each.send(mail.space, mail.id) for each in others))
        await mail.send()
        assert len(mail.receiver.ids) == len(set(mail.receiver.ids)) == 1
