"""The planner and an independent slow reference divide identifiers into the same profiles and see the same times."""

from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from identity.planning.resolution.event_time import format_time
from identity.planning.resolution.resolution_rules import compile_rules
from identity.values.calls import DAY, MICRO
from identity.values.identity_tokens.claims import TokenClaims
from identity.values.stamps import Micros
from tests.support.planning.oracle import World
from tests.support.planning.read_calls import PUBLIC, SERVER
from tests.support.planning.slow_oracle import SlowOracle

BEGINNING = 1_700_000_000 * MICRO
END = BEGINNING + 400 * DAY
# Seconds apart, within a day and over many days.
TIMES = st.one_of(st.integers(0, 5), st.integers(0, 100_000), st.integers(0, 30_000_000))
LIMITS = st.dictionaries(st.sampled_from(["user_id", "email", "crm", "anonymous_id"]), st.integers(1, 3))


def values(prefix: str, *others: str) -> st.SearchStrategy[Any]:
    """One of a few values that repeat often, or None."""
    return st.sampled_from([None, *others, *(f"{prefix}{nr}" for nr in range(4))])


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """A call with some of four types of identifiers."""
    type_ = draw(st.sampled_from(["identify", "track", "group"]))
    body: dict[str, Any] = {
        "type": type_,
        "userId": draw(values("u", "null", "bad")),
        "anonymousId": draw(values("a", "bad")),
    }
    email, custom = (
        draw(values("e")),
        draw(st.lists(st.tuples(st.sampled_from(["crm", "user_id"]), values("c")), max_size=2)),
    )
    body["traits"] = {"email": f"{email}@shop.example"} if email else {}
    body["context"] = {"externalIds": [{"type": name, "id": value} for name, value in custom if value]}
    return body | ({"groupId": "g"} if type_ == "group" else {"event": "e"})


@st.composite
def tokens(draw: st.DrawFn) -> dict[str, str]:
    """What an identity token names."""
    email = draw(values("e"))
    named = {"user_id": draw(st.sampled_from(["u0", "u1", "u2", "bad"]))}
    return named | ({"email": f"{email}@shop.example"} if email else {})


# A public key sends with a token or without one.
SENDERS = st.sampled_from(["server", "public"]) | tokens()


@settings(max_examples=2 * settings().max_examples)
@given(
    st.lists(st.tuples(bodies(), TIMES, SENDERS), min_size=5, max_size=10),
    LIMITS,
    st.integers(3, 8),
    st.integers(0, 2),
    st.integers(1, 3),
)
def test_the_partition_is_that_of_the_slow_reference(
    sent: list[tuple[dict[str, Any], int, str | dict[str, str]]],
    limits: dict[str, int],
    total: int,
    merges: int,
    shared: int,
) -> None:
    """Calls of four types of identifiers by servers and public keys, with and without tokens, in any order of times."""
    document = {
        "limits": {type_: {"max": most} for type_, most in limits.items()},
        "max_identifiers": total,
        "max_merges": merges,
        "shared_limit": {"max": shared},
        "blocked": {"*": ["bad"]},
    }
    world, slow = World(compile_rules(document, 1)), SlowOracle(limits, total, merges, {"bad"}, shared)
    for nr, (body, second, sender) in enumerate(sent):
        happened = BEGINNING + second * MICRO
        call = {**body, "messageId": f"m{nr}", "timestamp": format_time(Micros(happened))}
        token = sender if isinstance(sender, dict) else None
        public = sender != "server"
        claims = TokenClaims(**token) if token else None
        world.send([call], received=END, source=PUBLIC if public else SERVER, token=claims)
        slow.send(body, happened, public=public, token=token)
    found: dict[bytes, list[tuple[str, str]]] = defaultdict(list)
    for key, origin in world.state.owners.items():
        identifier = world.gained[key].identifier
        found[world.state.profiles[origin].root].append((identifier.type, identifier.value))
    assert sorted(map(sorted, found.values())) == slow.partition()
    seen = {
        (each.identifier.type, each.identifier.value): (each.first_seen, each.last_seen)
        for each in world.gained.values()
    }
    assert seen == slow.seen()
