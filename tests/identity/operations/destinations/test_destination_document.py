"""The document of a destination is sealed under its id and version."""

import pytest

from identity.operations.destinations.destination_document import open_document, seal_document
from identity.planning.destinations.policy import StoredDestination
from identity.store.destinations.destinations import DestinationRow
from identity.values.errors import SealBroken
from identity.values.ids import DestinationId, DestinationNumber
from tests.support.database.known_people import visiting
from tests.support.processes.writer_processes import Lab

ONE, TWO = DestinationId(bytes(15) + b"\1"), DestinationId(bytes(15) + b"\2")


async def test_an_older_document_or_that_of_another_destination_does_not_open(people: Lab) -> None:
    """So nobody with access to the database gives a destination back what it lost."""
    async with visiting(people) as space:
        document = StoredDestination(secrets=[b"secret"])
        sealed = seal_document(space, ONE, 3, document)

        def row(id_: DestinationId, version: int) -> DestinationRow:
            return DestinationRow(DestinationNumber(1), id_, "crm", version, sealed)

        assert open_document(space, row(ONE, 3)).secrets == document.secrets
        assert b"secret" not in sealed
        for other in (row(ONE, 4), row(TWO, 3)):
            with pytest.raises(SealBroken):
                open_document(space, other)
