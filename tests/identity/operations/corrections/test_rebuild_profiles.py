"""A rebuild of profiles whose calls take longer to replay than a session may be idle in a transaction."""

import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from identity.operations.corrections.put_rules import put_rules
from identity.operations.corrections.rebuild_profiles import rebuild_space
from identity.planning.corrections.replay import Replay, ReplayEntry
from identity.store.postgres import database as database_settings
from identity.store.postgres import keep_alive
from tests.support.integrity.space_audit import ignore_progress
from tests.support.processes.writer_processes import Lab, ingesting

IDLE, REPLAY = 1.5, 2.5


async def test_a_long_replay_keeps_its_transaction(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one, which holds the space lock."""
    monkeypatch.setitem(database_settings._WRITER, "idle_in_transaction_session_timeout", f"{IDLE}s")
    monkeypatch.setattr(keep_alive, "EVERY", IDLE / 10)
    replay = Replay.run
    replays: list[Replay] = []

    def slow(self: Replay, log: Iterable[ReplayEntry]) -> None:
        replays.append(self)
        time.sleep(REPLAY if len(replays) == 2 else 0)
        replay(self, log)

    async with ingesting(Lab(database, tmp_path)) as ingest:
        await ingest.send({"type": "identify", "userId": "u1", "traits": {"plan": "pro"}})
        await put_rules(ingest.space, {"blocked": {"user_id": ["u1"]}}, "key_test")
        monkeypatch.setattr(Replay, "run", slow)
        await rebuild_space(ingest.space, 1, ignore_progress)
        # One replay without the lock, one with it: none was begun again.
        assert len(replays) == 2


async def test_a_later_call_gives_a_plain_call_no_other_origin(database: str, tmp_path: Path) -> None:
    """A rebuild leaves a plain call where it is, though the new rules read an address in its body.

    Else a rebuild would change a profile as soon as another call links the address, here to another origin of it.
    """
    async with ingesting(Lab(database, tmp_path)) as ingest:
        await ingest.send({"type": "identify", "userId": "u1", "traits": {"plan": "pro"}})
        await ingest.send(
            {"type": "track", "userId": "u1", "event": "Seen", "properties": {"email": "ann@example.org"}}
        )
        await put_rules(ingest.space, {"promote_property_email": True, "priority": ["email"]}, "key_test")
        await rebuild_space(ingest.space, 1, ignore_progress)
        await ingest.send({"type": "identify", "anonymousId": "a1", "traits": {"email": "ann@example.org"}})
        (joined,) = await ingest.send({"type": "identify", "userId": "u1", "anonymousId": "a1"})
        assert joined.merged
        rebuilt = await rebuild_space(ingest.space, 1, ignore_progress)
        assert rebuilt.profiles_changed == 0


async def test_a_type_that_only_the_new_rules_admit_gets_its_number(database: str, tmp_path: Path) -> None:
    """The number is given in a transaction that shares the space lock, so the rebuild lets go of the lock before."""
    async with ingesting(Lab(database, tmp_path)) as ingest:
        crm = {"type": "crm", "id": "7"}
        call = {"type": "identify", "userId": "u1", "traits": {"plan": "pro"}, "context": {"externalIds": [crm]}}
        (sent,) = await ingest.send(call, server=False)
        assert [each["identifier"] for each in sent.demoted] == ["crm:7"]
        await put_rules(ingest.space, {"limits": {"crm": {"max": 1}}}, "key_test")
        rebuilt = await rebuild_space(ingest.space, 1, ignore_progress)
        assert rebuilt.profiles_changed == 1
        assert "crm" in ingest.space.codes
