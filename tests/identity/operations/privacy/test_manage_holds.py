"""People on hold for an erasure: unchanged, invisible everywhere, and erased or released whole."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from identity.operations.corrections.put_rules import put_rules
from identity.operations.corrections.rebuild_profiles import rebuild_space
from identity.operations.corrections.remove_identifier import remove_identifier
from identity.operations.corrections.simulate_rules import name_examples, simulate_rules
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.ingest.leave_group import leave_group
from identity.operations.integrity.list_rejections import list_rejections
from identity.operations.privacy import request_erasure as requesting
from identity.operations.privacy.cancel_erasure import cancel_request
from identity.operations.privacy.manage_holds import get_hold, list_holds, place_hold, release_hold
from identity.operations.privacy.manage_suppressions import lift_suppressions, suppress_identifiers
from identity.operations.privacy.request_erasure import request_erasure
from identity.operations.privacy.resume_requests import resume_requests
from identity.operations.profiles.read_profile import get_profile
from identity.planning.privacy.hold_refusals import ErasureWaits, UnderHold
from identity.planning.privacy.privacy_requests import NewRequest, PrivacyRequest
from identity.spaces.space import Space
from identity.store.ledger.ledger import append, entry
from identity.values.calls import Identifier, Source
from identity.values.enums import ErasureState, Law, RequestInterface, RequestKind
from identity.values.errors import HoldNotFound, ProfileNotFound
from identity.values.ids import RequestId, public
from identity.values.not_ready import RolledBack
from identity.values.stamps import Micros, wall_time
from identity.vault.seal import HOLD
from tests.support.integrity.space_audit import audited, discrepancies, ignore_progress
from tests.support.privacy.older_backup import Backup, publish_ledgers
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

WHO = Source(1, server=True)
REFS = ("user_id:ann", "anonymous_id:a1", "email:ann@example.org")


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def withheld(ingest: Ingest) -> tuple[str, PrivacyRequest]:
    """Ann, of two origins, one of them shared by two identifiers; her hold and the erasure that waits for it."""
    both = {"type": "identify", "userId": "ann", "anonymousId": "a1"}
    await ingest.send({"type": "identify", "anonymousId": "a1", "traits": {"email": "ann@example.org"}}, both)
    await ingest.send({**both, "traits": {"email": "second@example.org"}})
    hold = await place_hold(ingest.space, ["user_id:ann"], "case", "key_test")
    return public("hld", hold.id), await ask(ingest)


async def ask(ingest: Ingest) -> PrivacyRequest:
    """An erasure of ann."""
    return await request_erasure(
        ingest.space,
        NewRequest(
            front=RequestInterface.NATIVE,
            kind=RequestKind.SUPPRESS_WITH_DELETE,
            regulation=Law.GDPR,
            identifiers=["user_id:ann"],
            actor="key_test",
        ),
    )


async def seen(ingest: Ingest) -> list[str]:
    """By what she is read."""
    visible = []
    for ref in REFS:
        try:
            await get_profile(ingest.space, ref)
        except ProfileNotFound:
            continue
        visible.append(ref)
    return visible


async def test_no_correction_reaches_a_person_on_hold(lab: Lab) -> None:
    """The end of the hold erases everything."""
    async with ingesting(lab) as ingest:
        await put_rules(ingest.space, {"limits": {"email": {"max": 1}}}, "key_test")
        hold_id, _ = await withheld(ingest)
        before = lab.query("SELECT count(*), max(stamp) FROM evidence")
        with pytest.raises(UnderHold):
            await unmerge_profile(ingest.space, ["anonymous_id:a1"], block=True, source=WHO, actor="key_test")
        for block in (False, True):
            with pytest.raises(UnderHold):
                await remove_identifier(ingest.space, "anonymous_id:a1", block=block, source=WHO, actor="key_test")
        with pytest.raises(UnderHold):
            await leave_group(ingest.space, ingest.queue, "acme", "anonymous_id:a1", WHO)
        assert lab.query("SELECT count(*), max(stamp) FROM evidence") == before
        assert lab.query("SELECT count(*) FROM blocked_key") == [(0,)]
        candidate = {"blocked": {"anonymous_id": ["a1"]}, "limits": {"email": {"max": 1}}}
        simulated = await simulate_rules(ingest.space, candidate, ignore_progress)
        tried = await name_examples(ingest.space, msgspec.to_builtins(simulated))
        assert "ann" not in str(tried.examples)
        assert "example.org" not in str(await list_rejections(ingest.space, None, 100, None))
        await put_rules(ingest.space, candidate, "key_test")
        assert (await rebuild_space(ingest.space, 1, ignore_progress)).profiles_changed == 0
        assert await seen(ingest) == []
        await release_hold(ingest.space, hold_id, "key_test")
        for table in ("profile", "subject_key", "identifier", "evidence"):
            assert lab.query(f"SELECT count(*) FROM {table}") == [(0,)]


async def test_a_cancelled_erasure_ends_the_hold_of_the_person(lab: Lab) -> None:
    """Reads and calls are as before, in a restored database too."""
    async with ingesting(lab) as ingest:
        hold_id, first = await withheld(ingest)
        second = await ask(ingest)
        backup = Backup(lab)
        assert second.erasures[0].state == ErasureState.ON_HOLD
        await cancel_request(ingest.space, first.id, "key_test")
        assert await seen(ingest) == [], "somebody else asked for it too"
        for _ in range(2):
            ended = await cancel_request(ingest.space, second.id, "key_test")
            assert ended.erasures[0].state == ErasureState.CANCELLED

        async def as_before() -> None:
            assert await seen(ingest) == list(REFS)
            assert await discrepancies(ingest) == []
            again: dict[str, Any] = {"type": "track", "event": "E", "userId": "ann"}
            assert (await ingest.send(again))[0].status == "accepted"

        await as_before()
        backup.restore()
        ingest.spaces.forget(ingest.space.tenant.id)
        await publish_ledgers(ingest)
        ingest.space = await ingest.spaces.get(ingest.space.tenant.id)
        await as_before()
        await release_hold(ingest.space, hold_id, "key_test")
        assert (await ask(ingest)).erasures[0].state == ErasureState.FINISHED
        assert await seen(ingest) == []


async def test_a_suppression_by_name_outlives_a_cancelled_erasure(lab: Lab) -> None:
    """The identifier stays suppressed."""
    async with ingesting(lab) as ingest:
        await suppress_identifiers(ingest.space, ["email:ann@example.org"], "key_test")
        await lift_suppressions(ingest.space, ["email:ann@example.org"], "key_test")
        _, request = await withheld(ingest)
        await suppress_identifiers(ingest.space, ["anonymous_id:a1"], "key_test")
        await cancel_request(ingest.space, request.id, "key_test")
        calls: list[dict[str, Any]] = [
            {"type": "identify", "anonymousId": "a1", "traits": {"x": 1}},
            {"type": "identify", "userId": "ann", "traits": {"x": 1}},
            {"type": "identify", "anonymousId": "a7", "traits": {"email": "ann@example.org"}},
        ]
        outcomes = await ingest.send(*calls)
        assert [each.status for each in outcomes] == ["suppressed", "accepted", "accepted"]
        assert [each.demoted for each in outcomes[1:]] == [[], []]


async def test_a_lift_is_cancelled_where_an_erasure_waits_since_its_request(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls of the person stay out. A lift that is resumed after a crash takes the same path."""
    carry_out = requesting.carry_out
    async with ingesting(lab) as ingest:

        async def wait_first(space: Space, request_id: RequestId, identifiers: Sequence[Identifier] = ()) -> None:
            monkeypatch.setattr(requesting, "carry_out", carry_out)
            await withheld(ingest)
            await carry_out(space, request_id, identifiers)

        monkeypatch.setattr(requesting, "carry_out", wait_first)
        with pytest.raises(ErasureWaits):
            await lift_suppressions(ingest.space, ["email:ann@example.org"], "key_test")
        states = [state for (state,) in lab.query("SELECT state FROM erasure ORDER BY kind")]
        assert sorted(states) == sorted([ErasureState.ON_HOLD, ErasureState.CANCELLED])
        call: dict[str, Any] = {"type": "identify", "traits": {"email": "ann@example.org"}}
        assert (await ingest.send(call))[0].status == "suppressed"
        assert await seen(ingest) == []


async def test_the_key_of_a_reason_is_destroyed_with_the_hold(lab: Lab) -> None:
    """The key of the space does not open the reason; a hold of an earlier release, under that key, is read as well."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        made = [await place_hold(space, [f"user_id:{name}"], f"case of {name}", "t") for name in ("ann", "bob")]
        assert [each.reason for each in await list_holds(space)] == ["case of ann", "case of bob"]
        assert lab.query("SELECT count(*) FROM subject_key") == [(2,)]
        earlier = made[1].id
        lab.query("DELETE FROM subject_key WHERE profile_id = %s", UUID(bytes=earlier))
        sealed = space.keys.seal(HOLD, earlier, 0, b"case of before")
        lab.query("UPDATE hold SET reason = %s WHERE hold_id = %s", sealed, UUID(bytes=earlier))
        assert (await get_hold(space, public("hld", earlier))).reason == "case of before"
        for each in made:
            await release_hold(space, public("hld", each.id), "t")
        assert lab.query("SELECT count(*) FROM subject_key") == [(0,)]
        assert await list_holds(space) == []


async def test_attack_172_a_deleted_hold_lets_nobody_be_erased(lab: Lab) -> None:
    """Also with a forged release: the audit names the hold, and its genuine release carries the erasures out."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        await ingest.send({"type": "identify", "userId": "ann"})
        id_ = public("hld", (await place_hold(space, ["user_id:ann"], "case", "key_test")).id)
        gone = await place_hold(space, ["user_id:bob"], "case", "key_test")
        await release_hold(space, public("hld", gone.id), "key_test")
        assert await audited(lab) == []
        for attack in (
            "UPDATE held_key SET key = set_byte(key, 0, 255 - get_byte(key, 0))",
            "DELETE FROM held_key",
            "DELETE FROM hold",
        ):
            lab.query(attack)
            with pytest.raises(RolledBack):
                await ask(ingest)
            with pytest.raises(RolledBack):
                await remove_identifier(space, "email:x@example.org", block=True, source=WHO, actor="key_test")
            assert ("hold_missing", [id_]) in await audited(lab)
        async with space.database.transaction() as connection:
            await append(connection, space.tenant.id, *entry("key_test", "hold.release", id_, wall_time()))
        with pytest.raises(RolledBack):
            await ask(ingest)
        assert await seen(ingest) == ["user_id:ann"]

        await release_hold(space, id_, "key_test")
        with pytest.raises(HoldNotFound):
            await release_hold(space, id_, "key_test")
        await resume_requests(ingest.spaces, Micros(0))
        assert (await seen(ingest), await audited(lab)) == ([], [])
