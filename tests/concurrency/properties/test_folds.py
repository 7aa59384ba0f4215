"""The folds of traits and consent: neither the order of arrival nor the order of reading changes the result."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from identity.planning.consent import fold
from identity.planning.consent.fold import Meeting
from identity.planning.resolution import fold_documents
from identity.values.documents import Document
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp

names = st.sampled_from("abc")
values = st.sampled_from([None, "", 1, 2, "x", [1]])
trait_calls = st.lists(st.tuples(st.dictionaries(names, values, max_size=3), st.integers(-5, 5)), max_size=8).map(
    lambda calls: [(entry, time, stamp) for stamp, (entry, time) in enumerate(calls, 1)]
)


def folded(calls: list[Any]) -> dict[str, Any]:
    """The traits after these calls, in this order."""
    document = Document()
    for entry, time, stamp in calls:
        fold_documents.merge_traits(document, entry, time, stamp)
    return document.traits


@given(trait_calls, st.randoms())
def test_traits_do_not_depend_on_arrival(calls: list[Any], random: Any) -> None:
    """Whatever order the calls come in, the same value of each key stands."""
    shuffled = list(calls)
    random.shuffle(shuffled)
    assert folded(shuffled) == folded(calls)


@given(trait_calls)
def test_repeated_traits_change_nothing(calls: list[Any]) -> None:
    """Folding the same calls twice gives what folding them once does."""
    assert folded([*calls, *calls]) == folded(calls)


@given(trait_calls, st.lists(st.integers(0, 2), min_size=8, max_size=8), st.permutations(range(3)))
def test_origins_fold_like_one(calls: list[Any], at: list[int], order: list[int]) -> None:
    """Calls spread over origins, read in any order and any grouping, fold to what one would hold."""
    parts = [folded([call for call, origin in zip(calls, at, strict=False) if origin == n]) for n in range(3)]
    one, two, three = (parts[n] for n in order)
    assert fold_documents.fold([one, two, three]) == folded(calls)
    assert fold_documents.fold([fold_documents.fold([one, two]), three]) == fold_documents.fold(
        [one, fold_documents.fold([two, three])]
    )
    assert fold_documents.fold([one, one, two, three]) == folded(calls)


origins = [bytes((n,)) for n in range(4)]
decisions = st.dictionaries(
    st.sampled_from(origins), st.tuples(st.booleans(), st.integers(0, 9), st.integers(0, 20)), min_size=1
).map(
    # No two calls bear the same stamp.
    lambda decisions: {
        origin: (value, time, 4 * stamp + origin[0]) for origin, (value, time, stamp) in decisions.items()
    }
)


@given(
    decisions, st.permutations(origins), st.lists(st.integers(0, 80), min_size=3, max_size=3, unique=True), st.randoms()
)
def test_consent_does_not_depend_on_reading(decisions: Any, chain: list[bytes], stamps: list[int], random: Any) -> None:
    """The answers are the same in whatever order the origins and their meetings are read."""
    found = {origin: Document(consent={"a": decision}) for origin, decision in decisions.items()}
    met = [Meeting(Stamp(stamp), ProfileId(chain[n + 1]), ProfileId(chain[0])) for n, stamp in enumerate(stamps)]
    answer = fold.fold(found, met)
    entries = list(found.items())
    random.shuffle(entries)
    random.shuffle(met)
    assert fold.fold(dict(entries), met) == answer
    assert fold.fold(dict(entries), [*met, *met]) == answer


@given(decisions, st.permutations(origins))
def test_a_newer_decision_ends_a_conflict(decisions: Any, chain: list[bytes]) -> None:
    """Once all origins have met, a newer decision at any of them stands alone."""
    found = {origin: Document(consent={"a": decision}) for origin, decision in decisions.items()}
    met = [Meeting(Stamp(90 + at), ProfileId(origin), ProfileId(chain[0])) for at, origin in enumerate(chain[1:])]
    found[chain[2]] = Document(consent={"a": (True, Micros(50), Stamp(100))})
    answer = fold.fold(found, met)["a"]
    assert (answer.value, answer.conflict) == (True, False)
