"""Permissions case by case: the order of the rules, Segment's tables, and decisions kept apart by merges."""

from typing import Any

import pytest

from identity.planning.consent.fold import Meeting, fold
from identity.planning.consent.permission import Permission, Verdict
from identity.planning.consent.purposes import Purposes, compile_purposes
from identity.planning.resolution.extract import extract
from identity.planning.resolution.fold_documents import merge_decisions, merge_signals
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.values.calls import DAY, Call, Source
from identity.values.documents import Document
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp

NOW = 1_000 * DAY
POLICY = {
    "purposes": [
        {"id": "Marketing", "class": "ads", "ttl_days": 365},
        {"id": "Product", "class": "analytics"},
        {"id": "Billing", "class": "necessary"},
    ],
    "regions": {"US": {"ads": "allow"}, "US-CA": {"ads": "deny"}, "DE": "deny"},
}
BROWSER, SERVER = Source(1), Source(2, server=True)


def call(context: dict[str, Any], day: int, source: Source = BROWSER) -> Call:
    """A track call on a day."""
    body = {"type": "track", "event": "E", "userId": "u", "context": context}
    return extract(body, kind="track", rules=DEFAULT_RULES, received=Micros(day * DAY), sent_at=None, source=source)


def heard(*calls: Call, first: int = 1) -> Document:
    """The document of an origin after these calls."""
    document = Document()
    for stamp, each in enumerate(calls, first):
        merge_decisions(document, each.consent or {}, each.time, Stamp(stamp), server=each.source.server)
        merge_signals(document, each.signals, Stamp(stamp))
    return document


def preferences(day: int, source: Source = BROWSER, **decisions: bool) -> Call:
    """A call with the complete statement of a consent manager."""
    return call({"consent": {"categoryPreferences": decisions}}, day, source)


def verdict(document: Document, purpose: str = "Marketing", now: int = NOW, **policy: Any) -> Verdict:
    """The verdict for one origin on its own."""
    made = compile_purposes({**POLICY, **policy}, 1)
    return Permission({ProfileId(b"a"): document}, [], made, Micros(now)).one(purpose, ProfileId(b"a"))


def region(where: str, day: int = 1) -> Call:
    """A call that names a region."""
    return call({"consent": {"jurisdiction": where}}, day)


def test_without_a_decision_the_default_of_the_space_applies() -> None:
    """The default denies unless the space changes it; a necessary purpose needs no decision."""
    assert verdict(Document()) == (False, "unset", None)
    assert verdict(Document(), unset="allow").granted
    assert verdict(Document(), "Billing") == (True, "necessary", None)
    assert verdict(Document(), "Unknown") == (False, "unknown_purpose", None)


def test_the_newest_decision_counts_and_a_denial_beats_a_grant_of_the_same_time() -> None:
    """The order of arrival makes no difference."""
    granted = preferences(800, Marketing=True)
    assert verdict(heard(granted)) == (True, "granted", (800 + 365) * DAY)
    assert verdict(heard(granted, preferences(801, Marketing=False))).reason == "denied"
    assert verdict(heard(preferences(801, Marketing=False), granted)).reason == "denied"
    assert verdict(heard(preferences(800, Marketing=False), granted)).reason == "denied"
    assert verdict(heard(granted, preferences(800, Marketing=False))).reason == "denied"


def test_a_grant_expires_and_a_denial_does_not() -> None:
    """A grant counts up to the moment before its end; afterwards the default applies."""
    document = heard(preferences(100, Marketing=True))
    end = 465 * DAY
    assert verdict(document, now=end - 1).granted
    assert verdict(document, now=end) == (False, "expired", None)
    assert verdict(heard(preferences(1, Marketing=False)), now=NOW).reason == "denied"
    assert verdict(document, now=end, unset="allow").granted


SEGMENT = {
    "no consent object": ({}, False, True),
    "an empty consent object": ({"consent": {}}, False, True),
    "empty preferences": ({"consent": {"categoryPreferences": {}}}, False, False),
    "granted": ({"consent": {"categoryPreferences": {"Marketing": True}}}, True, True),
    "denied": ({"consent": {"categoryPreferences": {"Marketing": False}}}, False, False),
    "another category only": ({"consent": {"categoryPreferences": {"Product": True}}}, False, False),
    "the text true": ({"consent": {"categoryPreferences": {"Marketing": "true"}}}, False, False),
    "a number": ({"consent": {"categoryPreferences": {"Marketing": 1}}}, False, False),
    "a null": ({"consent": {"categoryPreferences": {"Marketing": None}}}, False, False),
    "a list of categories": ({"consent": {"categoryPreferences": ["Marketing"]}}, False, False),
    "text for preferences": ({"consent": {"categoryPreferences": "all"}}, False, False),
    "text for the object": ({"consent": "denied"}, False, False),
    "null preferences": ({"consent": {"categoryPreferences": None}}, False, True),
    "a trait of that name": ({"traits": {"segment_consent_preference.categories.Marketing": True}}, False, True),
}


@pytest.mark.parametrize(("context", "closed", "compatible"), SEGMENT.values(), ids=SEGMENT.keys())
def test_unset_allow_follows_the_table_of_segment(context: dict[str, Any], closed: bool, compatible: bool) -> None:  # noqa: FBT001
    """Row by row as Segment documents `unset: allow`, but a statement that cannot be read denies as an empty one."""
    document = heard(call(context, 900))
    assert verdict(document).granted is closed
    assert verdict(document, unset="allow").granted is compatible


@pytest.mark.parametrize(
    ("decisions", "flows"),
    [
        ({"Marketing": True, "Product": True}, True),
        ({"Marketing": True, "Product": False}, False),
        ({"Marketing": False, "Product": True}, False),
        ({"Marketing": True}, False),
        ({}, False),
    ],
)
def test_a_destination_of_several_categories_needs_all_of_them(decisions: dict[str, bool], flows: bool) -> None:  # noqa: FBT001
    """The earliest end counts; a destination without a purpose gets the default for undecided data."""
    document = heard(preferences(900, BROWSER, **decisions))
    for unset in ("deny", "allow"):
        made = compile_purposes({**POLICY, "unset": unset}, 1)
        permission = Permission({ProfileId(b"a"): document}, [], made, Micros(NOW))
        assert permission.all_of(["Marketing", "Product"], ProfileId(b"a")).granted is flows
        assert permission.all_of([], ProfileId(b"a")).granted is (unset == "allow")
    if flows:
        assert permission.all_of(["Product", "Marketing"], ProfileId(b"a")).until == (900 + 365) * DAY


def test_a_later_statement_that_leaves_a_category_out_denies_it() -> None:
    """In any order of arrival; a still later statement that names the category grants again."""
    one, other = preferences(800, Marketing=True), preferences(801, Product=True)
    for calls in ((one, other), (other, one)):
        assert verdict(heard(*calls)).reason == "denied"
        assert not fold({ProfileId(b"a"): heard(*calls)}, [])["Marketing"].value
    assert verdict(heard(one, other, preferences(802, Marketing=True))).granted


def test_an_opt_out_of_the_class_beats_grants_of_its_purposes() -> None:
    """GPC beats earlier and later grants; with `override_opt_out` a later grant of the purpose lifts it."""
    gpc = call({"gpc": True}, 850)
    late = preferences(851, Marketing=True)
    assert verdict(heard(preferences(800, Marketing=True), gpc)).reason == "opted_out"
    assert verdict(heard(gpc, late)).reason == "opted_out"
    assert verdict(heard(gpc, late), override_opt_out=True).granted
    assert not verdict(heard(gpc, preferences(849, Marketing=True)), override_opt_out=True).granted
    assert verdict(heard(gpc), "Product").reason == "unset"
    assert verdict(heard(call({"consent": {"usPrivacy": "1YYN"}}, 850), late)).reason == "opted_out"


def test_a_grant_of_a_class_lifts_no_denial_of_a_purpose() -> None:
    """A granted class permits its purposes; a denied class beats an older grant and yields to a newer one."""
    ads = ("ad_storage", "ad_user_data", "ad_personalization")
    yes = {"consent": {"googleConsentMode": dict.fromkeys(ads, "granted")}}
    no = {"consent": {"googleConsentMode": {"ad_storage": "denied"}}}
    assert verdict(heard(call(yes, 900))) == (True, "granted_by_class", (900 + 365) * DAY)
    assert verdict(heard(preferences(800, Marketing=False), call(yes, 900))).reason == "denied"
    assert verdict(heard(preferences(800, Marketing=True), call(no, 900))).reason == "denied_by_class"
    assert verdict(heard(call(no, 900), preferences(901, Marketing=True))).granted


def test_an_opt_out_applies_again_once_the_grant_that_lifted_it_expires() -> None:
    """The same holds for a denial of the class."""
    grant = preferences(800, Marketing=True)
    out = call({"gpc": True}, 700)
    denial = call({"consent": {"googleConsentMode": {"ad_storage": "denied"}}}, 700)
    end = (800 + 365) * DAY
    policy: dict[str, Any] = {"unset": "allow", "override_opt_out": True}
    assert verdict(heard(out, grant), now=end - 1, **policy) == (True, "granted", end)
    assert verdict(heard(out, grant), now=end, **policy).reason == "opted_out"
    denied = verdict(heard(denial), **policy).reason
    assert denied == "denied_by_class"
    assert verdict(heard(denial, grant), now=end, **policy).reason == denied
    # A verdict by default ends with the grant that lifts the opt-out.
    met = [Meeting(Stamp(50), ProfileId(b"b"), ProfileId(b"a"))]
    documents = {ProfileId(b"a"): heard(out, grant, first=10), ProfileId(b"b"): Document()}
    made = compile_purposes({**POLICY, **policy}, 1)
    assert Permission(documents, met, made, Micros(end - 1)).one("Marketing", ProfileId(b"b")) == (
        True,
        "allowed_unset",
        end,
    )


def test_a_grant_of_a_minor_does_not_count() -> None:
    """Only a server-side key can revoke that a person is a minor."""
    minor, grant = call({"consent": {"minor": True}}, 900), preferences(901, Marketing=True)
    assert verdict(heard(minor, grant)).reason == "minor"
    assert verdict(heard(minor, grant, call({"consent": {"minor": False}}, 902))).reason == "minor"
    assert verdict(heard(minor, grant, call({"consent": {"minor": False}}, 902, SERVER))).granted


def test_no_public_key_lifts_a_denial_by_a_server() -> None:
    """Another decision by a server-side key lifts the denial."""
    no, yes = preferences(900, SERVER, Marketing=False), preferences(901, Marketing=True)
    for calls in ((no, yes), (yes, no)):
        assert verdict(heard(*calls)).reason == "denied"
        assert not fold({ProfileId(b"a"): heard(*calls)}, [])["Marketing"].conflict
    assert verdict(heard(no, yes, preferences(902, SERVER, Marketing=True))).granted
    assert (
        verdict(heard(preferences(900, SERVER, Marketing=True), preferences(901, Marketing=False))).reason == "denied"
    )


def test_the_region_decides_for_undecided_data() -> None:
    """A subdivision comes before its country; an explicit denial beats any region."""
    assert verdict(heard(region("US"))) == (True, "allowed_unset", None)
    assert verdict(heard(region("us-ny"))).granted
    assert not verdict(heard(region("US-CA"))).granted
    assert not verdict(heard(region("DE"))).granted
    assert not verdict(heard(region("DE")), unset="allow").granted
    assert verdict(heard(region("FR")), unset="allow").granted
    assert not verdict(heard(region("US")), "Product").granted
    assert verdict(heard(region("US"), preferences(2, Marketing=False))).reason == "denied"


def joined(one: Document, other: Document, at: int = 50, **policy: Any) -> Permission:
    """Two people merged at a stamp."""
    made: Purposes = compile_purposes({**POLICY, **policy}, 1)
    return Permission(
        {ProfileId(b"a"): one, ProfileId(b"b"): other},
        [Meeting(Stamp(at), ProfileId(b"b"), ProfileId(b"a"))],
        made,
        Micros(NOW),
    )


def test_a_grant_does_not_count_for_an_origin_merged_later() -> None:
    """A grant counts at its own origin and at those merged before it; a grant after the merge counts for both."""
    one = joined(heard(preferences(900, Marketing=True)), Document())
    assert one.one("Marketing", ProfileId(b"a")).granted
    assert one.one("Marketing", ProfileId(b"b")).reason == "unset"
    late = joined(heard(preferences(900, Marketing=True), first=60), Document())
    assert late.one("Marketing", ProfileId(b"b")).granted


def test_a_denial_counts_for_every_origin_of_the_profile() -> None:
    """An anonymous grant merged with a known denial is denied, and the verdict reports the conflict."""
    both = joined(heard(preferences(900, Marketing=False)), heard(preferences(901, Marketing=True)))
    for origin in (b"a", b"b"):
        assert both.one("Marketing", ProfileId(origin)) == (False, "conflict", None)
    against = joined(heard(preferences(900, Marketing=False)), Document(), unset="allow")
    assert not against.one("Marketing", ProfileId(b"b")).granted


def test_a_grant_from_before_the_merge_lifts_no_denial_of_the_other_side() -> None:
    """Neither a denial of the class nor an opt-out."""
    grant = heard(preferences(901, Marketing=True))
    no = heard(call({"consent": {"googleConsentMode": {"ad_storage": "denied"}}}, 900), first=20)
    out = heard(call({"gpc": True}, 900), first=20)
    for other in (no, out):
        both = joined(grant, other, unset="allow", override_opt_out=True)
        assert not both.one("Marketing", ProfileId(b"a")).granted
        assert not both.one("Marketing", ProfileId(b"b")).granted


def test_a_region_of_the_other_side_never_loosens_the_default() -> None:
    """An origin without a region keeps the default; a stricter region counts for every origin."""
    both = joined(heard(region("US")), Document())
    assert both.one("Marketing", ProfileId(b"a")).granted
    assert not both.one("Marketing", ProfileId(b"b")).granted
    strict = joined(heard(region("US")), heard(region("DE"), first=20), unset="allow")
    assert not strict.one("Marketing", ProfileId(b"a")).granted
    assert joined(heard(region("US"), first=60), Document()).one("Marketing", ProfileId(b"b")).granted
