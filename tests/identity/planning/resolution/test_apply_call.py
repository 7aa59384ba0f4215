"""A call is folded into the document of its origin and into its group, and leaves no empty document."""

from typing import Any

import pytest

from identity.planning.resolution.apply_call import apply_call
from identity.planning.resolution.fold_documents import FoldResult, merge_traits
from identity.planning.resolution.plan import Plan
from identity.planning.resolution.planner_state import Counters, PlannerState, Profile
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.values.calls import Call
from identity.values.documents import MAX_KEYS, SERVER_KEYS, Document
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp
from tests.support.planning.read_calls import key_of, read

ID = ProfileId(b"i" * 16)


def folded(state: PlannerState, plan: Plan, **body: Any) -> FoldResult:
    """Apply one call of user u1 to the origin ID."""
    call = read({"userId": "u1", **body}, DEFAULT_RULES, 0)
    assert isinstance(call, Call)
    none = Counters(types={}, live=[])
    target = Profile(
        id=ProfileId(ID),
        created=Stamp(1),
        root=ProfileId(ID),
        canonical=ProfileId(ID),
        oldest_birth=Stamp(1),
        own=none,
        folded=none,
    )
    return apply_call(call, target, Stamp(5), state, plan, lambda: ProfileId(b"g" * 16), DEFAULT_RULES.traits)


@pytest.mark.parametrize("body", [{"type": "identify"}, {"type": "track", "event": "E", "properties": {"a": 1}}])
def test_a_call_without_content_leaves_no_document(body: dict[str, Any]) -> None:
    """An origin without content takes no room."""
    state, plan = PlannerState(), Plan()

    assert folded(state, plan, **body) == FoldResult()
    assert (state.documents, plan.documents) == ({}, {})


def test_traits_of_a_group_stay_with_the_group() -> None:
    """The profile has the membership alone."""
    state, plan = PlannerState(), Plan()
    folded(state, plan, type="group", groupId="acme", traits={"size": 3})

    assert state.documents[ProfileId(ID)].traits == {}
    assert state.documents[ProfileId(ID)].groups["acme"][0] is True
    group = plan.groups[key_of("group", "acme")]
    assert (group.group_id, group.document.traits["size"][0]) == ("acme", 3)


def test_a_person_without_room_for_a_membership_states_no_traits_of_the_group() -> None:
    """An erasure finds the people who stated traits among the members."""
    state, plan = PlannerState(), Plan()
    crowded = state.documents[ProfileId(ID)] = Document()
    traits = {f"t{nr}": nr for nr in range(MAX_KEYS + SERVER_KEYS)}
    merge_traits(crowded, traits, Micros(1), Stamp(1), server=True)
    result = folded(state, plan, type="group", groupId="acme", traits={"size": 3})

    assert result.refused == ["acme", "size"]
    assert plan.groups == {}
