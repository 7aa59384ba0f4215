"""An identifier that many people have does not join them, and is named as the one that connects too much."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.resolution.resolution_rules import compile_rules
from tests.support.planning.oracle import World
from tests.support.planning.read_calls import key_of

BUILD = {"device": {"type": "android", "id": "QP1A.190711.020"}}
BRANCH = {"externalIds": [{"type": "branch", "id": "berlin", "collection": "users", "encoding": "none"}]}


def phone(nr: int, context: dict[str, Any] = BUILD, **more: Any) -> dict[str, Any]:
    """A call of one of many phones that report the same value."""
    return {"type": "track", "event": "open", "anonymousId": f"a{nr}", "context": context, **more}


def profiles(world: World) -> list[Counter[str]]:
    """The number of identifiers by type of every profile."""
    found: dict[bytes, Counter[str]] = {}
    for key, origin in world.state.owners.items():
        counts = found.setdefault(world.state.profiles[origin].root, Counter())
        counts[world.gained[key].identifier.type] += 1
    return list(found.values())


@pytest.mark.parametrize("context", [BUILD, BRANCH])
def test_forty_phones_with_one_value_are_no_profile(context: dict[str, Any]) -> None:
    """The value joins twenty; every further phone has a profile of its own, and the value is named."""
    world = World()
    outcomes = world.send(phone(nr, context) for nr in range(40))

    shared = "android.id:QP1A.190711.020" if context is BUILD else "branch:berlin"
    assert max(each["anonymous_id"] for each in profiles(world)) == 20
    assert [each.demoted for each in outcomes[20:]] == [[{"identifier": shared, "reason": "limit:anonymous_id"}]] * 20
    assert len({each.profile_id for each in outcomes}) == 21


def test_the_other_identifiers_of_a_phone_are_kept() -> None:
    """Every phone has its own advertising id and push token; only the shared value is demoted."""
    world = World()
    outcomes = world.send(
        phone(
            nr,
            {"device": {**BUILD["device"], "token": f"t{nr}", "advertisingId": f"ad{nr}", "adTrackingEnabled": True}},
        )
        for nr in range(40)
    )
    assert {each["identifier"] for outcome in outcomes for each in outcome.demoted} == {"android.id:QP1A.190711.020"}
    assert sum(each["android.push_token"] for each in profiles(world)) == 40


def test_phones_that_are_known_already_stay_apart_too() -> None:
    """Each was seen without the value first."""
    world = World()
    world.send(phone(nr, {}) for nr in range(40))
    world.send(phone(nr) for nr in range(40))
    assert max(each["anonymous_id"] for each in profiles(world)) == 20


def test_forty_addresses_on_one_device_are_not_joined() -> None:
    """An e-mail address is strong: the device is demoted beside it."""
    world = World()
    outcomes = world.send(
        {"type": "identify", "traits": {"email": f"p{nr}@x.org"}, "anonymousId": f"a{nr}", "context": BUILD}
        for nr in range(40)
    )
    assert max(each["email"] for each in profiles(world)) == 20
    assert outcomes[-1].demoted == [{"identifier": "android.id:QP1A.190711.020", "reason": "limit:email"}]


def test_one_browser_with_forty_addresses_does_not_join_them() -> None:
    """A kiosk where people leave their address and do not sign in."""
    world = World()
    world.send({"type": "identify", "traits": {"email": f"p{nr}@x.org"}, "anonymousId": "kiosk"} for nr in range(40))
    assert max(each["email"] for each in profiles(world)) == 20


@pytest.mark.parametrize("known", [False, True])
def test_a_person_with_a_hundred_browsers_and_twenty_devices_is_one(known: bool) -> None:  # noqa: FBT001
    """A user id joins them, whether or not the browsers were seen before the person signed in."""
    world = World()
    if known:
        world.send(phone(nr, {}) for nr in range(100))
    devices: list[dict[str, Any]] = [{"device": {"type": "ios", "id": f"d{nr}", "token": f"t{nr}"}} for nr in range(20)]
    outcomes = world.send(phone(nr, devices[nr % 20], userId="u1") for nr in range(100))
    assert (profiles(world), [o for o in outcomes if o.demoted]) == (
        [Counter({"anonymous_id": 100, "ios.id": 20, "ios.push_token": 20, "user_id": 1})],
        [],
    )


def test_a_household_on_one_tablet_is_one() -> None:
    """Nobody signs in; the browsers of five years have one device."""
    world = World()
    world.send(phone(nr, {"device": {"type": "ios", "id": "tablet"}}) for nr in range(20))
    assert profiles(world) == [Counter({"anonymous_id": 20, "ios.id": 1})]


def test_a_profile_above_the_limit_still_takes_its_calls() -> None:
    """Links that exist are not checked again."""
    world = World(compile_rules({"shared_limit": {"max": 1000}}, 1))
    world.send(phone(nr) for nr in range(40))
    world.rules = compile_rules({}, 2)
    outcomes = world.send([phone(7), phone(40)])
    assert [each.demoted for each in outcomes] == [
        [],
        [{"identifier": "android.id:QP1A.190711.020", "reason": "limit:anonymous_id"}],
    ]


def test_the_rules_of_a_space_can_change_the_limit() -> None:
    """Larger, smaller, or as good as none."""
    for limit in (5, 30, 1000):
        world = World(compile_rules({"shared_limit": {"max": limit}}, 1))
        world.send(phone(nr) for nr in range(40))
        assert max(each["anonymous_id"] for each in profiles(world)) == min(limit, 40)


def test_a_device_has_a_limit_of_its_own() -> None:
    """Of a person as well: the twenty-first token of one user is demoted, and the call is theirs."""
    world = World()
    outcomes = world.send(
        {"type": "track", "event": "E", "userId": "u", "context": {"device": {"type": "android", "token": f"t{nr}"}}}
        for nr in range(21)
    )
    assert outcomes[-1].demoted == [{"identifier": "android.push_token:t20", "reason": "limit:android.push_token"}]
    assert outcomes[-1].profile_id == outcomes[0].profile_id


@given(st.permutations(range(12)), st.integers(1, 6))
def test_in_no_order_does_a_shared_value_join_more_than_its_limit(order: list[int], limit: int) -> None:
    """Each phone comes twice, so that known ones are tried as well."""
    world = World(compile_rules({"shared_limit": {"max": limit}}, 1))
    world.send(phone(nr) for nr in (*order, *reversed(order)))
    assert max(each["anonymous_id"] for each in profiles(world)) <= limit
    assert all(key_of("anonymous_id", f"a{nr}") in world.state.owners for nr in order)
