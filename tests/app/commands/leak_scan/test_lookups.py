"""Values in reads: every kind of identifier is asked for with every kind of key."""

from app.commands.leak_scan.lookups import plant_lookups
from tests.support.integrity.request_recorder import PERSON, recording, unsent


def test_a_person_is_read_by_every_identifier_and_with_every_key() -> None:
    """In paths, queries, headers and lists; no value stays unsent."""
    planter, recorder = recording()
    plant_lookups(planter, PERSON)

    assert unsent(planter, recorder) == set()
    for key in ("profiles", "admin", "privacy", "write"):
        for value in (PERSON.user, PERSON.anonymous, "zmail%40zdomain.example", "%2B4915"):
            assert f"('{key}', 'get', '/v1/profiles/" in recorder.sent
            assert value in recorder.sent
    assert ("POST", "/v1/profiles/lookup") in recorder.routes
