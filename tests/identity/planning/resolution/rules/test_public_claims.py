"""A public key reaches nobody by an address, a number or a custom id that everybody could know."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.resolution.resolution_rules import DEFAULT_RULES, Rules, compile_rules
from identity.planning.resolution.rules.public_claims import public_claims
from identity.values.errors import BadRules
from tests.support.planning.oracle import World
from tests.support.planning.read_calls import PUBLIC, SERVER, key_of

SEGMENT = compile_rules({"trust": "segment"}, 1)
ADDRESS = {"email": "ann@x.org"}
ANN = {"type": "identify", "userId": "ann", "anonymousId": "phone", "traits": ADDRESS}


def identify(user: str | None = None, device: str | None = None, **traits: Any) -> dict[str, Any]:
    """An identify call of some ids and traits."""
    ids = {"userId": user, "anonymousId": device}
    return {"type": "identify", "traits": traits} | {name: value for name, value in ids.items() if value}


def custom(type_: str, value: str, **more: Any) -> dict[str, Any]:
    """A call with a custom id."""
    return {"type": "track", "event": "e", "context": {"externalIds": [{"type": type_, "id": value}]}, **more}


def a_world(*calls: dict[str, Any], rules: Rules = DEFAULT_RULES) -> World:
    """A world after some calls of a server."""
    world = World(rules)
    world.send(calls)
    return world


def reasons(world: World, call: dict[str, Any]) -> dict[str, str]:
    """The identifiers that a public call does not link, with the reasons."""
    (outcome,) = world.send([call], source=PUBLIC)
    return {each["identifier"]: each["reason"] for each in outcome.demoted}


@pytest.mark.parametrize(
    "call",
    [
        identify("mallory", **ADDRESS),
        identify(device="laptop", **ADDRESS),
        identify(**ADDRESS),
        identify("mallory", "laptop", **ADDRESS),
    ],
)
def test_a_public_key_takes_no_address_of_another_profile(call: dict[str, Any]) -> None:
    """The address stays with its profile, and the rest of the call goes elsewhere."""
    world = a_world(ANN)
    assert reasons(world, call) == {"email:ann@x.org": "needs_proof"}
    assert world.view(key_of("email", "ann@x.org"))["identifiers"] == [
        "anonymous_id:phone",
        "email:ann@x.org",
        "user_id:ann",
    ]


def test_a_call_that_names_an_address_of_another_profile_alone_is_unresolved() -> None:
    """It writes nothing to that profile."""
    world = a_world(ANN)
    (outcome,) = world.send([identify(plan="free", **ADDRESS)], source=PUBLIC)
    assert (outcome.status, outcome.reason) == ("unresolved", "no_usable_identifier")
    assert world.view(key_of("user_id", "ann"))["traits"] == ADDRESS


@pytest.mark.parametrize("call", [identify("ann", **ADDRESS), identify(device="phone", **ADDRESS)])
def test_a_public_key_uses_the_address_of_the_profile_that_the_call_leads_to(call: dict[str, Any]) -> None:
    """The user id or the device leads there."""
    world = a_world(ANN)
    assert reasons(world, call) == {}


def test_a_public_key_links_an_address_that_no_profile_has() -> None:
    """To its own profile, alone or with another identifier."""
    world = a_world()
    assert reasons(world, identify("ann", **ADDRESS)) == {}
    assert reasons(world, identify(email="bob@x.org")) == {}
    assert len(world.profiles()) == 2


def test_a_server_key_links_an_address_of_another_profile() -> None:
    """As before."""
    world = a_world(identify(**ADDRESS))
    (outcome,) = world.send([identify("ann", **ADDRESS)], source=SERVER)
    assert outcome.demoted == []
    assert len(world.profiles()) == 1


def test_rules_that_trust_public_keys_link_as_from_a_server() -> None:
    """`trust: segment` for all types, `public` for one."""
    for rules in (SEGMENT, compile_rules({"public": {"email": "any"}}, 1)):
        world = a_world(identify(**ADDRESS), rules=rules)
        assert reasons(world, identify("ann", **ADDRESS)) == {}
        assert len(world.profiles()) == 1


def test_a_custom_id_of_another_profile_needs_proof_unless_the_rules_lift_that() -> None:
    """`*` stands for the custom types that are not named."""
    call = custom("crm", "7", anonymousId="laptop")
    assert reasons(a_world(custom("crm", "7", userId="ann")), call) == {"crm:7": "needs_proof"}
    lifted = compile_rules({"public": {"*": "any", "loyalty": "unclaimed"}}, 1)
    assert reasons(a_world(custom("crm", "7", userId="ann"), rules=lifted), call) == {}
    other = custom("loyalty", "7", anonymousId="laptop")
    assert reasons(a_world(custom("loyalty", "7", userId="ann"), rules=lifted), other) == {"loyalty:7": "needs_proof"}


def test_user_ids_can_need_proof_too() -> None:
    """A space whose user ids are no secret may ask for that; an alias of the user id is refused then, too."""
    strict = compile_rules({"public": {"user_id": "unclaimed"}}, 1)
    world = a_world(ANN, rules=strict)
    assert reasons(world, identify("ann", "laptop")) == {"user_id:ann": "needs_proof"}
    alias = {"type": "alias", "userId": "ann", "previousId": "tablet", "previousIdType": "anonymous_id"}
    assert reasons(world, {**alias, "anonymousId": "laptop"}) == {"user_id:ann": "needs_proof"}
    assert reasons(world, identify("ann", "phone")) == {}


def test_the_target_is_the_strongest_identifier_as_from_a_server() -> None:
    """Only the order of the checks differs: data and evidence lie where the address is."""
    world = a_world(identify(**ADDRESS), identify("ann", **ADDRESS), identify("ann", "phone"))
    world.rules = compile_rules({"priority": ["email", "user_id"]}, 2)
    world.send([identify(device="phone", plan="free", **ADDRESS)], source=PUBLIC)
    record = world.plans[-1].evidence[0]
    assert record.origin == world.state.owners[key_of("email", "ann@x.org")]
    assert record.kept == [key_of("email", "ann@x.org"), key_of("anonymous_id", "phone")]


def test_a_message_id_of_a_public_key_uses_up_none_of_a_server() -> None:
    """And none of a server those of public keys."""
    world = a_world({**ANN, "messageId": "m1"})
    first, again = world.send([{**identify("bob"), "messageId": "m1"}] * 2, source=PUBLIC)
    assert (first.status, again.status) == ("accepted", "duplicate")
    (server,) = world.send([{**identify("bob"), "messageId": "m1"}], source=SERVER)
    assert server.status == "duplicate"


@pytest.mark.parametrize(
    ("trust", "by_type"),
    [("public", {}), (True, {}), ("source", []), ("source", {"email": True}), ("source", {"no type {}": "any"})],
)
def test_other_values_are_refused(trust: object, by_type: object) -> None:
    """With the field that is wrong."""
    with pytest.raises(BadRules, match=r"`trust`|`public`|public"):
        public_claims(trust, by_type)


# What an attacker can know of others: user ids, addresses, customer numbers. The ids of their devices she cannot.
USERS, EMAILS = st.sampled_from(["u1", "u2", "mallory"]), st.sampled_from(["e1@x.org", "e2@x.org", "m@x.org"])
NUMBERS = st.sampled_from("12")


@st.composite
def bodies(draw: st.DrawFn, devices: list[str]) -> dict[str, Any]:
    """A call of any kind that names some of these."""
    body: dict[str, Any] = {"type": draw(st.sampled_from(["identify", "track", "alias"])), "event": "e"}
    body |= {"userId": draw(USERS)} if draw(st.booleans()) else {}
    body |= {"anonymousId": draw(st.sampled_from(devices))} if draw(st.booleans()) else {}
    body |= {"previousId": draw(st.one_of(USERS, st.sampled_from(devices)))} if draw(st.booleans()) else {}
    traits = {"email": draw(EMAILS)} if draw(st.booleans()) else {}
    external = [{"type": "crm", "id": draw(NUMBERS)}] if draw(st.booleans()) else []
    return {**body, "traits": traits, "context": {"externalIds": external, "traits": traits}}


@given(
    st.lists(st.tuples(bodies(["a1", "a2"]), st.booleans()), max_size=8),
    st.lists(bodies(["m1", "m2"]), min_size=1, max_size=6),
)
def test_an_attacker_with_a_public_key_joins_no_profiles_of_others(
    others: list[tuple[dict[str, Any], bool]], attack: list[dict[str, Any]]
) -> None:
    """Whatever her calls name: the identifiers that were known before are grouped as before."""
    world = World()
    for body, server in others:
        world.send([body], source=SERVER if server else PUBLIC)
    known = list(world.state.owners)
    before = grouped(world, known)
    world.send(attack, source=PUBLIC)
    assert grouped(world, known) == before


def grouped(world: World, keys: list[Any]) -> set[frozenset[Any]]:
    """The groups of these identifiers by profile."""
    groups: dict[Any, set[Any]] = {}
    for key in keys:
        root = world.state.root_of(key)
        assert root is not None
        groups.setdefault(root.id, set()).add(key)
    return {frozenset(group) for group in groups.values()}
