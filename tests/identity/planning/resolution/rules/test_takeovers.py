"""A server key takes over what a public key merely claimed, and no claim of a public key stays in its way."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.resolution.resolution_rules import compile_rules
from identity.values.calls import Call, Source
from identity.values.enums import HistoryKind
from tests.support.planning.oracle import World
from tests.support.planning.read_calls import PUBLIC, SERVER, key_of, read

ADDRESS = "ann@x.org"
CLAIM = {"type": "identify", "userId": "mallory", "anonymousId": "m1", "traits": {"email": ADDRESS, "plan": "free"}}
ORDER = {"type": "identify", "userId": "ann", "traits": {"email": ADDRESS}}


def identifiers(world: World, type_: str, value: str) -> list[str]:
    """The identifiers of the profile with this one."""
    found: list[str] = world.view(key_of(type_, value))["identifiers"]
    return found


def claimed(*calls: dict[str, Any], **rules: Any) -> World:
    """A world in which a public key claimed the address first, and then a server sent some calls."""
    world = World(compile_rules(rules, 1))
    world.send([CLAIM], source=PUBLIC)
    world.send(calls, source=SERVER)
    return world


@pytest.mark.parametrize("first", [[], [{"type": "track", "event": "e", "userId": "ann"}]])
def test_a_server_key_takes_over_an_address_that_a_public_key_claimed(first: list[dict[str, Any]]) -> None:
    """The two stay apart; the claim stays as evidence and as a trait of its own profile."""
    world = claimed(*first, ORDER)
    assert identifiers(world, "user_id", "ann") == ["email:ann@x.org", "user_id:ann"]
    assert identifiers(world, "user_id", "mallory") == ["anonymous_id:m1", "user_id:mallory"]
    assert world.view(key_of("user_id", "ann"))["traits"] == {"email": ADDRESS}
    note = next(note for note, _ in world.notes if note.kind == HistoryKind.IDENTIFIER_TAKEN_OVER)
    assert (note.origin, note.keys) == (world.state.owners[key_of("user_id", "mallory")], [key_of("email", ADDRESS)])
    assert world.plans[-1].assumes_unknown  # no other batch may hold the former origin


def test_a_claim_after_a_takeover_waits_for_proof() -> None:
    """The address has its proof now."""
    world = claimed(ORDER)
    (outcome,) = world.send([CLAIM], source=PUBLIC)
    assert outcome.demoted == [{"identifier": "email:ann@x.org", "reason": "needs_proof"}]


def test_a_takeover_detaches_the_stored_link() -> None:
    """The store deletes the row at the former origin and writes one at the target."""
    world = World()
    world.send([CLAIM], source=PUBLIC)
    world.send([ORDER], source=SERVER)
    assert world.plans[-1].detached == [(world.state.owners[key_of("user_id", "mallory")], key_of("email", ADDRESS))]
    assert [each.identifier.text for each in world.plans[-1].gained] == ["user_id:ann", "email:ann@x.org"]


def test_a_plan_that_links_and_takes_over_writes_one_link() -> None:
    """A link that the same plan made leaves nothing to delete."""
    world = World()
    calls = [read(CLAIM, world.rules, 0, PUBLIC), read(ORDER, world.rules, 0, SERVER)]
    made = world.plan([call for call in calls if isinstance(call, Call)])
    assert (made.detached, made.assumes_unknown) == ([], True)
    linked = [(each.identifier.text, each.origin == made.evidence[1].origin, each.unproven) for each in made.gained]
    assert sorted(linked) == [
        ("anonymous_id:m1", False, False),
        ("email:ann@x.org", True, False),
        ("user_id:ann", True, False),
        ("user_id:mallory", False, False),
    ]


def test_a_server_key_that_names_both_proves_the_link() -> None:
    """The call is evidence, although its identifiers were seen together before; nobody takes the address over then."""
    proof = {"type": "track", "event": "e", "userId": "mallory", "context": {"traits": {"email": ADDRESS}}}
    world = claimed()
    world.send([{**proof, "anonymousId": "m1"}], source=SERVER)
    assert len(world.plans[-1].evidence) == 1
    world.send([{**proof, "anonymousId": "m1"}], source=SERVER)
    assert len(world.plans[-1].evidence) == 0
    (outcome,) = world.send([ORDER], source=SERVER)
    assert outcome.demoted == [{"identifier": "email:ann@x.org", "reason": "limit:user_id"}]


@pytest.mark.parametrize("merged", [False, True])
def test_nothing_is_taken_from_a_person_under_a_hold(*, merged: bool) -> None:
    """The identifier stays where it is, and the two stay apart; the next call after the release takes it over.

    Who is merged with a person under a hold is under the hold too, within one plan as well.
    """
    world = claimed()
    device = {"type": "track", "event": "e", "anonymousId": "m2"}
    if merged:
        world.send([device, {**device, "event": "f"}], source=SERVER)
        root = world.state.root_of(key_of("anonymous_id", "m2"))
    else:
        root = world.state.root_of(key_of("user_id", "mallory"))
    assert root is not None
    world.state.under_hold = {root.id}
    join = [{**device, "userId": "mallory"}] if merged else []
    *_, outcome = world.send([*join, ORDER], source=SERVER)
    assert outcome.demoted == [{"identifier": "email:ann@x.org", "reason": "under_hold"}]
    assert "email:ann@x.org" in identifiers(world, "user_id", "mallory")
    assert identifiers(world, "user_id", "ann") == ["user_id:ann"]
    world.state.under_hold = set()
    world.send([ORDER], source=SERVER)
    assert identifiers(world, "user_id", "ann") == ["email:ann@x.org", "user_id:ann"]


def test_holds_are_looked_up_where_a_call_may_part_a_person() -> None:
    """Where a server names what public keys alone have linked, before or in these calls; or a person leaves a group."""

    def may_part(world: World, *calls: tuple[dict[str, Any], Source]) -> bool:
        read_ = [read(body, world.rules, 0, source) for body, source in calls]
        return world.state.may_part([call for call in read_ if isinstance(call, Call)])

    world = claimed()
    other = {"type": "identify", "userId": "ann", "traits": {"email": "other@x.org"}}
    assert may_part(world, (ORDER, SERVER))
    assert not may_part(world, (CLAIM, PUBLIC), (other, SERVER))
    assert not may_part(world, (ORDER, PUBLIC))
    assert may_part(World(), (CLAIM, PUBLIC), (ORDER, SERVER))
    assert not may_part(claimed(ORDER), (ORDER, SERVER))


def test_a_call_that_keeps_nothing_else_takes_nothing_over() -> None:
    """The device connects too many numbers and is demoted; the number that is left goes to the profile of its claim."""
    world = World(compile_rules({"shared_limit": {"max": 1}}, 1))
    world.send([{**CLAIM, "userId": None, "anonymousId": None, "context": crm("c1")}], source=PUBLIC)
    device = {"type": "track", "event": "e", "anonymousId": "a1"}
    world.send([{**device, "context": crm("c0")}], source=SERVER)
    (outcome,) = world.send([{**device, "context": crm("c1")}], source=SERVER)
    assert outcome.demoted == [{"identifier": "anonymous_id:a1", "reason": "limit:crm"}]
    assert identifiers(world, "crm", "c1") == ["crm:c1", "email:ann@x.org"]
    assert identifiers(world, "anonymous_id", "a1") == ["anonymous_id:a1", "crm:c0"]


def crm(id_: str) -> dict[str, Any]:
    """A context with a number of a customer."""
    return {"externalIds": [{"type": "crm", "id": id_}]}


def test_an_address_alone_joins_as_before() -> None:
    """A profile with nothing beside the address is that of the address, by what key the address came first."""
    world = World()
    world.send([{"type": "identify", "traits": {"email": ADDRESS}}], source=PUBLIC)
    world.send([ORDER], source=SERVER)
    assert len(world.profiles()) == 1


@pytest.mark.parametrize("rules", [{"trust": "segment"}, {"public": {"email": "any"}, "protected": []}])
def test_rules_that_ask_for_no_proof_take_nothing_over(rules: dict[str, Any]) -> None:
    """The address stays where it was first, as before."""
    world = claimed(ORDER, **rules)
    assert identifiers(world, "user_id", "mallory") == ["anonymous_id:m1", "email:ann@x.org", "user_id:mallory"]


@pytest.mark.parametrize("own", [{"anonymousId": "m1"}, {"anonymousId": "m2"}, {}])
def test_a_public_key_adds_no_address_beside_that_of_a_server(own: dict[str, str]) -> None:
    """Not as a new identifier, and not with a device that has one."""
    world = World()
    world.send([ORDER], source=SERVER)
    world.send([{"type": "identify", "anonymousId": "m1", "traits": {"email": "m@x.org"}}], source=PUBLIC)
    attack = {"type": "identify", "userId": "ann", **own, "traits": {"email": "n@x.org"}}
    world.send([attack], source=PUBLIC)
    device = ["anonymous_id:m2"] if own.get("anonymousId") == "m2" else []
    assert identifiers(world, "user_id", "ann") == [*device, "email:ann@x.org", "user_id:ann"]
    assert world.view(key_of("user_id", "ann"))["traits"] == {"email": ADDRESS}


def test_an_alias_of_a_public_key_adds_no_address_either() -> None:
    """The previous id waits for proof."""
    world = World()
    world.send([ORDER], source=SERVER)
    world.send([{"type": "identify", "anonymousId": "m1", "traits": {"email": "m@x.org"}}], source=PUBLIC)
    alias = {"type": "alias", "userId": "ann", "previousId": "m1"}
    (outcome,) = world.send([alias], source=PUBLIC)
    assert outcome.demoted == [{"identifier": "anonymous_id:m1", "reason": "needs_proof"}]


USERS, EMAILS = st.sampled_from(["u1", "u2"]), st.sampled_from(["e1@x.org", "e2@x.org"])
NUMBERS = st.sampled_from("12")


@st.composite
def bodies(draw: st.DrawFn, users: list[str], devices: list[str], *, named: bool) -> dict[str, Any]:
    """A call that names some addresses and numbers, and where `named` an id of its own."""
    ids = {"userId": draw(st.sampled_from(users)), "anonymousId": draw(st.sampled_from(devices))}
    wanted = draw(st.sampled_from([["userId"], ["anonymousId"], [*ids], *([] if named else [[]])]))
    traits = {"email": draw(EMAILS)} if draw(st.booleans()) else {}
    external = [{"type": "crm", "id": draw(NUMBERS)}] if draw(st.booleans()) else []
    kind = draw(st.sampled_from(["identify", "track"]))
    body = {"type": kind, "event": "e", "traits": traits, "context": {"externalIds": external, "traits": traits}}
    return body | {name: ids[name] for name in wanted}


MINE = bodies(["mallory"], ["m1", "m2"], named=False)
THEIRS = bodies(["u1", "u2"], ["a1", "a2"], named=True)


@given(st.lists(st.tuples(MINE, st.just(False)) | st.tuples(THEIRS, st.just(True)), max_size=12))
def test_what_a_server_says_of_others_counts_as_without_an_attacker(calls: list[tuple[dict[str, Any], bool]]) -> None:
    """She claims their addresses and numbers before and after: they are joined and kept apart as without her.

    None of her ids is in a profile of theirs.
    """
    attacked, alone = World(), World()
    for body, theirs in calls:
        attacked.send([body], source=SERVER if theirs else PUBLIC)
        if theirs:
            alone.send([body], source=SERVER)
    known = list(alone.state.owners)
    assert grouped(attacked, known) == grouped(alone, known)
    hers = {key_of(*each) for each in (("user_id", "mallory"), ("anonymous_id", "m1"), ("anonymous_id", "m2"))}
    roots = {attacked.state.root_of(key).id for key in known if attacked.state.root_of(key)}  # type: ignore[union-attr]
    assert not any((root := attacked.state.root_of(key)) is not None and root.id in roots for key in hers)


def grouped(world: World, keys: list[Any]) -> set[frozenset[Any]]:
    """The groups of these identifiers by profile."""
    groups: dict[Any, set[Any]] = {}
    for key in keys:
        root = world.state.root_of(key)
        assert root is not None
        groups.setdefault(root.id, set()).add(key)
    return {frozenset(group) for group in groups.values()}
