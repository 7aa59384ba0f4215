"""The state of a plan: who holds an identifier, and which identifiers of a call must leave no trace."""

import pytest

from identity.planning.resolution.planner_state import Counters, PlannerState, Profile
from identity.values.calls import Call, Source
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Micros, Stamp

ROOT, MERGED = ProfileId(b"r" * 16), ProfileId(b"m" * 16)
SUPPRESSED, ERASED = BlindIndex(b"s" * 32), BlindIndex(b"e" * 32)
ERASED_AT = Micros(1_000)


def origin(id_: ProfileId) -> Profile:
    """An origin that points to the root."""
    counters = Counters(types={}, live=[])
    return Profile(
        id=id_, created=Stamp(1), root=ROOT, canonical=ROOT, oldest_birth=Stamp(1), own=counters, folded=counters
    )


def call(time: int, *, history: bool = False) -> Call:
    """A call of a time."""
    return Call(
        kind="track",
        message_id="m",
        time=Micros(time),
        received=Micros(time),
        source=Source(1),
        body={},
        identifiers=[],
        demoted=[],
        history=history,
    )


def test_the_root_of_an_identifier_is_that_of_its_origin() -> None:
    """An identifier that no profile holds has none."""
    key = BlindIndex(b"k" * 32)
    state = PlannerState(owners={key: MERGED}, profiles={id_: origin(id_) for id_ in (ROOT, MERGED)})

    assert state.root_of(key) is state.profiles[ROOT]
    assert state.root_of(BlindIndex(b"x" * 32)) is None


@pytest.mark.parametrize(
    ("time", "history", "hidden"),
    [
        (ERASED_AT, False, {SUPPRESSED, ERASED}),
        (ERASED_AT + 1, False, {SUPPRESSED}),
        (ERASED_AT, True, {SUPPRESSED}),
    ],
)
def test_an_erasure_hides_calls_up_to_its_time(time: int, history: bool, hidden: set[BlindIndex]) -> None:  # noqa: FBT001
    """An import is old on purpose; a suppression by name hides every call."""
    state = PlannerState(suppressed={SUPPRESSED}, erased={ERASED: ERASED_AT})

    assert state.hidden(call(time, history=history)) == hidden


def test_identifiers_of_all_types_count() -> None:
    """For the limit on all of them."""
    assert Counters(types={"email": 2, "user_id": 1}, live=[]).total == 3
