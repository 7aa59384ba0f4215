"""The rows that a batch reads are those that its calls may write to, and the windows that its rules need."""

from typing import Any

from identity.operations.ingest.unseal import fill_windows, missing_windows, wanted_documents, wanted_sets
from identity.planning.resolution.planner_state import Counters, PlannerState, Profile, Window
from identity.planning.resolution.resolution_rules import DEFAULT_RULES, compile_rules
from identity.planning.resolution.working_set import set_key
from identity.values.calls import Alias, Call, Identifier, Source
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Micros, Stamp

ONE, TWO = ProfileId(b"1" * 16), ProfileId(b"2" * 16)
KNOWN, OTHER, NEW = (Identifier("user_id", name, BlindIndex(name.encode() * 32)) for name in "kon")
OWNERS = {KNOWN.key: ONE, OTHER.key: TWO}


def call(*identifiers: Identifier, **fields: Any) -> Call:
    """A call that names these identifiers."""
    return Call(
        kind="identify",
        message_id="m",
        time=Micros(1),
        received=Micros(1),
        source=Source(1),
        body={},
        identifiers=list(identifiers),
        demoted=[],
        **fields,
    )


def test_only_content_is_written_to_a_document() -> None:
    """A call without traits, consent, signals or a group needs none."""
    assert wanted_documents([call(KNOWN), call(OTHER, traits={"plan": "pro"})], OWNERS) == {TWO}


def test_a_link_in_the_same_batch_may_lead_content_to_another_origin() -> None:
    """The first call may link the new identifier to its profile, where the traits of the second go then."""
    calls = [call(KNOWN, NEW), call(NEW, traits={"plan": "pro"})]

    assert wanted_documents(calls, OWNERS) == {ONE}
    assert wanted_documents([calls[0], call(OTHER, traits={"plan": "pro"})], OWNERS) == {TWO}


def test_a_set_is_looked_for_at_every_origin_that_it_names() -> None:
    """Without hidden identifiers; of an alias with the previous id in each reading, and without."""
    assert sorted(wanted_sets([call(KNOWN, OTHER)], OWNERS, lambda _: set())) == [
        (ONE, set_key([KNOWN.key, OTHER.key])), (TWO, set_key([KNOWN.key, OTHER.key])),
    ]  # fmt: skip
    assert wanted_sets([call(KNOWN, NEW)], OWNERS, lambda _: {NEW.key}) == [(ONE, set_key([KNOWN.key]))]
    assert wanted_sets([call(NEW)], OWNERS, lambda _: set()) == []
    alias = Alias(user=OTHER, anonymous=None, assumed="user_id")
    assert set(wanted_sets([call(NEW, alias=alias)], OWNERS, lambda _: set())) == {(TWO, set_key([NEW.key, OTHER.key]))}


def test_a_window_is_scanned_once_the_rules_need_it() -> None:
    """Of roots alone; the scan gives one more identifier than the limit allows."""
    rules = compile_rules({"limits": {"email": {"max": 2, "days": 7}}}, 1)
    held = Counters(types={"email": 3}, live=[])
    profiles = {
        id_: Profile(id=id_, created=Stamp(1), root=ONE, canonical=ONE, oldest_birth=Stamp(1), own=held, folded=held)
        for id_ in (ONE, TWO)
    }
    state = PlannerState(profiles=profiles)

    assert missing_windows(state, DEFAULT_RULES, {"email": 3}) == []
    scans = missing_windows(state, rules, {"email": 3})
    assert scans == [(ONE, 3, 3)]
    fill_windows(state, scans, [(ONE, 3, KNOWN.key, 5), (ONE, 3, OTHER.key, 6)], {3: "email"})
    assert held.windows == {"email": Window(3, {KNOWN.key: 5, OTHER.key: 6})}
    assert missing_windows(state, rules, {"email": 3}) == []
