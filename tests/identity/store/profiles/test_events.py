"""The calls of a profile are read page by page, in either order, none twice and none left out."""

from identity.operations.profiles.find_profile import find
from identity.store.profiles.events import CallsPage, read_calls
from identity.values.stamps import Stamp
from tests.support.database.known_people import ANN, visiting
from tests.support.processes.writer_processes import Lab

START, END = Stamp(0), Stamp(2**63 - 1)


async def test_pages_of_one_row_show_what_one_page_shows(people: Lab) -> None:
    """Evidence and packed events together, in the order of their stamps; the last page has no cut."""
    async with visiting(people) as space, space.database.reading() as connection:
        ids = [each.id for each in (await find(space, ANN)).origins]

        async def read(above: Stamp, below: Stamp, most: int, *, ascending: bool) -> CallsPage:
            return await read_calls(
                connection, space.tenant, ids, above=above, below=below, most=most, ascending=ascending
            )

        whole = await read(START, END, 100, ascending=True)
        stamps = sorted(row.stamp for row in whole.rows)
        up, down = [], []
        above: Stamp | None = START
        below: Stamp | None = END
        while above is not None:
            page = await read(above, END, 1, ascending=True)
            up += [row.stamp for row in page.rows if row.stamp > above]
            above = page.cut
        while below is not None:
            page = await read(START, below, 1, ascending=False)
            down += [row.stamp for row in page.rows if page.cut is None or row.stamp >= page.cut]
            below = page.cut

        assert whole.cut is None
        assert {row.packed for row in whole.rows} == {False, True}
        assert len(stamps) == 6
        assert up == stamps
        assert down == stamps[::-1]
