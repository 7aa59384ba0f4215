"""The reasons why a destination sees nothing of a profile, against the filter that decides what it sees."""

from hypothesis import given
from hypothesis import strategies as st

from identity.planning.consent.permission import Permission
from identity.planning.consent.purposes import Purpose, Purposes
from identity.planning.destinations.audience import (
    NO_PURPOSES,
    NO_SUCH_PURPOSE,
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


def permission(*names: str) -> Permission:
    """What a profile permits that decided nothing, in a space with purposes of these names."""
    return Permission(DOCUMENTS, [], Purposes(purposes={name: Purpose(name, "ads") for name in names}), Micros(0))


@given(st.lists(st.sampled_from(["Product", "Ads"]), max_size=2, unique=True), NAMES, TYPES, st.booleans())
def test_there_is_a_reason_for_exactly_the_profiles_that_are_not_seen(
    purposes: list[str],
    traits: list[str],
    types: list[str],
    without_consent: bool,  # noqa: FBT001 (drawn)
) -> None:
    """Whatever the list and the purposes of the destination, and where it needs no consent."""
    needed = [] if without_consent else purposes
    entitled = Entitled(purposes=needed, traits=traits, identifiers=types, without_consent=without_consent)
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
    entitled = Entitled(purposes=["Ads", "Product"], traits=["*"])
    both = {KeptOut(PURPOSE, "Ads"), KeptOut(PURPOSE, "Product")}
    assert reasons_unseen(entitled, permission("Ads", "Product"), DOCUMENTS, IDENTIFIERS) == both


def test_nobody_refuses_a_purpose_that_was_removed() -> None:
    """The reason is that the space has no such purpose, beside those that a person did not grant."""
    entitled = Entitled(purposes=["Ads", "Product"], traits=["*"])
    reasons = {KeptOut(PURPOSE, "Ads"), KeptOut(NO_SUCH_PURPOSE, "Product")}
    assert reasons_unseen(entitled, permission("Ads"), DOCUMENTS, IDENTIFIERS) == reasons
    sentence = Audience(3, 3, 0, [AudienceCount(NO_SUCH_PURPOSE, 3, "Product")]).sentence("mail")
    assert sentence.endswith("3 are kept out because the space has no purpose Product any more.")


def test_the_sentence_names_profiles_the_visible_ones_and_the_reasons() -> None:
    """For a whole space, and for the first profiles of a large one."""
    kept_out = [AudienceCount(PURPOSE, 3, "Product")]
    assert Audience(3, 3, 0, kept_out).sentence("warehouse") == (
        "The space has 3 profiles; warehouse may see 0: 3 did not grant Product."
    )
    assert Audience(5000, 1000, 1000, []).sentence("mail") == (
        "The space has 5000 profiles; of the first 1000, mail may see 1000."
    )
