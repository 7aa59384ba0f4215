"""The wire shapes of consent: recorded decisions, and what a person had decided at a time."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from app.schemas.native import ProfileId, Time


class Decisions(Struct):
    """What somebody decided, by category; `evidence` is kept sealed with it. Without a time it was now."""

    identifier: Annotated[str, Meta(examples=["email:ann@example.com"])]
    decisions: dict[str, bool] = {}
    captured_at: str | None = None
    jurisdiction: Annotated[str | None, Meta(examples=["DE", "US-CA"])] = None
    minor: bool | None = None
    evidence: Any = None


class Recorded(Struct):
    """What was recorded; `evidence_id` names it."""

    profile_id: ProfileId
    evidence_id: str
    captured_at: Time
    decisions: dict[str, bool]


class CategoryAnswer(Struct):
    """The answer for a category and the evidence it rests on."""

    value: bool
    conflict: bool
    captured_at: Time
    evidence_ids: list[str]


class PurposeAnswer(Struct):
    """Whether a purpose may be served, why, and until when; `partly`: only with some of what is known."""

    granted: bool
    reason: str
    partly: bool
    until: Time | None


class ConsentStatement(Struct):
    """A call that said something of consent; `signal_sources` by which signals, as `gpc` or `tcf`."""

    evidence_id: str
    type: str
    profile_id: ProfileId
    captured_at: Time
    received_at: Time
    source: str | None
    server_side: bool
    decisions: dict[str, bool]
    signals: dict[str, Any]
    signal_sources: list[str]
    invalid_signals: list[str]
    jurisdiction: str | None
    evidence: Any


class ConsentAt(Struct):
    """What a person had decided at a time, what that permitted, and every statement up to then."""

    profile_id: ProfileId
    at: Time
    consent: dict[str, CategoryAnswer]
    purposes: dict[str, PurposeAnswer]
    history: list[ConsentStatement]
