"""A rebuild keeps ids: an origin has the id of its first call, and an id left over leads to the profile of its call."""

import itertools
from typing import Any

from identity.planning.corrections.profile_snapshot import SnapshotIdentifier
from identity.planning.corrections.rebuild import (
    DORMANT,
    RebuiltProfiles,
    ReplayedEvent,
    ReplayedEvidence,
    StoredProfiles,
    rebuild,
)
from identity.planning.corrections.replay import Replay, ReplayConstraints, ReplayEntry
from identity.planning.resolution.resolution_rules import DEFAULT_RULES, Rules, compile_rules
from identity.planning.resolution.stored_calls import stored_call
from identity.values.calls import STORED_KINDS, Call
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Stamp
from tests.support.planning.oracle import World
from tests.support.planning.read_calls import key_of, read

NOON = 1_800_000_000_000_000
USER, OTHER = key_of("user_id", "u1"), key_of("user_id", "u2")


def world(*bodies: dict[str, Any], rules: Rules = DEFAULT_RULES, plain: int = 0) -> World:
    """A world after these calls, of which `plain` are plain calls and the others evidence."""
    made = World(rules)
    made.send(({"type": "identify", **body} for body in bodies), received=NOON)
    assert (len(made.evidence), len(made.plain)) == (len(bodies) - plain, plain)
    return made


def rebuilt(before: World, rules: Rules) -> tuple[StoredProfiles, RebuiltProfiles]:
    """The profiles of a world, and the same after a replay under other rules."""
    links = {
        key: SnapshotIdentifier(
            key=key, type=gained.identifier.type, origin=gained.origin, retired=gained.retired,
            linked_at=gained.linked_at,
            first_seen=gained.first_seen, last_seen=gained.last_seen, source=gained.source,
        )
        for key, gained in before.gained.items()
    }  # fmt: skip
    evidence, log = {}, []
    for stamp, (origin, item) in sorted(before.evidence.items()):
        call = read({**item.call.body, "type": STORED_KINDS[item.call.kind]}, rules, item.call.received)
        assert isinstance(call, Call)
        call.time = item.call.time
        evidence[Stamp(stamp)] = ReplayedEvidence(ProfileId(origin), item.kept, [], item.shown)
        log.append(ReplayEntry(stamp=Stamp(stamp), origin=ProfileId(origin), stored=stored_call(call), call=call))
    events = {stamp: ReplayedEvent(origin, [top]) for stamp, (origin, top) in before.plain.items()}
    stored = StoredProfiles(
        profiles=before.state.profiles, links=links, documents=before.state.documents,
        sightings=before.state.sightings, evidence=evidence, events=events,
    )  # fmt: skip
    ids = itertools.count(1_000)
    fresh = lambda: ProfileId(next(ids).to_bytes(16, "big"))  # noqa: E731
    replay = Replay(rules, ReplayConstraints(), fresh)
    replay.run(log)
    return stored, rebuild(stored, log, replay, fresh)


def test_the_same_rules_change_nothing() -> None:
    """No row is written."""
    before = world({"userId": "u1", "anonymousId": "a"}, {"userId": "u2"}, {"userId": "u1", "anonymousId": "b"})
    stored, made = rebuilt(before, DEFAULT_RULES)

    assert made.changed == set()
    assert {id_: each.root for id_, each in made.profiles.items()} == {
        id_: each.root for id_, each in stored.profiles.items()
    }


def test_a_plain_call_between_two_days_changes_nothing() -> None:
    """Without it, a replay counts one day more of those on which a set of identifiers was seen."""
    days = ("2026-01-01", "2026-01-09", "2026-01-02", "2026-01-03")
    calls: list[dict[str, Any]] = [
        {"userId": "u1", "timestamp": f"{day}T00:00:00Z", "traits": {"day": day} if day != days[1] else {}}
        for day in days
    ]
    stored, made = rebuilt(world(*calls, plain=1), DEFAULT_RULES)

    assert made.changed == set()
    assert [seen.days for seen in stored.sightings.values()] == [2]


def test_a_split_profile_keeps_its_id_and_the_other_gets_a_fresh_one() -> None:
    """The id stays where the first call is."""
    loose = compile_rules({"limits": {"user_id": {"max": 2}}}, 1)
    before = world({"userId": "u1", "anonymousId": "a"}, {"userId": "u2", "anonymousId": "a"}, rules=loose)
    ((id_, _),) = before.state.profiles.items()
    _, made = rebuilt(before, DEFAULT_RULES)

    assert made.links[USER].origin == id_
    assert made.links[OTHER].origin not in before.state.profiles
    assert sorted(profile.events for profile in made.profiles.values()) == [1, 1]


def test_an_id_left_over_leads_to_the_profile_with_its_first_call() -> None:
    """Two that were separate are one origin under looser rules, whose ids both lead to it."""
    before = world({"userId": "u1"}, {"userId": "u2", "anonymousId": "a"}, {"userId": "u1", "anonymousId": "a"})
    loose = compile_rules({"limits": {"user_id": {"max": 2}}}, 1)
    _, made = rebuilt(before, loose)

    assert before.state.root_of(BlindIndex(USER)) is not before.state.root_of(OTHER)
    assert len({made.profiles[id_].root for id_ in before.state.profiles}) == 1


def test_an_id_whose_calls_identify_nobody_sleeps_and_loses_no_call() -> None:
    """Its evidence stays at its origin."""
    before = world({"userId": "u1"})
    ((id_, _),) = before.state.profiles.items()
    _, made = rebuilt(before, compile_rules({"blocked": {"user_id": ["u1"]}}, 1))

    assert (made.profiles[id_].root, made.profiles[id_].events) == (DORMANT, 0)
    assert [each.origin for each in made.evidence.values()] == [id_]
    assert made.changed == {id_}
