"""A statement of consent has the same call in the history and in an access export."""

import msgspec

from app.schemas.consent import ConsentStatement, stating_call
from app.schemas.exports.export_items import ExportedStatement, export_item
from identity.operations.privacy.access_exports.access_export_sections import DecidedCategory
from identity.operations.profiles.consent_history import StatedConsent
from identity.values.enums import TrustClass
from identity.values.ids import ProfileId
from identity.values.stamps import Micros

STATED = StatedConsent(
    message_id="consent-1",
    kind="consent",
    origin=ProfileId(b"p" * 16),
    captured_at=Micros(0),
    received_at=Micros(1_000_000),
    source="key_1",
    server_side=True,
    trust=TrustClass.SERVER,
    decisions={"ads": False},
    signals={},
    signal_sources=["gpc"],
    invalid_signals=[],
    jurisdiction="DE",
    evidence={"form": 3},
)


def test_an_exported_statement_is_the_call_with_one_category() -> None:
    """Its message id is that of the evidence."""
    shown = msgspec.to_builtins(export_item("consent_history", DecidedCategory("ads", False, STATED)))

    assert shown == {
        **msgspec.to_builtins(stating_call(STATED)),
        "category": "ads",
        "value": False,
        "message_id": "consent-1",
    }
    assert shown["captured_at"] == "1970-01-01T00:00:00.000Z"
    assert shown["profile_id"] == "prf_" + "70" * 16


def test_both_shapes_extend_the_call() -> None:
    """So a new field of the call is in both; the consent of a person adds how far each statement counts."""
    fields = set(type(stating_call(STATED)).__struct_fields__)

    assert set(ConsentStatement.__struct_fields__) - fields == {
        "decisions",
        "signals",
        "class_",
        "grants_count_at",
    }
    assert set(ExportedStatement.__struct_fields__) - fields == {"category", "value", "message_id"}
