"""A call withdraws consent where a document states something stricter than before, and only there."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.consent.withdrawals import consent_body, consent_entries, withdraws
from identity.planning.resolution.fold_documents import merge_decisions, merge_signals
from identity.values.documents import Document, TimedSignal
from identity.values.stamps import Micros, Stamp

NAMES = st.sampled_from(["Marketing", "Sale"])
DECISIONS = st.dictionaries(NAMES, st.booleans(), max_size=2)
STATED = st.lists(NAMES, unique=True).map(sorted)
SIGNALS = st.fixed_dictionaries(
    {},
    optional={
        "stated": STATED, "stated:server": STATED, "ads": st.booleans(), "gcm:ad_storage": st.booleans(),
        "out:ads": st.just(False), "minor": st.booleans(), "region": st.sampled_from(["DE", "US-CA"]),
    },
)  # fmt: skip
CALLS = st.tuples(DECISIONS, SIGNALS, st.booleans(), st.integers(1, 3))


def apply(document: Document, decisions: Any, signals: Any, *, server: bool, at: int, stamp: int) -> None:
    """Fold a call into a document."""
    merge_decisions(document, decisions, Micros(at), Stamp(stamp), server=server)
    merge_signals(document, {name: TimedSignal(value, Micros(at)) for name, value in signals.items()}, Stamp(stamp))


def values(document: Document) -> tuple[Any, ...]:
    """What a document states, without times."""
    return tuple(
        {name: entry[0] for name, entry in section.items()}
        for section in (document.consent, document.server_decisions, document.signals)
    )


@given(st.lists(CALLS, min_size=1, max_size=4))
def test_a_call_that_withdraws_changes_a_statement(calls: list[Any]) -> None:
    """A new denial withdraws; a call that changes no statement withdraws nothing."""
    document = Document()
    for stamp, (decisions, signals, server, at) in enumerate(calls, 1):
        before, old = consent_entries(document), deepcopy(document)
        apply(document, decisions, signals, server=server, at=at, stamp=stamp)
        found = withdraws(before, document)
        if values(old) == values(document):
            assert not found
        denied = [
            name
            for section, was in zip(values(document)[:2], values(old)[:2], strict=True)
            for name, value in section.items()
            if value is False and was.get(name) is not False
        ]
        if denied:
            assert found


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {"stated": ["Marketing"]}, True),
        ({"stated": ["Marketing"]}, {"stated": ["Marketing", "Sale"]}, False),
        ({"stated": ["Marketing", "Sale"]}, {"stated": ["Sale"]}, True),
        ({}, {"out:ads": False}, True),
        ({"out:ads": False}, {"out:ads": False}, False),
        ({}, {"ads": True}, False),
        ({"ads": True}, {"ads": False}, True),
        ({}, {"minor": False}, False),
        ({"minor": False}, {"minor": True}, True),
        ({"minor": True}, {"minor": False}, False),
        ({"region": "US-CA"}, {"region": "DE"}, True),
        ({"region": "DE"}, {"region": "DE"}, False),
    ],
)
def test_the_kinds_of_signals(before: dict[str, Any], after: dict[str, Any], *, expected: bool) -> None:
    """Each kind of signal has its own strict side."""
    document = Document()
    apply(document, {}, before, server=False, at=1, stamp=1)
    entries = consent_entries(document)
    apply(document, {}, after, server=False, at=2, stamp=2)
    assert withdraws(entries, document) is expected


def test_the_body_has_only_statements_on_consent() -> None:
    """Traits, properties, ids and the device stay out; a member under another name stays in."""
    body = {
        "type": "identify", "userId": "u", "traits": {"a": 1}, "properties": {"b": 2}, "Context": {"c": 3},
        "context": {"traits": {"d": 4}, "ip": "::1", "gpc": True, "consent": {"minor": True}, "gcp": True},
    }  # fmt: skip
    assert consent_body(body, {"Sale": False}) == {
        "Context": {"c": 3},
        "context": {"gpc": True, "consent": {"minor": True}, "gcp": True},
        "decisions": {"Sale": False},
    }
    assert consent_body({"context": None}, None) == {"context": None, "decisions": {}}
