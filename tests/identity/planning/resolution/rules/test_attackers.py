"""The model of an attacker with a public key: what she sends beside the calls of others changes nothing of theirs.

She knows the user ids and addresses of others, and not the ids of their devices. docs/threats.md lists what she can
do all the same: attach a device of hers to a known user id, set traits that are not protected, and deny consent.
"""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from identity.planning.consent.devices import by_side
from identity.planning.consent.fold import Meeting
from identity.planning.consent.permission import Permission
from identity.planning.consent.purposes import Purpose, Purposes
from identity.values.calls import DAY
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Micros
from tests.support.planning.attackers import MAILS, NAMED, PEOPLE, call, of_attacker, of_others
from tests.support.planning.consent_of_world import device_homes
from tests.support.planning.oracle import World
from tests.support.planning.read_calls import PUBLIC, SERVER, key_of

POLICY = Purposes(
    purposes={"P": Purpose("P", "ads"), "Q": Purpose("Q", "analytics")},
    regions={"US": {"ads": True, "analytics": True}},
)


def partition(world: World) -> set[frozenset[tuple[str, str]]]:
    """Which identifiers of others are one person."""
    groups: dict[ProfileId, set[tuple[str, str]]] = {}
    for each in NAMED:
        root = world.state.root_of(key_of(*each))
        if root is not None:
            groups.setdefault(root.id, set()).add(each)
    return {frozenset(group) for group in groups.values()}


def readable(world: World) -> dict[tuple[tuple[str, str], str], bool]:
    """Whether the data at the origin of each identifier of others may serve a purpose."""
    found = {}
    for each in NAMED:
        key = key_of(*each)
        root = world.state.root_of(key)
        if root is None:
            continue
        origins = world.origins(root)
        meetings = [
            Meeting(origin.joined_at, origin.id, origin.joined_to)
            for origin in origins
            if origin.joined_at is not None and origin.joined_to is not None
        ]
        documents = {o.id: world.state.documents[o.id] for o in origins if o.id in world.state.documents}
        sides = by_side(documents, meetings, device_homes(world.gained))
        permission = Permission(sides.documents, sides.meetings, POLICY, Micros(DAY), sides.homes)
        for purpose in POLICY.purposes:
            found[each, purpose] = permission.one(purpose, world.state.owners[key]).granted
    return found


def address(world: World, who: str) -> Any:
    """The protected trait of a person whom the server knows."""
    return world.view(BlindIndex(key_of("user_id", who)))["traits"].get("email")


GRANT = {"categoryPreferences": {"P": True, "Q": True}}


@given(st.lists(st.one_of(of_others(), of_attacker().map(lambda each: (each, None))), max_size=10))
@example([(call({"userId": "ann", "anonymousId": "evil"}, {}, GRANT), None)])
@example(
    [
        (call({"anonymousId": "phone-of-ann"}, {}, {"categoryPreferences": {}}), False),
        (call({"userId": "ann", "anonymousId": "phone-of-ann"}, {}, {}), False),
        (call({"userId": "ann"}, {}, GRANT), None),
    ]
)
def test_what_others_have_is_as_without_the_attacker(drawn: list[tuple[dict[str, Any], bool | None]]) -> None:
    """Their identifiers resolve alike, their protected traits are the same, and no grant of hers opens their data."""
    attacked, alone = World(), World()
    begun: list[tuple[dict[str, Any], bool | None]] = [
        (call({"userId": who}, {"email": MAILS[who]}, {}), True) for who in PEOPLE
    ]
    for body, server in [*begun, *drawn]:
        for world in (attacked,) if server is None else (attacked, alone):
            world.send([body], source=SERVER if server else PUBLIC)

    assert partition(attacked) == partition(alone)
    for who in PEOPLE:
        assert address(attacked, who) == address(alone, who)
    before = readable(alone)
    assert [at for at, granted in readable(attacked).items() if granted and not before[at]] == []
