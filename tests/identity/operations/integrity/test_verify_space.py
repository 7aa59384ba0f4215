"""An audit finds nothing in a space that only the service wrote to, and every kind of damage."""

import asyncio
from pathlib import Path
from typing import Any

import psycopg
import pytest

from identity.operations.corrections.put_rules import put_rules
from identity.operations.corrections.remove_identifier import remove_identifier
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.ingest.leave_group import leave_group
from identity.operations.integrity.find_rolled_back import DESTINATION, IDENTITY_KEYS, PURPOSES, RULES
from identity.operations.integrity.verify_space import PARTS, verify
from identity.planning.integrity.discrepancies import DIFFERENCES, MOST_SHOWN
from identity.values.calls import Source
from identity.values.errors import SpaceNotFound
from identity.values.identifiers import parse
from identity.values.ids import public
from tests.support.destinations.disclosure_damages import DAMAGES as OF_THE_FEED
from tests.support.integrity.database_damages import audit, damaged
from tests.support.processes.writer_processes import Ingest, Lab, ingesting, run

ADMIN = Source(9, server=True)
WINDOW = {"user_id": {"max": 3}, "anonymous_id": {"max": 5, "days": 30}}


def user(name: str, device: str | None = None, **traits: Any) -> dict[str, Any]:
    """An identify."""
    return {"type": "identify", "userId": name, "traits": traits} | ({"anonymousId": device} if device else {})


def seen(device: str) -> dict[str, Any]:
    """A plain event."""
    return {"type": "track", "event": "Seen", "anonymousId": device}


async def everything(ingest: Ingest) -> None:
    """Merges, unmerges, removals, departures, aliases, demotions: all that a space may have been through."""
    space = ingest.space

    async def part(*named: str, block: bool = True) -> None:
        await unmerge_profile(space, named, block=block, source=ADMIN, actor="t")

    async def away(named: str, *, block: bool = False) -> None:
        await remove_identifier(space, named, block=block, source=ADMIN, actor="t")

    await put_rules(space, {"limits": WINDOW}, "t")
    # Merged through a device that is removed, and one that comes back elsewhere.
    await ingest.send(user("u1", "a1", plan="pro", email="one@x.org"), seen("a2"), seen("a2"), user("u1", "a2"))
    await away("anonymous_id:a1")
    await away("anonymous_id:a2")
    await ingest.send(user("u9", "a1"))
    # Parted by pointer, with a block, then refused; and parted without one, and merged again.
    await ingest.send(user("u2", "b1"), seen("b2"), user("u2", "b2"), user("u3"), user("u3", "b2"))
    await part("user_id:u3")
    await ingest.send(user("u3", "b1"))
    await ingest.send(user("u4", "c1"), seen("c2"), seen("c3"), user("u4", "c2"), user("u4", "c3"))
    await part("anonymous_id:c2", block=False)
    await ingest.send(user("u4", "c2"))
    # Split: what one origin held lies at two, and the middle of three leaves.
    await ingest.send(user("u5", "d1", email="five@x.org", city="Rome"), seen("d2"), seen("d1"), user("u5", "d2"))
    await part("user_id:u5", "email:five@x.org")
    await ingest.send(seen("e1"), seen("e2"), seen("e3"))
    for one, other in (("e1", "e2"), ("e2", "e3")):
        both = [{"type": "anonymous_id", "id": id_, "collection": "users", "encoding": "none"} for id_ in (one, other)]
        await ingest.send({"type": "track", "event": "E", "context": {"externalIds": both}})
    await part("anonymous_id:e2")
    # Renamed, refused, demoted, in a group and out of it, blocked.
    await ingest.send({"type": "alias", "userId": "u6", "previousId": "u5"}, user("u7", "f1"), user("u8", "f2"))
    await ingest.send({"type": "alias", "userId": "u7", "previousId": "u8"})
    await put_rules(space, {"limits": {**WINDOW, "user_id": {"max": 1}}}, "t")
    await ingest.send(user("u8", "f1"), user("null", "f3"))
    await ingest.send({"type": "group", "userId": "u8", "groupId": "acme", "traits": {"n": 1}})
    await leave_group(space, ingest.queue, "acme", "user_id:u8", ADMIN)
    await away("anonymous_id:f2", block=True)
    await ingest.send(user("u8", "f2"))
    await ingest.send(seen("f2"), seen("b1"))
    # Claimed by a public key, taken over by a server, and claimed once more.
    claim = user("u10", "g1", email="ten@x.org")
    await ingest.send(claim, server=False)
    await ingest.send(user("u11", email="ten@x.org"))
    await ingest.send(claim, server=False)


@pytest.fixture(scope="module")
def full(url: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, Any]:
    """A space with all of it, and its keys."""
    lab = Lab(url, tmp_path_factory.mktemp("verify"))

    async def main() -> Any:
        async with ingesting(lab) as ingest:
            await everything(ingest)
            rules = [(stamp, version) for version, stamp in lab.query("SELECT version, stamp FROM rules")]
            ingest.check(rules)
            return ingest.space

    return lab, run(main())


def test_nothing_in_a_healthy_space(full: tuple[Lab, Any]) -> None:
    """Whatever the service does is no difference; and all of it was looked at."""
    lab, space = full
    (report,) = run(audit(lab))

    assert report.findings == []
    assert report.space_id == public("spc", space.public_id)
    assert set(report.looked_at) == set(PARTS)
    tables = ("profile", "identifier", "profile_identifier", "evidence")
    counts = [lab.query(f"SELECT count(*) FROM {table}")[0][0] for table in tables]
    assert [report.looked_at[what] for what in ("profiles", "identifiers", "reverse rows", "evidence")] == counts
    # The space has what the damages below need.
    for needed in (
        "cut", "forgotten", "blocked_key", "event", "membership", "account",
        "profile WHERE joined_to IS NOT NULL", "profile_identifier WHERE retired", "evidence WHERE demoted IS NOT NULL",
        "history WHERE kind = 6", "history WHERE kind = 9",
    ):  # fmt: skip
        assert lab.query(f"SELECT count(*) FROM {needed}")[0][0], needed


def test_an_unknown_space_is_an_error_before_any_audit(full: tuple[Lab, Any]) -> None:
    """A space that is not there is an error, before any other is looked at."""
    lab, space = full
    for unknown in ("spc_" + "0" * 32, "nonsense"):
        with pytest.raises(SpaceNotFound):
            run(audit(lab, public("spc", space.public_id), unknown))


U1 = "(SELECT profile_id FROM identifier WHERE key = %(u1)s)"
U4 = "(SELECT profile_id FROM identifier WHERE key = %(u4)s)"
NEWEST = "(SELECT max(stamp) FROM evidence)"
NOBODY = "'00000000-0000-7000-8000-000000000001'"
HEAD = "(SELECT head FROM profile WHERE profile_id = {})"
LOSER = f"(SELECT profile_id FROM profile WHERE head = {HEAD} AND head <> profile_id LIMIT 1)"
TWICE = (
    f"INSERT INTO profile_identifier SELECT {U4}, key, space_id, bucket, type, retired, source, linked_at, first_seen,"
    " last_seen, value FROM profile_identifier WHERE key = %(u1)s"
)
DAMAGES = [
    ("UPDATE profile SET version = version + 1 WHERE head = profile_id", {"version_untold"}),
    ("UPDATE profile SET events = 0", {"events_missing"}),
    ("UPDATE profile SET born = born + (1::bigint << 60) WHERE head = profile_id", {"canonical_wrong"}),
    ("UPDATE profile SET elder = elder + 1", {"canonical_wrong"}),
    ("UPDATE profile SET canonical = gen_random_uuid()", {"canonical_wrong"}),
    (f"UPDATE profile SET head = profile_id WHERE profile_id = {LOSER.format(U4)}",
     {"linked_apart", "join_broken", "folded_counters"}),
    (f"UPDATE profile SET head = {NOBODY} WHERE profile_id = {LOSER.format(U1)}", {"head_unknown"}),
    (f"UPDATE profile SET head = {LOSER.format(U1)} WHERE profile_id = {U4}", {"head_moved"}),
    ("UPDATE profile SET joined_at = NULL", {"join_broken"}),
    ("UPDATE profile SET joined_to = NULL", {"join_broken"}),
    ("UPDATE profile SET joined_at = joined_at + 1", {"join_unfounded"}),
    # Two profiles made one, with everything in its place but evidence for it.
    ((f"UPDATE profile SET head = {U1}, joined_to = {U1}, joined_at = {NEWEST}, folded = NULL"
     " WHERE profile_id = (SELECT profile_id FROM identifier WHERE key = %(u9)s)"), {"together_unfounded"}),
    ("UPDATE profile SET own = coalesce(folded, own)", {"own_counters"}),
    ("UPDATE profile SET own = '\\x00'", {"own_counters"}),
    ("UPDATE profile SET folded = '\\xc1' WHERE folded IS NOT NULL", {"folded_counters"}),
    ("UPDATE profile SET folded = NULL", {"folded_counters", "cuts_wrong"}),
    ("DELETE FROM profile WHERE profile_id = (SELECT profile_id FROM identifier WHERE key = %(u9)s)",
     {"row_orphaned", "key_orphaned", "change_unknown"}),
    ("DELETE FROM identifier WHERE key = %(u1)s", {"forward_missing"}),
    (f"UPDATE identifier SET profile_id = {U4} WHERE key = %(u1)s", {"reverse_elsewhere"}),
    (f"UPDATE identifier SET profile_id = {NOBODY} WHERE key = %(u1)s", {"row_orphaned"}),
    ("DELETE FROM profile_identifier WHERE key = %(u1)s", {"reverse_missing", "own_counters", "folded_counters"}),
    (TWICE, {"reverse_double", "reverse_elsewhere"}),
    ("UPDATE profile_identifier SET value = ''", {"value_missing"}),
    ("UPDATE profile_identifier SET retired = NOT retired WHERE key = %(u1)s", {"own_counters", "folded_counters"}),
    ("UPDATE profile_identifier SET type = 2 WHERE key = %(u1)s", {"own_counters", "folded_counters"}),
    ("UPDATE profile_identifier SET last_seen = last_seen + 1", {"window_wrong"}),
    ("UPDATE profile_identifier SET linked_at = linked_at + 1", {"link_unfounded", "evidence_unlinked"}),
    ("UPDATE profile_identifier SET linked_at = 1", {"link_unfounded", "forgotten_linked"}),
    # Both rows of an identifier, as if it had never been.
    ("WITH gone AS (DELETE FROM identifier WHERE key = %(u1)s) DELETE FROM profile_identifier WHERE key = %(u1)s",
     {"evidence_unlinked", "own_counters"}),
    ("DELETE FROM evidence WHERE kind < 7", {"link_unfounded", "join_unfounded", "together_unfounded"}),
    ("UPDATE evidence SET kept = '' WHERE kind < 7", {"link_unfounded", "together_unfounded"}),
    (f"UPDATE evidence SET profile_id = {U4} WHERE kind = 0 AND profile_id = {U1}", {"evidence_elsewhere"}),
    ("UPDATE evidence SET kept = kept || %(u1)s WHERE kind = 0 AND position(%(u4)s IN kept) = 1", {"linked_apart"}),
    (f"UPDATE evidence SET profile_id = {NOBODY} WHERE stamp = {NEWEST}", {"row_orphaned"}),
    ("DELETE FROM evidence WHERE kind = 7", {"linked_apart"}),
    ("UPDATE event SET calls = 30000", {"events_missing"}),
    (f"UPDATE event SET profile_id = {NOBODY}", {"row_orphaned"}),
    (f"UPDATE profile_document SET profile_id = {NOBODY} WHERE profile_id = {U1}", {"row_orphaned"}),
    (f"UPDATE sighting SET profile_id = {NOBODY}, set_key = gen_random_uuid()", {"row_orphaned"}),
    (f"UPDATE history SET profile_id = {NOBODY} WHERE profile_id = {U1}", {"row_orphaned"}),
    (f"UPDATE membership SET profile_id = {NOBODY}", {"row_orphaned"}),
    ("DELETE FROM cut", {"cuts_wrong"}),
    ("UPDATE cut SET side = 1 - side", {"cuts_wrong"}),
    ("UPDATE forgotten SET until = (SELECT max(linked_at) FROM profile_identifier)", {"forgotten_linked"}),
    ("DELETE FROM forgotten", {"evidence_unlinked"}),
    ("INSERT INTO blocked_key SELECT key, space_id, bucket FROM identifier WHERE key = %(u1)s", {"blocked_linked"}),
    ("DELETE FROM change WHERE seq = 3", {"lane_broken"}),
    ("DELETE FROM change", {"lane_broken", "version_untold"}),
    ("UPDATE lane_head SET seq = seq + 1", {"lane_broken"}),
    ("UPDATE lane_head SET base = 1 WHERE seq > 0", {"lane_broken"}),
    ("DELETE FROM lane_head WHERE seq > 0", {"lane_broken"}),
    ("UPDATE change SET version = version + 1", {"version_untold"}),
    (f"UPDATE change SET profile_id = {NOBODY}", {"change_unknown", "version_untold"}),
    (f"UPDATE change SET other = {NOBODY} WHERE other IS NOT NULL", {"change_unknown"}),
    ("UPDATE ledger SET entry = 'x' WHERE seq = 1", {"ledger_broken"}),
    ("DELETE FROM ledger", {"ledger_broken"}),
    (f"UPDATE change SET op = 4 WHERE profile_id = {U1}", {"erased_alive"}),
    (f"DELETE FROM subject_key WHERE profile_id = {U1}", {"key_missing"}),
    ("DELETE FROM subject_key WHERE profile_id IN (SELECT account_id FROM account)", {"key_missing"}),
    ("DELETE FROM slot_key", {"key_missing"}),
    ("DELETE FROM account", {"key_orphaned"}),
    ("DELETE FROM claim", {"join_differs"}),
    ("UPDATE claim SET refused = last", {"join_differs"}),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "expected"), DAMAGES, ids=[damage[:60] for damage, _ in DAMAGES])
def test_each_damage_is_found_by_its_name_and_nothing_after_repair(
    full: tuple[Lab, Any], damage: str, expected: set[str]
) -> None:
    """Each damage is found for what it is; put right again, nothing is left."""
    lab, space = full
    keys = {
        name: space.keys.identifier(named.type, named.value)
        for name in ("u1", "u4", "u9")
        for named in [parse(f"user_id:{name}", "US")]
    }
    assert expected <= damaged(lab, damage, keys)


def test_every_kind_is_shown() -> None:
    """There is no kind of difference that no damage here brings about."""
    # The key store is no table: test_restore_drill takes its epoch keys away, test_verify_vouchers,
    # test_verify_erasures, test_verify_seals, test_verify_documents, test_verify_space_lock, test_delete_space,
    # test_verify_memberships, test_find_lost_spaces, test_manage_holds and test_find_rolled_back compare rows with it.
    shown = set().union(*(expected for _, expected in [*DAMAGES, *OF_THE_FEED]))
    of_the_key_store = {
        "epoch_missing",
        "key_foreign",
        "suppression_missing",
        "suppression_foreign",
        "block_missing",
        "request_missing",
        "request_differs",
        "erasure_missing",
        "erasure_differs",
        "hold_missing",
        "space_deleted_unvouched",
        "space_missing",
        "space_renamed",
        "space_lock_differs",
        "document_missing",
        "membership_differs",
        "withheld_differs",
        "seal_broken",
        "journal_broken",
        RULES,
        PURPOSES,
        IDENTITY_KEYS,
        DESTINATION,
    }
    assert shown | of_the_key_store == set(DIFFERENCES)


def test_all_findings_are_counted_and_few_are_shown(full: tuple[Lab, Any]) -> None:
    """All are counted, a few are named, and none by what it says."""
    lab, _ = full
    with psycopg.connect(lab.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT * FROM profile_identifier")
        connection.execute("DELETE FROM profile_identifier")
        (report,) = run(audit(lab))
        connection.execute("INSERT INTO profile_identifier SELECT * FROM kept")
        connection.execute("DROP TABLE kept")
    missing = next(finding for finding in report.findings if finding.kind == "reverse_missing")

    assert missing.count == report.looked_at["identifiers"] > MOST_SHOWN
    assert len(set(missing.examples)) == MOST_SHOWN


async def test_while_calls_come_in(tmp_path: Path, database: str) -> None:
    """What comes in during an audit is not seen by half."""
    lab = Lab(database, tmp_path)

    async with ingesting(lab) as ingest:
        await ingest.send(user("u1", "a1"), user("u2", "a2"))
        loop, sent = asyncio.get_running_loop(), []

        def more(what: str, rows: int) -> None:
            if rows == 0:
                sent.append(loop.create_task(ingest.send(seen(f"new-{what}"), user("u1", "a2", at=what))))

        reports = [report async for report in verify(lab.url, (), more)]
        await asyncio.gather(*sent)
        assert len(sent) == len(PARTS)
        assert [report.findings for report in reports] == [[]]
        assert [report.findings for report in await audit(lab)] == [[]]
