"""Consent over whole journeys: a merge shows no destination more than before, and an unmerge restores everything."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from identity.planning.consent.fold import Meeting
from identity.planning.consent.permission import Permission
from identity.planning.consent.purposes import Purpose, Purposes
from identity.planning.destinations.policy import Entitled, Visible, visible
from identity.values.calls import DAY
from identity.values.ids import BlindIndex
from identity.values.stamps import Micros
from tests.support.planning.oracle import World
from tests.support.planning.read_calls import key_of
from tests.support.planning.traffic import DEVICES, USERS, calls

NOW = 20_500 * DAY
RECEIVED = 20_490 * DAY
PURPOSES = Purposes(purposes={"A": Purpose("A", "ads", Micros(365 * DAY)), "B": Purpose("B", "analytics")})
OPEN = Purposes(purposes=PURPOSES.purposes, unset=True)
DESTINATIONS = [Entitled(purposes=purposes, traits=["*"], identifiers=["*"]) for purposes in (["A"], ["B"], ["A", "B"])]


def seen(world: World, key: bytes, entitled: Entitled, purposes: Purposes) -> dict[Any, Any]:
    """What a destination may see of the profile with an identifier: (field, its origin) -> value."""
    root = world.state.root_of(BlindIndex(key))
    assert root is not None
    origins = {origin.id: origin for origin in world.origins(root)}
    documents = {id_: world.state.documents[id_] for id_ in origins if id_ in world.state.documents}
    met = [Meeting(o.joined_at, o.id, o.joined_to) for o in origins.values() if o.joined_to and o.joined_at is not None]
    held = [
        (gained.origin, gained.identifier.type, gained.identifier.value)
        for gained in world.gained.values()
        if gained.origin in origins
    ]
    view: Visible = visible(
        entitled, Permission(documents, met, purposes, Micros(NOW)), documents, [(at, type_) for at, type_, _ in held]
    )
    fields: dict[Any, Any] = {("trait", name): value for name, value in view.traits.items()}
    return fields | {("identifier", held[at][1], held[at][2]): True for at in view.identifiers}


def everything(world: World, key: bytes) -> list[dict[Any, Any]]:
    """The same for every destination, where nothing was decided denied and allowed."""
    return [seen(world, key, each, purposes) for each in DESTINATIONS for purposes in (PURPOSES, OPEN)]


@given(st.lists(calls(), max_size=10), st.sampled_from(USERS), st.sampled_from(DEVICES))
def test_a_merge_widens_nothing_and_unmerging_restores(later: list[dict[str, Any]], user: str, device: str) -> None:
    """Two people seen together show no more than each did; parted again, each shows what it did."""
    world = World()
    first: list[dict[str, Any]] = [
        {"type": "identify", "userId": user, "traits": {"p": 0}},
        {"type": "page", "anonymousId": device},
    ]
    world.send([*first, *later], received=RECEIVED)
    one, other = key_of("user_id", user), key_of("anonymous_id", device)
    if world.state.root_of(BlindIndex(one)) is world.state.root_of(other):
        return
    before = everything(world, one), everything(world, other)
    leaving = set(world.whole(other).links)
    (outcome,) = world.send([{"type": "track", "event": "E", "userId": user, "anonymousId": device}], received=RECEIVED)
    if not outcome.merged:
        return

    for after, mine, theirs in zip(everything(world, one), *before, strict=True):
        for field, value in after.items():
            assert value in [each[field] for each in (mine, theirs) if field in each]
    world.unmerge(leaving, block=False)
    assert (everything(world, one), everything(world, other)) == before
