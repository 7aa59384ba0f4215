"""A statement that cannot be read never leaves a purpose to a default that allows."""

from typing import Any

import pytest

from identity.planning.consent.permission import Permission
from identity.planning.consent.purposes import compile_purposes
from identity.planning.consent.statements import statements, unknown_categories
from identity.planning.resolution.fold_documents import merge_signals
from identity.values.documents import STATED, Document, TimedSignal
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp
from tests.identity.planning.consent.signals.encoding import NOW

ANN = ProfileId(b"a")


def allows(document: Document, regions: Any) -> bool:
    """Whether a purpose is granted to a person in a space that allows what is undecided."""
    policy = {"purposes": [{"id": "Ads", "class": "ads"}], "unset": "allow", "regions": regions}
    return Permission({ANN: document}, [], compile_purposes(policy, 1), Micros(NOW)).one("Ads", ANN).granted


@pytest.mark.parametrize(
    "preferences", [{"Ads": "yes"}, {"Ads": None, "Mail": 1}, "none", ["Ads"], [], 0, True], ids=str
)
def test_a_statement_of_which_nothing_can_be_read_counts_as_an_empty_one(preferences: object) -> None:
    """It may have been a withdrawal, so it denies every category."""
    unread, empty = (
        statements({"consent": {"categoryPreferences": stated}}, server=False, received=NOW, time=NOW)
        for stated in (preferences, {})
    )
    assert unread.signals == empty.signals == {STATED: TimedSignal([], NOW)}
    assert unread.invalid
    assert not empty.invalid


@pytest.mark.parametrize("name", ["category_preferences", "CategoryPreferences", "categoryPreference"])
def test_a_statement_under_a_misspelt_name_counts_as_an_empty_one(name: str) -> None:
    """Unless the right name is there too; a null is no statement."""
    denied = {"Ads": False}

    def stated(consent: dict[str, Any]) -> dict[str, TimedSignal]:
        found = statements({"consent": consent}, server=False, received=Micros(NOW), time=Micros(NOW))
        assert found.invalid == [f"consent:{name}"]
        return found.signals

    assert stated({name: denied}) == {STATED: TimedSignal([], Micros(NOW))}
    assert stated({name: denied, "categoryPreferences": denied}) == {STATED: TimedSignal(["Ads"], Micros(NOW))}
    assert stated({name: None}) == {}


def test_a_category_without_a_purpose_is_listed_by_its_name() -> None:
    """As the parts that cannot be read are."""
    decisions = {"Ads": True, "ads": False, "\n": True}
    assert unknown_categories(decisions, {"Ads", "Mail"}) == ["purpose:ads", "purpose"]
    assert unknown_categories({"Ads": False}, {"Ads"}) == []


@pytest.mark.parametrize("where", ["Germany", "XX-99", 49, ["DE"]], ids=str)
def test_the_strictest_default_counts_for_a_region_that_cannot_be_read(where: object) -> None:
    """The region that was meant may deny; a readable one of later replaces it."""
    stated, later = (
        statements({"consent": {"jurisdiction": each}}, server=False, received=NOW, time=Micros(NOW + at)).signals
        for at, each in enumerate((where, "FR"))
    )
    document = Document()
    merge_signals(document, stated, Stamp(1))
    for regions, allowed in (
        ({}, True),
        ({"US": "allow"}, True),
        ({"DE": {"ads": "deny"}}, False),
        ({"DE": "deny"}, False),
    ):
        assert allows(document, regions) is allowed
    merge_signals(document, later, Stamp(2))
    assert allows(document, {"DE": "deny"})
