"""Values where data leaves for others: the destination reads with its own key."""

from app.commands.leak_scan.disclosures import plant_disclosures
from tests.support.integrity.request_recorder import PERSON, recording, unsent


def test_a_destination_is_set_up_and_reads_the_person() -> None:
    """A disclosure is there, so that an erasure has somebody to notify."""
    planter, recorder = recording()
    plant_disclosures(planter, PERSON)

    assert unsent(planter, recorder) == set()
    assert {
        ("PUT", "/v1/purposes"),
        ("POST", "/v1/consent"),
        ("PUT", "/v1/destinations/canary"),
        ("GET", "/v1/changes"),
        ("POST", "/v1/changes/ack"),
        ("GET", "/v1/destinations/canary/explain"),
    } <= recorder.routes
