"""The document of a group from the calls of its members."""

from identity.planning.privacy.group_calls import GroupCall, fold_group, has_traits_of
from identity.planning.resolution.fold_documents import present
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp

GROUP, ANN, BOB = b"g" * 32, ProfileId(b"a" * 16), ProfileId(b"b" * 16)


def call(origin: bytes, stamp: int, *, deletes: bool = False, **traits: object) -> GroupCall:
    """A group call whose event time is its stamp."""
    return GroupCall(GROUP, ProfileId(origin), "acme", Micros(stamp), Stamp(stamp), traits, deletes)


def test_the_document_without_a_person_has_the_values_of_the_others() -> None:
    """The value of an earlier call is current again."""
    calls = [call(ANN, 1, plan="free"), call(BOB, 2, plan="pro", size=3)]
    whole, rest = fold_group(calls, {}), fold_group(calls[:1], {})

    assert whole is not None
    assert rest is not None
    assert (present(whole.traits), present(rest.traits)) == ({"plan": "pro", "size": 3}, {"plan": "free"})
    assert has_traits_of(whole, {2})
    assert not has_traits_of(whole, {1})


def test_a_group_without_a_call_does_not_exist() -> None:
    """A call without traits is enough."""
    assert fold_group([], {}) is None
    assert fold_group([call(ANN, 1)], {}) is not None


def test_a_deleted_group_keeps_nothing_of_earlier_calls_of_the_profile() -> None:
    """All origins of a profile count as one."""
    calls = [call(ANN, 1, plan="free"), call(BOB, 3, deletes=True)]

    assert fold_group(calls, {ProfileId(ANN): ProfileId(BOB)}) is None
    assert fold_group(calls, {}) is not None
    later = fold_group([*calls, call(ANN, 4, plan="new")], {ProfileId(ANN): ProfileId(BOB)})
    assert later is not None
    assert present(later.traits) == {"plan": "new"}
