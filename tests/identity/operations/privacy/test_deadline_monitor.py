"""Deadlines of requests: counted by timeliness, reported once, and running under a hold too."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.schemas.exports.export_items import export_item
from identity.operations.privacy import request_erasure as module
from identity.operations.privacy.access_exports.access_export_sections import read_sections
from identity.operations.privacy.access_exports.build_export import build_export
from identity.operations.privacy.access_exports.request_export import destroy_expired_exports, request_export
from identity.operations.privacy.cancel_erasure import cancel_request
from identity.operations.privacy.deadline_monitor import monitor_deadlines
from identity.operations.privacy.extend_erasure import extend_erasure
from identity.operations.privacy.manage_holds import place_hold
from identity.operations.privacy.request_erasure import request_erasure
from identity.operations.privacy.resume_requests import resume_requests
from identity.planning.privacy.privacy_requests import NewRequest, PrivacyRequest
from identity.values.calls import DAY
from identity.values.enums import Law, RequestInterface, RequestKind
from identity.values.errors import DatabaseUnavailable
from identity.values.ids import public
from tests.support.integrity.space_audit import ignore_progress
from tests.support.privacy.access_exports import requested_export
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

LAWLESS, GDPR = Law.NONE, Law.GDPR


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def held(ingest: Ingest, name: str, regulation: Law = GDPR) -> PrivacyRequest:
    """An erasure that waits for a hold."""
    await ingest.send({"type": "identify", "userId": name})
    await place_hold(ingest.space, [f"user_id:{name}"], "case", "key_test")
    asked = NewRequest(
        front=RequestInterface.NATIVE,
        kind=RequestKind.SUPPRESS_WITH_DELETE,
        regulation=regulation,
        identifiers=[f"user_id:{name}"],
        actor="key_test",
    )
    return await request_erasure(ingest.space, asked)


def earlier(lab: Lab, days: int) -> None:
    """Everything was asked for so many days before."""
    lab.query("UPDATE privacy_request SET received_at = received_at - %s", days * DAY)
    lab.query("UPDATE erasure SET received_at = received_at - %s, due_at = due_at - %s", days * DAY, days * DAY)


async def watched(ingest: Ingest) -> tuple[dict[tuple[str, str], int], list[tuple[str, str, str]]]:
    """The counts, zeros left out, and the reports."""
    with capture_logs() as lines:
        counted = await monitor_deadlines(ingest.spaces)
    reported = [(line["event"], line["log_level"], line["request"]) for line in lines]
    assert all(line["space"] == public("spc", ingest.space.public_id) for line in lines)
    return {state: count for state, count in counted.items() if count}, reported


async def test_the_deadline_runs_on_under_a_hold(lab: Lab) -> None:
    """At 70 % and at the end it is reported, once, and again after an extension."""
    async with ingesting(lab) as ingest:
        request = await held(ingest, "ann")
        await held(ingest, "bob", LAWLESS)
        id_ = public("req", request.id)
        assert await watched(ingest) == ({("erasure", "on_time"): 2}, [])
        earlier(lab, 24)
        now = {("erasure", "at_risk"): 1, ("erasure", "on_time"): 1}
        assert await watched(ingest) == (now, [("request.at_risk", "warning", id_)])
        assert await watched(ingest) == (now, [])
        earlier(lab, 10)
        late = {("erasure", "overdue"): 1, ("erasure", "on_time"): 1}
        assert await watched(ingest) == (late, [("request.overdue", "error", id_)])
        assert await watched(ingest) == (late, [])
        await extend_erasure(ingest.space, public("ers", request.erasures[0].id), "many", "key_test")
        assert await watched(ingest) == ({("erasure", "on_time"): 2}, [])
        earlier(lab, 60)
        assert await watched(ingest) == (late, [("request.overdue", "error", id_)])
        await cancel_request(ingest.space, request.id, "key_test")
        assert await watched(ingest) == ({("erasure", "on_time"): 1}, [])


async def test_an_access_request_is_open_until_it_is_built(lab: Lab) -> None:
    """One whose export was lost, until it is requested again."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "ann"})
        lost, _ = await requested_export(lab, ingest.space, "user_id:ann")
        lab.query("UPDATE export SET until = 0 RETURNING 1")
        assert await destroy_expired_exports(ingest.spaces) == 1
        earlier(lab, 40)
        id_ = public("req", lost.request_id)
        assert await watched(ingest) == ({("access", "overdue"): 1}, [("request.overdue", "error", id_)])
        _, wanted = await requested_export(lab, ingest.space, "user_id:ann")
        await request_export(
            ingest.space,
            NewRequest(
                front=RequestInterface.NATIVE,
                kind=RequestKind.ACCESS,
                regulation=GDPR,
                identifiers=["user_id:bob"],
                actor="key_test",
            ),
        )
        assert (await watched(ingest))[0] == {("access", "overdue"): 1, ("access", "on_time"): 2}
        await build_export(ingest.space, wanted, ignore_progress, read_sections, export_item)
        assert await watched(ingest) == ({("access", "on_time"): 1}, [])


async def test_a_request_done_when_answered_is_never_open(lab: Lab) -> None:
    """However long ago."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "ann"})
        asked: Any = NewRequest(
            front=RequestInterface.NATIVE,
            kind=RequestKind.SUPPRESS_WITH_DELETE,
            regulation=GDPR,
            identifiers=["user_id:ann"],
            actor="key_test",
        )
        await request_erasure(ingest.space, asked)
        earlier(lab, 400)
        assert await watched(ingest) == ({}, [])


async def test_an_interrupted_request_is_at_risk_once_its_confirmation_is_late(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the CCPA receipt is confirmed within ten business days; a request on hold was confirmed by its answer."""

    async def interrupted(*_: object) -> None:
        raise DatabaseUnavailable

    async with ingesting(lab) as ingest:
        await held(ingest, "bob", Law.CCPA)
        await ingest.send({"type": "identify", "userId": "ann"})
        for law in (Law.CCPA, Law.NONE):
            request = NewRequest(
                front=RequestInterface.NATIVE,
                kind=RequestKind.SUPPRESS_WITH_DELETE,
                regulation=law,
                identifiers=["user_id:ann"],
                actor="key_test",
            )
            with monkeypatch.context() as patched:
                patched.setattr(module, "carry_out", interrupted)
                with pytest.raises(DatabaseUnavailable):
                    await request_erasure(ingest.space, request)
        earlier(lab, 13)
        assert await watched(ingest) == ({("erasure", "on_time"): 3}, [])
        earlier(lab, 4)
        counted, reported = await watched(ingest)
        assert counted == {("erasure", "on_time"): 2, ("erasure", "at_risk"): 1}
        assert [event[:2] for event in reported] == [("request.at_risk", "warning")]
        assert (await watched(ingest))[1] == []
        assert await resume_requests(ingest.spaces) == 2
        assert await watched(ingest) == ({("erasure", "on_time"): 1}, [])
