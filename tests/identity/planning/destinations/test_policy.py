"""The entitlement of a destination: what its document may say, and the part of a profile that it may see."""

from typing import Any

import pytest

from identity.planning.consent.fold import Meeting
from identity.planning.consent.permission import Permission
from identity.planning.consent.purposes import compile_purposes
from identity.planning.destinations.policy import Entitled, compile_entitled, is_name, visible
from identity.values.documents import Document
from identity.values.errors import BadDestination
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp

ONE, OTHER = ProfileId(b"1" * 16), ProfileId(b"2" * 16)
PURPOSES = compile_purposes({"purposes": [{"id": "Ads", "class": "ads"}]}, 1)


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ([], "object"),
        ({}, "purposes"),
        ({"purposes": []}, "without_consent"),
        ({"purposes": ["Ads"], "without_consent": True}, "without_consent"),
        ({"purposes": ["Ads"], "without_consent": "yes"}, "without_consent"),
        ({"purposes": "Ads"}, "purposes"),
        ({"purposes": [""]}, "purposes"),
        ({"purposes": ["Ads"], "trait": ["*"]}, "traits"),
        ({"purposes": ["Ads"], "traits": [1]}, "traits"),
        ({"purposes": ["Ads"], "identifiers": ["no type"]}, "identifiers"),
        ({"purposes": ["Ads"], "traits": ["plan", "pl*"]}, r'traits\[1\].*"traits": \["\*"\] for all'),
        ({"purposes": ["Ads"], "traits": ["**"]}, r"traits\[0\]"),
        ({"purposes": ["Ads"], "traits": [" "]}, r"traits\[0\]"),
        ({"purposes": ["Ads"], "identifiers": ["android.*"]}, r'identifiers\[0\].*"identifiers": \["\*"\] for all'),
        ({"purposes": ["Ads"], "callback_url": 1}, "callback_url"),
    ],
)
def test_a_wrong_document_is_refused_with_the_name_of_its_field(document: Any, word: str) -> None:
    """A misspelt field gets the name that was meant."""
    with pytest.raises(BadDestination, match=word):
        compile_entitled(document)


def test_a_destination_without_consent_says_so() -> None:
    """No purposes alone do not do, since they may be an oversight."""
    entitled = compile_entitled({"purposes": [], "without_consent": True, "traits": ["*", "*"]})

    assert entitled == Entitled(purposes=[], traits=["*"], identifiers=[], without_consent=True)


@pytest.mark.parametrize(("text", "good"), [
    ("crm-1", True), ("CRM", False), ("", False),
    ("a" * 65, False), (".a", False),
])  # fmt: skip
def test_a_name_is_a_short_word(text: str, good: bool) -> None:  # noqa: FBT001
    """A name stands in addresses and logs."""
    assert is_name(text) is good


def test_an_older_value_never_takes_the_place_of_one_that_is_not_visible() -> None:
    """The newest value counts, and a grant from before a merge does not show data of the other side."""
    allowed = Document(
        traits={"plan": ("old", Micros(1), Stamp(2)), "name": ("Ann", Micros(5), Stamp(6))},
        consent={"Ads": (True, Micros(1), Stamp(2))},
    )
    denied = Document(traits={"plan": ("new", Micros(3), Stamp(4))})
    documents = {ONE: allowed, OTHER: denied}
    entitled = Entitled(purposes=["Ads"], traits=["*"], identifiers=["user_id"])
    permission = Permission(
        documents, [Meeting(stamp=Stamp(10), loser=ProfileId(OTHER), winner=ProfileId(ONE))], PURPOSES, Micros(100)
    )
    seen = visible(
        entitled,
        permission,
        documents,
        [(ProfileId(ONE), "email"), (ProfileId(ONE), "user_id"), (ProfileId(OTHER), "user_id")],
    )

    assert (seen.traits, seen.identifiers) == ({"name": "Ann"}, [1])
    assert seen.fields == {ONE: ["name", "user_id:"]}
    assert not seen.nothing
