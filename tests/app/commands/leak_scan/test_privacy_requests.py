"""Values in the requests of people, as Onefold, Segment and OpenDSR write them."""

import pytest

from app.commands.leak_scan.privacy_requests import erase_people, plant_regulations, plant_requests
from identity.values.errors import DatabaseUnavailable
from tests.support.integrity.request_recorder import PERSON, Recorder, recording, unsent


def test_every_interface_carries_its_values() -> None:
    """Taken and in error."""
    planter, recorder = recording()
    plant_requests(planter, PERSON)
    plant_regulations(planter)

    assert unsent(planter, recorder) == set()
    assert {path for _, path in recorder.routes} >= {
        "/v1/erasures", "/v1/exports", "/v1/holds", "/v1/regulations", "/opendsr/v1/opendsr_requests",
    }  # fmt: skip


def test_a_callback_that_this_machine_cannot_reach_is_named() -> None:
    """Every other value has to be planted."""
    planter, recorder = recording()

    def refusing(*given: object, **more: object) -> tuple[int, bytes]:
        status, content = Recorder.__call__(recorder, *given, **more)  # type: ignore[arg-type]
        return (422 if "status_callback_urls" in repr(given) else status), content

    planter._ask = refusing  # type: ignore[assignment]
    plant_regulations(planter)
    assert planter.not_planted == ["callback address"]


def test_people_who_can_still_be_read_are_counted() -> None:
    """None where this version has no erasures."""
    planter, _ = recording()
    assert erase_people(planter, ["user_id:a", "user_id:b"]) == 2
    planter, recorder = recording()
    planter.must("profiles", "GET", "/v1/profiles/x")
    recorder.status = 404
    with pytest.raises(DatabaseUnavailable):
        erase_people(planter, ["user_id:a"])
