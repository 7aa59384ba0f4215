"""Decisions of several origins: what stands after a merge, and who may lift a denial."""

import pytest

from identity.planning.consent.fold import DecisionAtOrigin, Meeting, categories, decisions, fold, fold_decisions
from identity.values.documents import SERVER, STATED, Document
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp

ONE, TWO = ProfileId(b"1" * 16), ProfileId(b"2" * 16)
MET = Meeting(stamp=Stamp(10), loser=ProfileId(TWO), winner=ProfileId(ONE))


def decision(origin: bytes, stamp: int, *, granted: bool, server: bool = False, time: int = 0) -> DecisionAtOrigin:
    """A decision whose time is its stamp, unless another is given."""
    return DecisionAtOrigin(
        granted=granted, time=Micros(time or stamp), stamp=Stamp(stamp), origin=ProfileId(origin), server=server
    )


def test_people_who_disagree_keep_both_decisions() -> None:
    """The answer is no, and the conflict is shown."""
    answer = fold_decisions([decision(ONE, 1, granted=True), decision(TWO, 2, granted=False)], [MET])

    assert (answer.value, answer.conflict, len(answer.standing)) == (False, True, 2)


@pytest.mark.parametrize(("stamp", "value"), [(11, True), (9, False)])
def test_a_decision_replaces_one_of_another_origin_only_after_the_merge(stamp: int, value: bool) -> None:  # noqa: FBT001
    """A grant from before it speaks for its own side alone."""
    answer = fold_decisions([decision(TWO, 2, granted=False), decision(ONE, stamp, granted=True)], [MET])

    assert (answer.value, answer.conflict) == (value, not value)


def test_a_denial_by_a_server_is_never_lifted_by_a_public_key() -> None:
    """A server lifts it."""
    denied = decision(ONE, 1, granted=False, server=True)

    assert not fold_decisions([denied, decision(ONE, 2, granted=True)], []).value
    assert fold_decisions([denied, decision(ONE, 2, granted=True, server=True)], []).value
    assert not fold_decisions(
        [decision(ONE, 2, granted=False, server=True), decision(ONE, 1, granted=True, time=5)], []
    ).value


def test_of_two_decisions_of_one_moment_the_denial_counts() -> None:
    """Whichever arrives first."""
    for first in (True, False):
        found = [decision(ONE, 1, granted=first, time=5), decision(ONE, 2, granted=not first, time=5)]
        assert not fold_decisions(found, []).value


def test_a_complete_statement_denies_what_it_leaves_out() -> None:
    """Each kind of key by its own statement; a later decision counts again."""
    document = Document(
        consent={"Ads": (True, Micros(1), Stamp(1)), "Mail": (True, Micros(9), Stamp(9))},
        server_decisions={"Ads": (True, Micros(5), Stamp(6))},
        signals={STATED: (["Mail"], Micros(5), Stamp(5)), STATED + SERVER: (["Ads"], Micros(5), Stamp(6))},
    )

    assert categories({ProfileId(ONE): document}) == ["Ads", "Mail"]
    assert {each.server: each.granted for each in decisions({ProfileId(ONE): document}, "Ads")} == {
        False: False,
        True: True,
    }
    assert {each.server: each.granted for each in decisions({ProfileId(ONE): document}, "Mail")} == {
        False: True,
        True: False,
    }
    assert {name: answer.value for name, answer in fold({ProfileId(ONE): document}, []).items()} == {
        "Ads": False,
        "Mail": False,
    }


def test_a_grant_that_counts_nowhere_is_no_answer() -> None:
    """A device that created no origin grants nothing; its denial is the answer."""
    device, origin = ProfileId(b"device"), ProfileId(b"origin")
    for granted, home, answers in ((True, None, {}), (True, origin, {"a": True}), (False, None, {"a": False})):
        documents = {origin: Document(), device: Document(consent={"a": (granted, Micros(1), Stamp(1))})}
        assert {name: each.value for name, each in fold(documents, [], {device: home}).items()} == answers
