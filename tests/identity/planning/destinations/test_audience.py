"""The reasons why a destination sees nothing of a profile, against the filter that decides what it sees."""

from hypothesis import given
from hypothesis import strategies as st

from identity.planning.consent.permission import Permission
from identity.planning.consent.purposes import Purposes
from identity.planning.destinations.audience import (
    NO_PURPOSES,
    NOTHING_LISTED,
    PURPOSE,
    Audience,
    AudienceCount,
    KeptOut,
    reasons_unseen,
)
from identity.planning.destinations.policy import Entitled, visible
from identity.values.documents import Document
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp

ORIGIN = ProfileId(bytes(16))
DOCUMENTS = {ORIGIN: Document(traits={"plan": ("pro", Micros(1), Stamp(1))})}
IDENTIFIERS = [(ORIGIN, "email")]
NAMES = st.lists(st.sampled_from(["plan", "age", "*"]), max_size=2)
TYPES = st.lists(st.sampled_from(["email", "user_id", "*"]), max_size=2)


def permission() -> Permission:
    """What a profile permits that decided nothing, in a space without purposes."""
    return Permission(DOCUMENTS, [], Purposes(), Micros(0))


@given(st.lists(st.sampled_from(["Product", "Ads"]), max_size=2, unique=True), NAMES, TYPES)
def test_there_is_a_reason_for_exactly_the_profiles_that_are_not_seen(
    purposes: list[str], traits: list[str], types: list[str]
) -> None:
    """Whatever the list and the purposes of the destination."""
    entitled = Entitled(purposes=purposes, traits=traits, identifiers=types)
    seen = visible(entitled, permission(), DOCUMENTS, IDENTIFIERS)

    assert bool(reasons_unseen(entitled, permission(), DOCUMENTS, IDENTIFIERS)) == seen.nothing


def test_each_reason() -> None:
    """A list without anything of the profile, no purpose, and each purpose that is not granted."""
    assert reasons_unseen(Entitled(purposes=["Ads"], traits=["age"]), permission(), DOCUMENTS, IDENTIFIERS) == {
        KeptOut(NOTHING_LISTED)
    }
    assert reasons_unseen(Entitled(purposes=[], traits=["*"]), permission(), DOCUMENTS, IDENTIFIERS) == {
        KeptOut(NO_PURPOSES)
    }
    both = {KeptOut(PURPOSE, "Ads"), KeptOut(PURPOSE, "Product")}
    assert (
        reasons_unseen(Entitled(purposes=["Ads", "Product"], traits=["*"]), permission(), DOCUMENTS, IDENTIFIERS)
        == both
    )


def test_the_sentence_names_profiles_the_visible_ones_and_the_reasons() -> None:
    """For a whole space, and for the first profiles of a large one."""
    kept_out = [AudienceCount(PURPOSE, 3, "Product")]
    assert Audience(3, 3, 0, kept_out).sentence("warehouse") == (
        "The space has 3 profiles; warehouse may see 0: 3 did not grant Product."
    )
    assert Audience(5000, 1000, 1000, []).sentence("mail") == (
        "The space has 5000 profiles; of the first 1000, mail may see 1000."
    )
