"""An identity token makes a public call as good as one of a server, for what the token names and for nothing else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.corrections.unmerge import document_of
from identity.planning.resolution.resolution_rules import DEFAULT_RULES, compile_rules
from identity.planning.resolution.stored_calls import pack, pack_stored, stored_call, unpack
from identity.values.calls import Outcome, Source
from identity.values.enums import TrustClass
from identity.values.identity_tokens.claims import Proof, TokenClaims, TokenFault
from tests.support.planning.oracle import World
from tests.support.planning.read_calls import PUBLIC, SERVER, key_of, read

EMAIL = "ann@x.org"
ANN = TokenClaims("ann", EMAIL)


def identify(user: str | None = None, device: str | None = None, **traits: Any) -> dict[str, Any]:
    """An identify call of some ids and traits."""
    ids = {"userId": user, "anonymousId": device}
    return {"type": "identify", "traits": traits} | {name: value for name, value in ids.items() if value}


def sent(world: World, call: dict[str, Any], token: TokenClaims | None = ANN, source: Source = PUBLIC) -> Outcome:
    """The outcome of a call with a token."""
    (outcome,) = world.send([call], source=source, token=token)
    return outcome


def identifiers(world: World, type_: str, value: str) -> set[str]:
    """The identifiers of a profile."""
    return set(world.view(key_of(type_, value))["identifiers"])


def test_a_proven_address_is_linked_where_a_claimed_one_is_not() -> None:
    """The address of a profile of its own joins the person whom the token names."""
    world = World()
    world.send([identify(email=EMAIL)])
    assert sent(world, identify("ann", "laptop", email=EMAIL), None).demoted == [
        {"identifier": f"email:{EMAIL}", "reason": "needs_proof"}
    ]
    assert sent(world, identify("ann", "laptop", email=EMAIL)).demoted == []
    assert identifiers(world, "email", EMAIL) == {"user_id:ann", "anonymous_id:laptop", f"email:{EMAIL}"}


def test_what_a_token_names_and_the_call_lacks_is_added() -> None:
    """A call of a device with a token becomes one of the person."""
    world = World()
    sent(
        world, {"type": "track", "event": "e", "anonymousId": "laptop"}, TokenClaims("ann", "Ann@X.org", "+4930901820")
    )
    assert identifiers(world, "user_id", "ann") == {
        "user_id:ann", f"email:{EMAIL}", "phone:+4930901820", "anonymous_id:laptop",
    }  # fmt: skip


def test_the_other_identifiers_of_the_call_stay_claims() -> None:
    """An address that the token does not name, and a custom id."""
    world = World()
    crm = {"externalIds": [{"type": "crm", "id": "7"}]}
    world.send([identify("bob", email="bob@x.org"), {"type": "track", "event": "e", "userId": "eve", "context": crm}])
    outcome = sent(world, {**identify("ann", email="bob@x.org"), "context": crm})
    assert {each["identifier"]: each["reason"] for each in outcome.demoted} == {
        "email:bob@x.org": "needs_proof",
        "crm:7": "needs_proof",
    }


def test_a_token_of_another_user_proves_nothing_and_adds_nothing() -> None:
    """The call counts as public, and lists the token."""
    world = World()
    world.send([identify(email=EMAIL)])
    outcome = sent(world, identify("mallory", email=EMAIL))
    assert outcome.demoted == [{"identifier": f"email:{EMAIL}", "reason": "needs_proof"}]
    assert outcome.ignored_fields == [{"field": "context.identityToken", "reason": "identity_token:other_user"}]
    assert identifiers(world, "user_id", "mallory") == {"user_id:mallory"}


@pytest.mark.parametrize("subject", ["null", " ", "x" * 2_000])
def test_a_subject_that_names_nobody_proves_nothing(subject: str) -> None:
    """A server that signs a token for `null` gives nobody an address."""
    outcome = sent(World(), identify(device="laptop", email=EMAIL), TokenClaims(subject, EMAIL))
    assert outcome.ignored_fields == [{"field": "context.identityToken", "reason": "identity_token:no_subject"}]


def test_a_placeholder_beside_a_token_is_no_other_user() -> None:
    """Pages send `null` for a person whom they do not know yet."""
    world = World()
    outcome = sent(world, identify("null", "laptop"))
    assert outcome.demoted == [{"identifier": "user_id:null", "reason": "blocked"}]
    assert identifiers(world, "user_id", "ann") == {"user_id:ann", f"email:{EMAIL}", "anonymous_id:laptop"}


def test_a_token_takes_over_what_an_attacker_claimed_first() -> None:
    """As a call of a server does; the attacker keeps the rest of her profile."""
    world = World()
    sent(world, identify("mallory", "evil", email=EMAIL), None)
    assert sent(world, identify("ann", "laptop", email=EMAIL)).demoted == []
    assert identifiers(world, "user_id", "mallory") == {"user_id:mallory", "anonymous_id:evil"}
    assert identifiers(world, "email", EMAIL) == {"user_id:ann", "anonymous_id:laptop", f"email:{EMAIL}"}


def test_a_proven_link_is_taken_over_by_nobody() -> None:
    """Neither by a public call nor by the first call of a server beside another id."""
    world = World()
    sent(world, identify("ann"))
    assert sent(world, identify("mallory", email=EMAIL), None).demoted != []
    (outcome,) = world.send([identify("bob", email=EMAIL)], source=SERVER)
    assert outcome.demoted == [{"identifier": f"email:{EMAIL}", "reason": "limit:user_id"}]
    # Nor may a public call add an address beside a proven one.
    assert sent(world, identify("ann", email="mallory@x.org"), None).demoted == [
        {"identifier": "email:mallory@x.org", "reason": "needs_proof"}
    ]


def test_a_token_adds_an_address_beside_that_of_a_server() -> None:
    """And its device beside both, but no profile with an address that the token does not name."""
    world = World()
    world.send([identify("ann", email="old@x.org"), identify(device="tablet", email="bob@x.org")])
    outcome = sent(world, identify("ann", "laptop"))
    assert outcome.demoted == []
    assert identifiers(world, "user_id", "ann") == {
        "user_id:ann", f"email:{EMAIL}", "email:old@x.org", "anonymous_id:laptop",
    }  # fmt: skip
    assert sent(world, identify("ann", "tablet")).demoted == [
        {"identifier": "anonymous_id:tablet", "reason": "needs_proof"}
    ]


def test_a_protected_trait_that_the_token_names_is_set_as_by_a_server() -> None:
    """Another value waits, also in a call with a token; a public call changes a proven one no more."""
    world = World()
    world.send([identify("ann", email="old@x.org", phone="+4930901821")])
    outcome = sent(world, identify("ann", email="Ann@x.org", phone="+4930901829", plan="pro"))
    assert outcome.ignored_traits == ["phone"]
    shown = {"email": "Ann@x.org", "phone": "+4930901821", "plan": "pro"}
    assert world.view(key_of("user_id", "ann"))["traits"] == shown
    assert sent(world, identify("ann", email="mallory@x.org"), None).ignored_traits == ["email"]
    assert world.view(key_of("user_id", "ann"))["traits"] == shown


def test_evidence_keeps_the_proof_and_never_the_token() -> None:
    """A stored call decides as it did when it arrived; one of an earlier release proves nothing."""
    world = World()
    sent(world, identify("ann", "laptop", email="Ann@x.org"))
    stored = stored_call(world.plans[-1].evidence[0].call)
    assert stored.proof == Proof({"user_id": "ann", "email": EMAIL}, ["email"])
    assert stored.token == ANN
    again = unpack(pack_stored(stored))
    assert (again, again.trust) == (stored, TrustClass.PROVEN)
    earlier = read(identify("ann"), DEFAULT_RULES, 0, PUBLIC)
    assert not isinstance(earlier, Outcome)
    assert earlier.trust == TrustClass.PUBLIC
    import msgspec

    fields = msgspec.msgpack.decode(pack(earlier))
    assert unpack(msgspec.msgpack.encode(fields[:7])).proof is None


def test_an_unmerge_folds_the_traits_of_a_proof_as_they_were_folded() -> None:
    """Documents of both sides are computed from evidence."""
    world = World()
    sent(world, identify("ann", "laptop", email=EMAIL))
    sent(world, identify("ann", "laptop", email="mallory@x.org"), None)
    evidence = [item for _, item in world.evidence.values()]
    (document,) = world.state.documents.values()
    assert document_of(evidence, DEFAULT_RULES.traits) == document


def test_a_suppressed_person_leaves_no_proof() -> None:
    """What rests on the user id falls with it: the address is a claim again."""
    world = World(compile_rules({"priority": ["email", "user_id"]}, 1))
    world.state.suppressed.add(key_of("user_id", "ann"))
    world.send([identify("bob", email=EMAIL)])
    outcome = sent(world, identify(None, "laptop"))
    assert {each["identifier"]: each["reason"] for each in outcome.demoted} == {
        "user_id:ann": "suppressed",
        f"email:{EMAIL}": "needs_proof",
    }
    assert stored_call(world.plans[-1].evidence[0].call).proof is None


def test_a_server_key_with_a_token_stays_a_server() -> None:
    """The token adds what it names; one of another user is listed, and costs the call nothing."""
    world = World()
    assert sent(world, identify("ann"), source=SERVER).demoted == []
    assert identifiers(world, "user_id", "ann") == {"user_id:ann", f"email:{EMAIL}"}
    outcome = sent(world, identify("bob", email="bob@x.org"), source=SERVER)
    assert outcome.ignored_fields == [{"field": "context.identityToken", "reason": "identity_token:other_user"}]
    assert identifiers(world, "user_id", "bob") == {"user_id:bob", "email:bob@x.org"}


def test_no_message_id_of_a_public_call_uses_up_that_of_a_proven_one() -> None:
    """The class is part of the name of a message."""
    world = World()
    call = {**identify("ann"), "messageId": "m1"}
    assert [sent(world, call, token).status for token in (None, ANN, ANN)] == ["accepted", "accepted", "duplicate"]


def test_every_fault_is_listed_at_its_call() -> None:
    """The call counts as public and loses nothing."""
    for fault in TokenFault:
        world = World()
        made = read(identify("ann", email=EMAIL), DEFAULT_RULES, 0, PUBLIC, fault)
        assert not isinstance(made, Outcome)
        (outcome,) = world.plan([made]).outcomes
        assert outcome.ignored_fields == [{"field": "context.identityToken", "reason": fault.value}]
        assert identifiers(world, "user_id", "ann") == {"user_id:ann", f"email:{EMAIL}"}
        assert made.trust == TrustClass.PUBLIC


USERS = st.sampled_from(["u1", "u2", "mallory"])
EMAILS = st.sampled_from(["e1@x.org", "e2@x.org", "m@x.org"])


@st.composite
def bodies(draw: st.DrawFn, devices: list[str]) -> dict[str, Any]:
    """A call of any kind that names some of these."""
    body: dict[str, Any] = {"type": draw(st.sampled_from(["identify", "track", "alias"])), "event": "e"}
    body |= {"userId": draw(USERS)} if draw(st.booleans()) else {}
    body |= {"anonymousId": draw(st.sampled_from(devices))} if draw(st.booleans()) else {}
    body |= {"previousId": draw(st.one_of(USERS, st.sampled_from(devices)))} if draw(st.booleans()) else {}
    return {**body, "traits": {"email": draw(EMAILS)} if draw(st.booleans()) else {}}


OTHERS = st.builds(TokenClaims, st.sampled_from(["u1", "u2"]), st.none() | st.sampled_from(["e1@x.org", "e2@x.org"]))
HERS = st.none() | st.just(TokenClaims("mallory", "m@x.org")) | st.sampled_from(list(TokenFault))


@given(
    st.lists(st.tuples(bodies(["a1", "a2"]), st.sampled_from(["server", "public"]) | OTHERS), max_size=8),
    st.lists(st.tuples(bodies(["m1", "m2"]), HERS), min_size=1, max_size=6),
)
def test_an_attacker_with_a_token_of_her_own_joins_no_profiles_of_others(
    others: list[tuple[dict[str, Any], str | TokenClaims]],
    attack: list[tuple[dict[str, Any], TokenClaims | TokenFault | None]],
) -> None:
    """Her token proves her alone: the addresses and user ids of the others are grouped as before."""
    world = World()
    for body, sender in others:
        token = sender if isinstance(sender, TokenClaims) else None
        world.send([body], source=SERVER if sender == "server" else PUBLIC, token=token)
    hers = {key_of("user_id", "mallory"), key_of("email", "m@x.org")}
    known = [key for key in world.state.owners if key not in hers]
    linked = [key for key in known if grouped(world, [key, *hers & world.state.owners.keys()])]
    before = groups(world, known)
    for body, stated in attack:
        made = read(body, world.rules, 0, PUBLIC, stated)
        if not isinstance(made, Outcome):
            world.plan([made])
    # What somebody linked to her own user id or address before is hers, or was claimed in her name.
    assert {group - set(linked) for group in groups(world, known)} == {group - set(linked) for group in before}


def grouped(world: World, keys: list[Any]) -> bool:
    """Whether the first identifier is in a profile with another of these."""
    first, *rest = (world.state.root_of(key) for key in keys)
    return any(first is each for each in rest)


def groups(world: World, keys: list[Any]) -> set[frozenset[Any]]:
    """The groups of these identifiers by profile."""
    found: dict[Any, set[Any]] = {}
    for key in keys:
        root = world.state.root_of(key)
        assert root is not None
        found.setdefault(root.id, set()).add(key)
    return {frozenset(group) for group in found.values()}
