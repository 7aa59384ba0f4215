"""Values in rules and corrections: each is sent, and a rebuild that does not end makes the scan void."""

import pytest

from app.commands.leak_scan.rules_and_corrections import plant_block, plant_corrections, plant_removal, plant_rules
from identity.values.errors import DatabaseUnavailable
from tests.support.integrity.request_recorder import PERSON, recording, unsent


def test_rules_and_corrections_carry_every_value() -> None:
    """Taken and in error."""
    planter, recorder = recording()
    plant_rules(planter, PERSON)
    plant_corrections(planter, PERSON)
    user, blocked = plant_removal(planter), plant_block(planter, PERSON)

    assert unsent(planter, recorder) == set()
    assert {user, blocked} <= planter.values.hashed
    assert {("PUT", "/v1/rules"), ("POST", "/v1/rules/rebuild"), ("POST", "/v1/profiles/unmerge")} <= recorder.routes


def test_a_refused_rule_ends_the_scan() -> None:
    """Its value would not be planted."""
    planter, _ = recording(503)
    with pytest.raises(DatabaseUnavailable, match="503"):
        plant_rules(planter, PERSON)
