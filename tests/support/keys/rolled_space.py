"""A space of a few people whose keys a test rolls or rotates, and the check that every person is readable."""

from pathlib import Path

import pytest

from identity.operations.privacy.request_erasure import request_erasure
from identity.operations.profiles.read_profile import get_profile
from identity.planning.privacy.privacy_requests import NewRequest
from identity.store.embedded.server import EmbeddedPostgres
from identity.values.enums import Law, RequestInterface, RequestKind
from tests.support.processes.writer_processes import Ingest, Lab, ingesting, run

PEOPLE = 12


async def prepared(ingest: Ingest) -> None:
    """Sends some people and erases one of them."""
    await ingest.send(*({"type": "identify", "userId": f"u{n}", "traits": {"n": n}} for n in range(PEOPLE + 1)))
    asked = NewRequest(
        front=RequestInterface.NATIVE,
        kind=RequestKind.SUPPRESS_WITH_DELETE,
        regulation=Law.NONE,
        identifiers=[f"user_id:u{PEOPLE}"],
        actor="test",
    )
    await request_erasure(ingest.space, asked)


async def readable(ingest: Ingest) -> bool:
    """Checks that this process and a new one read every person but the erased one."""
    fresh = await ingest.lab.open()
    try:
        for space in (ingest.space, await fresh.get(ingest.space.tenant.id)):
            for number in range(PEOPLE):
                assert (await get_profile(space, f"user_id:u{number}")).traits == {"n": number}
    finally:
        await fresh.database.close()
    return True


@pytest.fixture
def folder(migrated_data: Path) -> Path:
    """A data directory with a space of a few people, one erased, and no server."""
    with EmbeddedPostgres(migrated_data) as postgres:
        lab = _Folder(postgres.url(), migrated_data)

        async def main() -> None:
            async with ingesting(lab) as ingest:
                await prepared(ingest)

        run(main())
    return migrated_data


class _Folder(Lab):
    """A lab on a data directory, its keys where a server has them."""

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(url, folder)
        self.root_file = folder / "root-key"
