"""Gates: each fails on its own facts, is unknown without any, and never shows a value."""

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.consent.permission import Permission, Verdict
from identity.planning.consent.purposes import Purpose, Purposes
from identity.planning.destinations.feed_pages import Position
from identity.planning.destinations.gap_explanation import (
    GATES,
    REASONS,
    Facts,
    Standing,
    TraitEntry,
    gates,
    standing,
    stopped_at,
    verdicts,
)
from identity.planning.destinations.policy import Entitled
from identity.values.ids import ProfileId
from identity.values.stamps import Micros

ME, OTHER = ProfileId(b"\x01" * 16), ProfileId(b"\x02" * 16)
SET = TraitEntry(True, Micros(1_700_000_000_000_000), "m1", ProfileId(ME))
GRANTED = {"Marketing": Verdict(True, "granted")}
THROUGH = Facts(
    trait="plan",
    first_seen=Micros(1_600_000_000_000_000),
    origin=ProfileId(ME),
    canonical=ProfileId(ME),
    entry=SET,
    entitled=Entitled(purposes=("Marketing",), traits=("plan",)),
    verdicts=GRANTED,
    standing="settled",
)
NOBODY: dict[str, Any] = {"first_seen": None, "origin": None, "canonical": None, "entry": None, "verdicts": {}}

places = st.sampled_from([None, ME, OTHER])
entries = st.builds(TraitEntry, st.booleans(), st.integers(0, 2**50), st.sampled_from([None, "m1"]), st.just(ME))
facts = st.builds(
    Facts,
    usable=st.booleans(),
    blocked=st.booleans(),
    suppressed=st.booleans(),
    erased=st.booleans(),
    removed=st.booleans(),
    demoted=st.sampled_from([None, "limit:email", "separated", "blocked"]),
    refusals=st.booleans(),
    first_seen=st.none() | st.integers(0, 2**50),
    retired=st.booleans(),
    origin=places,
    canonical=places,
    origins=st.integers(1, 3),
    trait=st.sampled_from(["plan", "name"]),
    entry=st.none() | entries,
    entitled=st.sampled_from(
        [
            Entitled(),
            Entitled(purposes=("Marketing",), traits=("plan",)),
            Entitled(purposes=("Marketing",), traits=("*",)),
        ]
    ),
    verdicts=st.sampled_from([{}, GRANTED, {"Marketing": Verdict(False, "denied")}, {"": Verdict(False, "unset")}]),
    standing=st.sampled_from(get_args(Standing)),
    sent=st.booleans(),
    disclosed=st.booleans(),
    person_disclosed=st.booleans(),
)


@given(facts)
def test_every_gate_has_a_reason(given: Facts) -> None:
    """In order, with a known reason and a complete sentence, whatever the facts."""
    judged = gates(given)
    assert tuple(gate.gate for gate in judged) == GATES
    for gate in judged:
        assert gate.reason in REASONS
        assert gate.detail
        assert not {"{", "}"} & set(gate.detail)
    first = stopped_at(judged)
    assert (first is None) == all(gate.result == "pass" for gate in judged)


@given(facts)
def test_a_hidden_trait_is_never_delivered(given: Facts) -> None:
    """Except its withdrawal."""
    judged = {gate.gate: gate for gate in gates(given)}
    seen = all(judged[name].result == "pass" for name in ("trait_present", "in_allow_list", "purposes_granted"))
    delivered = judged["delivered_at_cursor"]
    if delivered.result == "pass":
        assert seen == (delivered.reason == "acknowledged")
        assert given.standing == "settled"
    if given.canonical is None:
        assert {judged[name].result for name in ("merged", "trait_present", "delivered_at_cursor")} == {"unknown"}


def test_a_gate_names_the_call_that_set_a_trait() -> None:
    """With the message id unchanged."""
    entry = msgspec.structs.replace(SET, message_id="{at} %s")
    judged = {gate.gate: gate for gate in gates(msgspec.structs.replace(THROUGH, entry=entry))}
    assert "message {at} %s" in judged["trait_present"].detail


FAILING: list[tuple[str, str, dict[str, Any]]] = [
    ("received", "not_received", NOBODY),
    ("validated", "unusable", {**NOBODY, "usable": False}),
    ("not_suppressed", "suppressed", {**NOBODY, "suppressed": True}),
    ("identified", "unlinked", NOBODY),
    ("identified", "blocked", {**NOBODY, "blocked": True}),
    ("identified", "removed", {**NOBODY, "removed": True}),
    ("identified", "demoted", {**NOBODY, "demoted": "limit:email"}),
    ("identified", "separated", {**NOBODY, "demoted": "separated"}),
    ("trait_present", "never_set", {"entry": None}),
    ("trait_present", "taken_away", {"entry": msgspec.structs.replace(SET, value=False)}),
    ("in_allow_list", "off_list", {"trait": "salary"}),
    ("purposes_granted", "refused", {"verdicts": {"Marketing": Verdict(False, "conflict")}}),
    ("delivered_at_cursor", "not_pulled", {"standing": "never"}),
    ("delivered_at_cursor", "not_pulled", {"standing": "waiting"}),
    ("delivered_at_cursor", "begins_anew", {"standing": "begins_anew"}),
    ("delivered_at_cursor", "withdrawal_waiting", {"trait": "x", "person_disclosed": True, "standing": "waiting"}),
]


@pytest.mark.parametrize(("gate", "reason", "changed"), FAILING)
def test_a_gate_fails_on_its_facts(gate: str, reason: str, changed: dict[str, Any]) -> None:
    """With the reason of the failure."""
    assert stopped_at(gates(THROUGH)) is None
    judged = {each.gate: each for each in gates(msgspec.structs.replace(THROUGH, **changed))}
    assert (judged[gate].result, judged[gate].reason) == ("fail", reason)


UNKNOWN: list[tuple[str, str, dict[str, Any]]] = [
    ("received", "refusals_unnamed", {**NOBODY, "refusals": True}),
    ("merged", "after_failure", NOBODY),
    ("purposes_granted", "after_failure", {"entry": None, "verdicts": {}}),
    ("delivered_at_cursor", "nothing_to_deliver", {"entry": None}),
    ("delivered_at_cursor", "too_far", {"standing": "too_far"}),
    ("delivered_at_cursor", "sent", {"standing": "waiting", "sent": True}),
    ("delivered_at_cursor", "told", {"standing": "waiting", "disclosed": True}),
    ("delivered_at_cursor", "never_acknowledged", {"standing": "never", "disclosed": True}),
]


@pytest.mark.parametrize(("gate", "reason", "changed"), UNKNOWN)
def test_a_gate_without_facts_is_unknown(gate: str, reason: str, changed: dict[str, Any]) -> None:
    """With the reason."""
    judged = {each.gate: each for each in gates(msgspec.structs.replace(THROUGH, **changed))}
    assert (judged[gate].result, judged[gate].reason) == ("unknown", reason)


POSITION = Position(entitlement_version=2, purposes_version=3, began=Micros(0), after_profile=None, lanes={0: 5, 1: 7})
LANES = {0: (0, 9), 1: (7, 7)}


@pytest.mark.parametrize(
    ("place", "versions", "lanes", "about", "expected"),
    [
        (None, (2, 3), LANES, None, "never"),
        (POSITION, (2, 3), LANES, False, "settled"),
        (POSITION, (2, 3), LANES, True, "waiting"),
        (POSITION, (2, 3), LANES, None, "too_far"),
        (POSITION, (2, 4), LANES, False, "begins_anew"),
        (POSITION, (2, 3), {**LANES, 0: (6, 9)}, False, "begins_anew"),
        (POSITION, (2, 3), {**LANES, 1: (0, 6)}, False, "begins_anew"),
        (msgspec.structs.replace(POSITION, after_profile=ME), (2, 3), LANES, False, "settled"),
        (msgspec.structs.replace(POSITION, after_profile=bytes(16)), (2, 3), LANES, False, "waiting"),
    ],
)
def test_a_profile_is_settled_only_without_later_entries(
    place: Position | None, versions: tuple[int, int], lanes: Any, about: Any, expected: str
) -> None:
    """And only under the versions in force."""
    assert standing(place, versions, lanes, ProfileId(ME), about) == expected


def test_verdicts_without_an_origin_need_no_person() -> None:
    """Only unknown and necessary purposes have a verdict."""
    made = Purposes(version=1, purposes={"Ads": Purpose("Ads", "ads"), "Bill": Purpose("Bill", "necessary")})
    permission = Permission({}, (), made, Micros(0))
    judged = verdicts(Entitled(purposes=("Ads", "Bill", "None")), permission, None)
    assert {name: each.reason for name, each in judged.items()} == {"Bill": "necessary", "None": "unknown_purpose"}
    assert verdicts(Entitled(), permission, ProfileId(ME)) == {"": Verdict(False, "unset")}
