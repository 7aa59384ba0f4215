"""People are planted through every collection route, with identifiers of every kind."""

from app.commands.leak_scan.people import plant_merges, plant_person, plant_race
from identity.values.calls import KINDS
from tests.support.integrity.request_recorder import PERSON, recording, unsent


def test_a_person_is_sent_through_every_collection_route() -> None:
    """Every identifier is searched as a hash too."""
    planter, recorder = recording()
    person = plant_person(planter)

    assert unsent(planter, recorder) == set()
    assert {path for _, path in recorder.routes} == {f"/v1/{kind}" for kind in KINDS}
    assert {person.user, person.anonymous, person.email, person.phone, person.group} <= planter.values.hashed


def test_merges_come_in_batches_of_a_server_and_of_a_browser() -> None:
    """The packed body is the one that cannot be read here."""
    planter, recorder = recording()
    plant_merges(planter, PERSON, PERSON)

    assert unsent(planter, recorder) == {"packed event"}
    assert {path for _, path in recorder.routes} == {"/v1/batch", "/v1/import", "/v1/track"}


def test_the_same_new_people_come_from_many_connections() -> None:
    """So that their unique keys collide."""
    planter, recorder = recording()
    plant_race(planter)

    assert unsent(planter, recorder) == set()
    assert planter.accepted == 96
