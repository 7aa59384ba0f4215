"""The planter keeps every refusal, and stops where a value could not be planted."""

import pytest

from identity.values.errors import DatabaseUnavailable
from tests.support.integrity.request_recorder import recording


def test_a_refusal_is_kept_with_the_part_of_its_path_that_is_no_value() -> None:
    """The report of a scan names the route, and never a planted value."""
    planter, _ = recording(400)
    planter.send("admin", "GET", f"/v1/profiles/user_id:{planter.new('user id')}")
    planter.send_raw("no http")

    assert [(each.request, each.status) for each in planter.refusals] == [
        ("GET /v1/profiles/u", 400),
        ("unreadable", 400),
    ]
    assert planter.accepted == 0


def test_a_value_that_must_be_planted_and_is_not_ends_the_scan() -> None:
    """One that may be refused is named instead."""
    planter, _ = recording(404)
    with pytest.raises(DatabaseUnavailable, match="status 404"):
        planter.must("write", "POST", "/v1/identify", {})
    planter.if_offered("OpenDSR", "privacy", "POST", "/opendsr", {})

    assert planter.not_planted == ["OpenDSR"]


def test_values_that_were_taken_are_counted() -> None:
    """Only those that were written."""
    planter, _ = recording()
    planter.must("write", "POST", "/v1/identify", {})
    planter.send("admin", "GET", "/v1/rules")

    assert (planter.accepted, planter.refusals) == (1, [])
