"""A replay goes through the planner of ingest, with corrections between the calls."""

import itertools
from typing import Any

from identity.planning.corrections.replay import Replay, ReplayConstraints, ReplayEntry
from identity.planning.resolution.resolution_rules import DEFAULT_RULES, compile_rules
from identity.planning.resolution.stored_calls import StoredCall, stored_call
from identity.values.calls import Call
from identity.values.enums import StoredKind
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Micros, Stamp
from tests.support.planning.read_calls import key_of, read

USER, DEVICE = key_of("user_id", "u1"), key_of("anonymous_id", "a1")
TOGETHER = {"userId": "u1", "anonymousId": "a1"}
CUT = b"c" * 16


def entry(stamp: int, **body: Any) -> ReplayEntry:
    """A call in the log."""
    call = read({"type": "identify", **body}, DEFAULT_RULES, stamp)
    assert isinstance(call, Call)
    return ReplayEntry(stamp=Stamp(stamp), origin=ProfileId(b"o" * 16), stored=stored_call(call), call=call)


def unmerge(stamp: int, *named: BlindIndex) -> ReplayEntry:
    """An unmerge in the log."""
    act = StoredCall(
        kind=StoredKind.UNMERGE, message_id="", time=Micros(0), received=Micros(0), source=1, server=True, body={}
    )
    return ReplayEntry(stamp=Stamp(stamp), origin=ProfileId(b"o" * 16), stored=act, named=frozenset(named), cut=CUT)


def replayed(*log: ReplayEntry, constraints: ReplayConstraints | None = None, limits: Any = None) -> Replay:
    """A replay of a log."""
    ids = itertools.count(1)
    rules = compile_rules({"limits": limits}, 1) if limits else DEFAULT_RULES
    replay = Replay(rules, constraints or ReplayConstraints(), lambda: ProfileId(next(ids).to_bytes(16, "big")))
    replay.run(log)
    return replay


def roots(replay: Replay) -> int:
    """The number of profiles that hold the user and the device."""
    return len({root.id for key in (USER, DEVICE) if (root := replay.state.root_of(BlindIndex(key))) is not None})


def test_the_rules_of_the_replay_decide() -> None:
    """A call that identifies nobody now is refused and not lost."""
    log = entry(1, **TOGETHER), entry(2, userId="u2", anonymousId="a1")

    assert sorted(replayed(*log).recorded) == [1, 2]
    strict = replayed(
        entry(1, **TOGETHER), constraints=ReplayConstraints(blocked=frozenset({BlindIndex(USER), BlindIndex(DEVICE)}))
    )
    assert (strict.refused, strict.links) == ([1], {})


def test_an_unmerge_splits_the_calls_before_it_and_its_cut_holds_after_it() -> None:
    """A later call with both identifiers does not join them again."""
    cuts = {CUT: [(USER, 0), (DEVICE, 1)]}
    constraints = ReplayConstraints(cuts=cuts)

    assert roots(replayed(entry(1, **TOGETHER), constraints=ReplayConstraints())) == 1
    assert roots(replayed(entry(1, **TOGETHER), unmerge(2, DEVICE), constraints=constraints)) == 2
    assert roots(replayed(entry(1, **TOGETHER), unmerge(2, DEVICE), entry(3, **TOGETHER), constraints=constraints)) == 2


def test_a_cut_whose_unmerge_is_erased_still_applies() -> None:
    """From the first call on."""
    constraints = ReplayConstraints(cuts={CUT: [(USER, 0), (DEVICE, 1)]})
    replay = replayed(entry(1, userId="u1"), entry(2, anonymousId="a1"), entry(3, **TOGETHER), constraints=constraints)

    assert roots(replay) == 2


def test_a_removed_identifier_is_ignored_up_to_its_removal() -> None:
    """A later call brings it back."""
    constraints = ReplayConstraints(forgotten={DEVICE: Stamp(5)})

    assert DEVICE not in replayed(entry(1, **TOGETHER), constraints=constraints).links
    assert DEVICE in replayed(entry(1, **TOGETHER), entry(6, **TOGETHER), constraints=constraints).links


def test_an_unmerge_of_identifiers_that_are_alone_changes_nothing() -> None:
    """Its cut counts on the profiles of both sides."""
    constraints = ReplayConstraints(cuts={CUT: [(USER, 0), (DEVICE, 1)]})
    replay = replayed(entry(1, userId="u1"), entry(2, anonymousId="a1"), unmerge(3, DEVICE), constraints=constraints)
    left, right = replay.state.root_of(BlindIndex(USER)), replay.state.root_of(DEVICE)

    assert left is not None
    assert right is not None
    assert (left.folded.cuts, right.folded.cuts) == ({CUT: (1, 0)}, {CUT: (0, 1)})
