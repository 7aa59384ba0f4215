"""Two server processes that write to one space at once."""

from tests.support.integrity.stored_rows import Stored
from tests.support.processes.writer_processes import Lab, Worker, run

WRITERS = 8
REFUSED = {"NotOneProfile", "LastIdentifier", "IdentifierNotFound", "TooManyCuts"}


class Race:
    """Two servers on one space."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.workers = [Worker(lab, writers=WRITERS // 2) for _ in range(2)]

    def space(self) -> int:
        """A new space."""

        async def make() -> int:
            spaces = await self.lab.open()
            try:
                return (await self.lab.space(spaces)).tenant.id
            finally:
                await spaces.database.close()

        return int(run(make()))

    def stored(self, space: int) -> Stored:
        """The stored rows of the space."""
        return Stored(self.lab.url, self.lab.keyring(), space)
