"""Evidence is read by its origins, its stamps, its kinds, an identifier, or the ids of its origins."""

from operator import attrgetter

from identity.operations.profiles.find_profile import find
from identity.store.postgres.rows import EvidenceRow
from identity.store.profiles import evidence
from identity.values.enums import StoredKind
from identity.values.stamps import Stamp
from tests.support.database.known_people import ANN, BOB, visiting
from tests.support.processes.writer_processes import Lab

by_stamp = attrgetter("stamp")


def bare(found: list[EvidenceRow]) -> list[EvidenceRow]:
    """The same without payloads, by stamp."""
    return sorted((each._replace(payload=b"") for each in found), key=by_stamp)


async def test_the_evidence_of_origins_comes_by_stamp(people: Lab) -> None:
    """Of all kinds or some, sealed or without the payload."""
    async with visiting(people) as space, space.database.reading() as connection:
        ids = [each.id for each in (await find(space, ANN)).origins]
        found = await evidence.by_origins(connection, space.tenant, ids)
        groups = await evidence.by_origins(connection, space.tenant, ids, [StoredKind.GROUP])

        assert [each.stamp for each in found] == sorted(each.stamp for each in found)
        assert {each.origin for each in found} == set(ids)
        assert all(each.payload for each in found)
        assert groups == [each for each in found if each.kind == StoredKind.GROUP]
        assert len(groups) == 1
        assert await evidence.without_payload(connection, space.tenant, ids) == bare(found)


async def test_the_evidence_of_an_identifier_kept_or_demoted_it(people: Lab) -> None:
    """Ann's first call kept her address, Bob's second lost it."""
    async with visiting(people) as space, space.database.reading() as connection:
        key = space.keys.identifier("email", "ann@example.org")
        ann, bob = [[each.id for each in (await find(space, who)).origins] for who in (ANN, BOB)]
        kept = await evidence.with_identifier(connection, space.tenant, ann, key)
        lost = await evidence.with_identifier(connection, space.tenant, bob, key)

        assert [(each.kept.find(key) >= 0, each.demoted) for each in kept] == [(True, None)]
        assert [(each.kept.find(key) >= 0, (each.demoted or b"").find(key) >= 0) for each in lost] == [(False, True)]


async def test_evidence_is_found_at_its_origin_and_stamp_only(people: Lab) -> None:
    """The stamp of another origin finds none."""
    async with visiting(people) as space, space.database.reading() as connection:
        ann, bob = [[each.id for each in (await find(space, who)).origins] for who in (ANN, BOB)]
        first, *_ = await evidence.by_origins(connection, space.tenant, ann)

        assert await evidence.by_stamps(connection, space.tenant, [(first.origin, first.stamp)]) == [first]
        assert await evidence.by_stamps(connection, space.tenant, [(bob[0], first.stamp)]) == []
        assert await evidence.exists(connection, space.tenant, first.origin, first.stamp)
        assert not await evidence.exists(connection, space.tenant, first.origin, Stamp(first.stamp + 1))


async def test_the_evidence_of_a_space_is_found_by_kind_and_by_what_it_lost(people: Lab) -> None:
    """Two people named a group; one call lost an address."""
    async with visiting(people) as space, space.database.reading() as connection:
        (bob,) = [each.id for each in (await find(space, BOB)).origins]
        groups = await evidence.by_kinds(connection, space.tenant, [StoredKind.GROUP])
        (lost,) = await evidence.demoted_since(connection, space.tenant, Stamp(0))

        assert len(groups) == 2
        assert {each.kind for each in groups} == {StoredKind.GROUP}
        assert lost.origin == bob
        assert await evidence.demoted_since(connection, space.tenant, lost.stamp) == []
        assert await evidence.newest_demoted(connection, space.tenant, 1) == [(bob, lost.demoted)]


async def test_a_range_of_origins_has_all_their_evidence_with_its_keys(people: Lab) -> None:
    """The root comes with it, which is another origin where profiles merged."""
    async with visiting(people) as space, space.database.reading() as connection:
        origins = (await find(space, ANN)).origins
        ids = [each.id for each in origins]
        found = await evidence.by_range(connection, space.tenant, min(ids), max(ids))
        of_ann = [each for each in found if each[1].origin in ids]

        assert bare([row for _, row, _ in of_ann]) == bare(await evidence.by_origins(connection, space.tenant, ids))
        assert {root for root, _, _ in of_ann} == {each.root for each in origins}
        assert all(key.id == row.origin for _, row, key in found)
        assert await evidence.by_range(connection, space.tenant, bytes(16), bytes(16)) == []
