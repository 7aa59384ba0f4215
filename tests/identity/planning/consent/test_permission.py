"""Whether a purpose may be served, case by case: the order of §4.2, Segment's tables, and what merges leave apart."""

from typing import Any

import pytest

from identity.planning.consent.fold import Meeting, fold
from identity.planning.consent.permission import Permission, Verdict
from identity.planning.consent.purposes import Purposes, compile_purposes
from identity.planning.resolution.document import merge_decisions, merge_signals
from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.values.calls import DAY, Call, Source
from identity.values.documents import Document

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
    return extract(body, kind="track", rules=DEFAULT_RULES, received=day * DAY, sent_at=None, source=source)


def told(*calls: Call, first: int = 1) -> Document:
    """The document of an origin that heard these calls."""
    document = Document()
    for stamp, each in enumerate(calls, first):
        merge_decisions(document, each.consent or {}, each.time, stamp, server=each.source.server)
        merge_signals(document, each.signals, each.time, stamp)
    return document


def preferences(day: int, source: Source = BROWSER, **decisions: bool) -> Call:
    """A call with the whole statement of a consent manager."""
    return call({"consent": {"categoryPreferences": decisions}}, day, source)


def verdict(document: Document, purpose: str = "Marketing", now: int = NOW, **policy: Any) -> Verdict:
    """What is decided for one origin on its own."""
    made = compile_purposes({**POLICY, **policy}, 1)
    return Permission({b"a": document}, [], made, now).one(purpose, b"a")


def region(where: str, day: int = 1) -> Call:
    """A call that says where somebody is."""
    return call({"consent": {"jurisdiction": where}}, day)


def test_nothing_said() -> None:
    """Without a word of theirs it is what the space says, by default no; what is necessary needs none."""
    assert verdict(Document()) == (False, "unset", None)
    assert verdict(Document(), unset="allow").granted
    assert verdict(Document(), "Billing") == (True, "necessary", None)
    assert verdict(Document(), "Unheard") == (False, "unknown_purpose", None)


def test_granted_and_withdrawn() -> None:
    """The newest decision counts, whatever comes late, and of one moment the denial."""
    granted = preferences(800, Marketing=True)
    assert verdict(told(granted)) == (True, "granted", (800 + 365) * DAY)
    assert verdict(told(granted, preferences(801, Marketing=False))).reason == "denied"
    assert verdict(told(preferences(801, Marketing=False), granted)).reason == "denied"
    assert verdict(told(preferences(800, Marketing=False), granted)).reason == "denied"
    assert verdict(told(granted, preferences(800, Marketing=False))).reason == "denied"


def test_expiry() -> None:
    """A grant holds to the end of its time and not a moment longer; a denial for ever."""
    document = told(preferences(100, Marketing=True))
    end = 465 * DAY
    assert verdict(document, now=end - 1).granted
    assert verdict(document, now=end) == (False, "expired", None)
    assert verdict(told(preferences(1, Marketing=False)), now=NOW).reason == "denied"
    # What expired is as if it had not been said.
    assert verdict(document, now=end, unset="allow").granted


SEGMENT = {
    "no consent object": ({}, False, True),
    "an empty consent object": ({"consent": {}}, False, True),
    "empty preferences": ({"consent": {"categoryPreferences": {}}}, False, False),
    "granted": ({"consent": {"categoryPreferences": {"Marketing": True}}}, True, True),
    "denied": ({"consent": {"categoryPreferences": {"Marketing": False}}}, False, False),
    "another category only": ({"consent": {"categoryPreferences": {"Product": True}}}, False, False),
    "the text true": ({"consent": {"categoryPreferences": {"Marketing": "true"}}}, False, True),
    "a trait of that name": ({"traits": {"segment_consent_preference.categories.Marketing": True}}, False, True),
}


@pytest.mark.parametrize(("context", "closed", "compatible"), SEGMENT.values(), ids=SEGMENT.keys())
def test_segments_table(context: dict[str, Any], closed: bool, compatible: bool) -> None:  # noqa: FBT001
    """Row by row as Segment has it with `unset: allow`; by default what was not said does not flow."""
    document = told(call(context, 900))
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
def test_a_destination_of_several_categories(decisions: dict[str, bool], flows: bool) -> None:  # noqa: FBT001
    """All of its purposes have to be granted; one that needs none takes what holds for the undecided."""
    document = told(preferences(900, BROWSER, **decisions))
    for unset in ("deny", "allow"):
        made = compile_purposes({**POLICY, "unset": unset}, 1)
        permission = Permission({b"a": document}, [], made, NOW)
        assert permission.all_of(["Marketing", "Product"], b"a").granted is flows
        assert permission.all_of([], b"a").granted is (unset == "allow")
    if flows:
        assert permission.all_of(["Product", "Marketing"], b"a").until == (900 + 365) * DAY


def test_a_later_statement_that_leaves_a_category_out() -> None:
    """Denies it, on either side of time; what is named again is granted again."""
    one, other = preferences(800, Marketing=True), preferences(801, Product=True)
    for calls in ((one, other), (other, one)):
        assert verdict(told(*calls)).reason == "denied"
        assert not fold({b"a": told(*calls)}, [])["Marketing"].value
    assert verdict(told(one, other, preferences(802, Marketing=True))).granted


def test_opting_out_of_the_class() -> None:
    """GPC beats a grant before and after it; where the space lets it, a later grant of the purpose lifts it."""
    gpc = call({"gpc": True}, 850)
    late = preferences(851, Marketing=True)
    assert verdict(told(preferences(800, Marketing=True), gpc)).reason == "opted_out"
    assert verdict(told(gpc, late)).reason == "opted_out"
    assert verdict(told(gpc, late), override_opt_out=True).granted
    assert not verdict(told(gpc, preferences(849, Marketing=True)), override_opt_out=True).granted
    assert verdict(told(gpc), "Product").reason == "unset"
    assert verdict(told(call({"consent": {"usPrivacy": "1YYN"}}, 850), late)).reason == "opted_out"


def test_classes_of_a_consent_manager() -> None:
    """A class that was granted serves, but lifts no denial of the purpose; its denial beats an older grant."""
    ads = ("ad_storage", "ad_user_data", "ad_personalization")
    yes = {"consent": {"googleConsentMode": dict.fromkeys(ads, "granted")}}
    no = {"consent": {"googleConsentMode": {"ad_storage": "denied"}}}
    assert verdict(told(call(yes, 900))) == (True, "granted_by_class", (900 + 365) * DAY)
    assert verdict(told(preferences(800, Marketing=False), call(yes, 900))).reason == "denied"
    assert verdict(told(preferences(800, Marketing=True), call(no, 900))).reason == "denied_by_class"
    assert verdict(told(call(no, 900), preferences(901, Marketing=True))).granted


def test_a_lift_ends_with_its_grant() -> None:
    """When a grant ends that came after an opt-out or a denial of its class, these stand again."""
    grant = preferences(800, Marketing=True)
    out = call({"gpc": True}, 700)
    denial = call({"consent": {"googleConsentMode": {"ad_storage": "denied"}}}, 700)
    end = (800 + 365) * DAY
    policy: dict[str, Any] = {"unset": "allow", "override_opt_out": True}
    assert verdict(told(out, grant), now=end - 1, **policy) == (True, "granted", end)
    assert verdict(told(out, grant), now=end, **policy).reason == "opted_out"
    denied = verdict(told(denial), **policy).reason
    assert denied == "denied_by_class"
    assert verdict(told(denial, grant), now=end, **policy).reason == denied
    # Where the grant only lifts, what it lets through ends with it.
    met = [Meeting(50, b"b", b"a")]
    documents = {b"a": told(out, grant, first=10), b"b": Document()}
    made = compile_purposes({**POLICY, **policy}, 1)
    assert Permission(documents, met, made, end - 1).one("Marketing", b"b") == (True, "allowed_unset", end)


def test_minors() -> None:
    """Nothing a minor grants counts, until a server-side key says that they are none."""
    minor, grant = call({"consent": {"minor": True}}, 900), preferences(901, Marketing=True)
    assert verdict(told(minor, grant)).reason == "minor"
    assert verdict(told(minor, grant, call({"consent": {"minor": False}}, 902))).reason == "minor"
    assert verdict(told(minor, grant, call({"consent": {"minor": False}}, 902, SERVER))).granted


def test_rulings() -> None:
    """What a server-side key denied no public key grants; another of its own does."""
    no, yes = preferences(900, SERVER, Marketing=False), preferences(901, Marketing=True)
    for calls in ((no, yes), (yes, no)):
        assert verdict(told(*calls)).reason == "denied"
        assert not fold({b"a": told(*calls)}, [])["Marketing"].conflict
    assert verdict(told(no, yes, preferences(902, SERVER, Marketing=True))).granted
    assert verdict(told(preferences(900, SERVER, Marketing=True), preferences(901, Marketing=False))).reason == "denied"


def test_regions() -> None:
    """The region decides for the undecided: the nearest that is named, of several the strictest."""
    assert verdict(told(region("US"))) == (True, "allowed_unset", None)
    assert verdict(told(region("us-ny"))).granted
    assert not verdict(told(region("US-CA"))).granted
    assert not verdict(told(region("DE"))).granted
    assert not verdict(told(region("DE")), unset="allow").granted
    assert verdict(told(region("FR")), unset="allow").granted
    assert not verdict(told(region("US")), "Product").granted
    assert verdict(told(region("US"), preferences(2, Marketing=False))).reason == "denied"


def joined(one: Document, other: Document, at: int = 50, **policy: Any) -> Permission:
    """Two people who became one at a stamp."""
    made: Purposes = compile_purposes({**POLICY, **policy}, 1)
    return Permission({b"a": one, b"b": other}, [Meeting(at, b"b", b"a")], made, NOW)


def test_a_grant_does_not_reach_whom_it_met_later() -> None:
    """A grant serves the origin it was given at, and those it had met; a later one serves both."""
    one = joined(told(preferences(900, Marketing=True)), Document())
    assert one.one("Marketing", b"a").granted
    assert one.one("Marketing", b"b").reason == "unset"
    late = joined(told(preferences(900, Marketing=True), first=60), Document())
    assert late.one("Marketing", b"b").granted


def test_a_denial_reaches_everybody() -> None:
    """An anonymous grant merged into a known denial is denied, and the conflict is told."""
    both = joined(told(preferences(900, Marketing=False)), told(preferences(901, Marketing=True)))
    for origin in (b"a", b"b"):
        assert both.one("Marketing", origin) == (False, "conflict", None)
    against = joined(told(preferences(900, Marketing=False)), Document(), unset="allow")
    assert not against.one("Marketing", b"b").granted


def test_what_another_said_lifts_nothing() -> None:
    """A grant from before two met lifts neither the class denial nor the opt-out of the other."""
    grant = told(preferences(901, Marketing=True))
    no = told(call({"consent": {"googleConsentMode": {"ad_storage": "denied"}}}, 900), first=20)
    out = told(call({"gpc": True}, 900), first=20)
    for other in (no, out):
        both = joined(grant, other, unset="allow", override_opt_out=True)
        assert not both.one("Marketing", b"a").granted
        assert not both.one("Marketing", b"b").granted


def test_a_region_named_elsewhere_makes_nothing_looser() -> None:
    """Whose region nobody named stays where the undecided are; a stricter one reaches everybody."""
    both = joined(told(region("US")), Document())
    assert both.one("Marketing", b"a").granted
    assert not both.one("Marketing", b"b").granted
    strict = joined(told(region("US")), told(region("DE"), first=20), unset="allow")
    assert not strict.one("Marketing", b"a").granted
    assert joined(told(region("US"), first=60), Document()).one("Marketing", b"b").granted
