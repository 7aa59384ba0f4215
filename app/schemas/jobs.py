"""Simulated rules."""

from typing import Any

from msgspec import Struct


class RulesTrial(Struct):
    """What other rules would change for all stored calls. Identifiers are demoted call by call."""

    job_id: str
    profiles_before: int
    profiles_after: int
    profiles_split: int
    profiles_joined: int
    identifiers_lost: int
    identifiers_gained: int
    identifiers_demoted: int
    demotions_lifted: int
    calls_unresolved: int
    reasons: dict[str, int]
    examples: list[dict[str, Any]]
