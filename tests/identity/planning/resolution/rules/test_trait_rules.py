"""The survivorship of traits: every fold gives the value that a walk over all calls gives, in any order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.resolution.fold_documents import fold_traits, merge_traits, pack, present, surviving, unpack
from identity.planning.resolution.resolution_rules import compile_rules
from identity.planning.resolution.rules.trait_rules import DEFAULT_PROTECTED, TraitRules, trait_rules
from identity.values.documents import Document
from identity.values.errors import BadRules
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp
from tests.support.planning.oracle import World
from tests.support.planning.read_calls import PUBLIC, SERVER, key_of

NAMES = ("email", "newest", "oldest", "server_first", "min", "max")
RULES = trait_rules(["email"], {name: name for name in NAMES[1:]}, trusted=False)
VALUES = st.sampled_from([None, 1, 2, 2.0, -7.5, "", "1", "2024-01-01", "b", True, [2], {"a": 1}])
CALLS = st.lists(
    st.tuples(st.sampled_from(NAMES), VALUES, st.integers(0, 3), st.booleans(), st.integers(0, 2)), max_size=10
).map(lambda calls: [(*call, stamp) for stamp, call in enumerate(calls, 1)])
"""Calls (trait, value, time, server, origin, stamp)."""


def documents(calls: list[Any], rules: TraitRules = RULES) -> dict[ProfileId, Document]:
    """The documents of the origins after these calls, in this order."""
    made: dict[ProfileId, Document] = {}
    for name, value, time, server, origin, stamp in calls:
        document = made.setdefault(ProfileId(bytes([origin])), Document())
        merge_traits(document, {name: value}, Micros(time), Stamp(stamp), rules, server=server)
    return made


def walked(calls: list[Any]) -> dict[str, Any]:
    """The traits of the profile, from all its calls at once and without a document."""
    found = {}
    for name in NAMES:
        of_name = [((time, stamp), value, server) for each, value, time, server, _, stamp in calls if each == name]
        valued = [call for call in of_name if call[1] is not None]
        best: Any = None
        if name in ("min", "max") and valued:
            kinds = {kind(value) for _, value, _ in valued}
            of_kind = sorted(call for call in valued if kind(call[1]) == min(kinds))
            extreme = (min if name == "min" else max)(comparable(value) for _, value, _ in of_kind)
            best = next(value for _, value, _ in of_kind if comparable(value) == extreme)
        elif name == "oldest" and valued:
            best = min(valued, key=lambda call: call[0])[1]
        elif name in ("newest", "server_first", "email") and of_name:
            newest = max(of_name, key=lambda call: call[0])
            ours = [call for call in of_name if call[2]]
            if name != "newest" and ours and max(ours, key=lambda call: call[0])[1] is not None:
                newest = max(ours, key=lambda call: call[0])
            best = newest[1]
        if best is not None:
            found[name] = best
    return found


def kind(value: object) -> int:
    """Numbers before texts before all others."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 2
    return int(isinstance(value, str))


def comparable(value: object) -> Any:
    """A value among others of its kind."""
    return str(value).replace(" ", "").replace("'", '"').replace("True", "true") if kind(value) == 2 else value


@given(CALLS)
def test_every_trait_has_the_value_that_its_rule_names(calls: list[Any]) -> None:
    """Whatever origins the calls lie at, and of whatever class they are."""
    made = documents(calls)
    assert present(fold_traits(made.values())) == walked(calls)
    shown = {name: entry[0] for name, (_, entry) in surviving(made).items() if entry[0] is not None}
    assert shown == walked(calls)


@given(CALLS, st.randoms())
def test_the_order_of_arrival_and_of_reading_changes_nothing(calls: list[Any], random: Any) -> None:
    """Nor does a call that is folded twice."""
    shuffled = [*calls, *calls]
    random.shuffle(shuffled)
    made, again = documents(calls), list(documents(shuffled).items())
    random.shuffle(again)
    assert fold_traits(made.values()) == fold_traits(document for _, document in again)
    assert all(unpack(pack(document)) == document for document in made.values())


@given(CALLS)
def test_no_public_call_changes_what_a_server_key_has_set(calls: list[Any]) -> None:
    """For protected traits, and for those whose rule prefers the server."""
    ours = [call for call in calls if call[3]]
    stated = present(fold_traits(documents(ours).values()))
    after = present(fold_traits(documents(calls).values()))
    for name in ("email", "server_first"):
        if name in stated:
            assert after[name] == stated[name]


def test_a_value_of_a_public_key_waits_while_that_of_a_server_stands() -> None:
    """A null of the server lets go of the trait: then the newest value shows."""
    world = World()
    world.send([{"type": "identify", "userId": "ann", "traits": {"email": "ann@x.org"}}], source=SERVER)
    attack = {"type": "identify", "userId": "ann", "traits": {"email": "mallory@x.org", "plan": "free"}}
    (outcome,) = world.send([attack], source=PUBLIC)
    assert outcome.ignored_traits == ["email"]
    assert outcome.ignored_fields == [{"field": "traits.email", "reason": "protected_trait"}]
    assert world.view(key_of("user_id", "ann"))["traits"] == {"email": "ann@x.org", "plan": "free"}


def test_the_same_value_of_a_public_key_is_no_claim() -> None:
    """A browser repeats the address of its user on every page."""
    world = World()
    call = {"type": "identify", "userId": "ann", "traits": {"email": "ann@x.org"}}
    world.send([call], source=SERVER)
    (outcome,) = world.send([call], source=PUBLIC)
    assert (outcome.ignored_traits, outcome.demoted) == ([], [])


def test_rules_that_trust_public_keys_protect_nothing() -> None:
    """As Segment does; the list is kept for the day when trust ends."""
    rules = compile_rules({"trust": "segment"}, 1)
    assert rules.traits.protected == DEFAULT_PROTECTED
    assert not rules.traits.protects("email")
    assert compile_rules({}, 1).traits.protects("email")


def test_an_announcement_follows_what_a_reader_sees() -> None:
    """A waiting value is not visible; a null of a server is, where it hides an older value of a public key."""
    document = Document()
    assert merge_traits(document, {"email": "a"}, Micros(1), Stamp(1), RULES).visible
    assert merge_traits(document, {"email": None}, Micros(2), Stamp(2), RULES, server=True).visible
    assert merge_traits(document, {"email": "b"}, Micros(3), Stamp(3), RULES, server=True).visible
    waiting = merge_traits(document, {"email": "c"}, Micros(4), Stamp(4), RULES)
    assert (waiting.stored, waiting.visible, waiting.waiting) == (True, False, ["email"])


@pytest.mark.parametrize(
    ("protected", "survivorship"),
    [("email", {}), ([1], {}), ([""], {}), (["x" * 300], {}), ([str(nr) for nr in range(201)], {}), ([], []),
     ([], {"plan": "first"}), ([], {"": "min"})],
)  # fmt: skip
def test_other_values_are_refused(protected: object, survivorship: object) -> None:
    """With the field that is wrong, and without a name."""
    with pytest.raises(BadRules, match=r"`protected`|`survivorship`"):
        trait_rules(protected, survivorship, trusted=False)
