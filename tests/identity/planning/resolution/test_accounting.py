"""Whatever a call states is taken or has a reason: nothing is dropped in silence."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.planning.mistaken_calls import mistaken_call
from tests.support.planning.oracle import World

END = 1_800_000_000 * 1_000_000


@settings(max_examples=100)
@given(st.integers(0, 2**32))
def test_every_stated_identifier_is_kept_or_demoted_with_a_reason(seed: int) -> None:
    """A call is accepted, or its status has a reason; previous ids of aliases are left out."""
    chance, world = random.Random(seed), World()
    for number in range(20):
        body, stated = mistaken_call(chance, number)
        if body.get("type") == "alias":
            continue
        outcome = world.send([body], received=END)[0]
        kept = 0
        if outcome.status == "accepted":
            made = world.plans[-1]
            kept = len((made.evidence or made.events)[0].kept)
        else:
            assert outcome.reason is not None
        # A placeholder group is demoted as well, and is no identifier.
        stated += sum(each["identifier"].startswith("group_id:") for each in outcome.demoted)
        if outcome.status != "rejected":
            assert kept + len(outcome.demoted) == stated, (body, outcome)
        assert all(each["reason"] for each in outcome.demoted)
