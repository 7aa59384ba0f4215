"""One name has one number in every process, and a space has a bounded number of types."""

from pathlib import Path

import pytest

from identity.spaces import identifier_types
from identity.spaces.identifier_types import IdentifierTypes
from identity.store.corrections import rules as stored_rules
from identity.values.identifiers import BUILT_IN
from tests.support.processes.writer_processes import Ingest, Lab, ingesting


def types_of(ingest: Ingest) -> IdentifierTypes:
    """The types as a process knows them that has read none yet."""
    space = ingest.space
    return IdentifierTypes(space.tenant.id, space.keys, space.database)


async def test_two_processes_give_a_name_one_number(database: str, tmp_path: Path) -> None:
    """A process that knew nothing of the type reads its number; no number has two names."""
    async with ingesting(Lab(database, tmp_path)) as ingest:
        one, other = types_of(ingest), types_of(ingest)
        await one.ensure({"crm", "shop"})
        await other.ensure({"shop", "loyalty"})
        await one.read()

        assert one.codes == other.codes
        assert len(set(one.codes.values())) == len(one.codes)
        assert sorted(one.names) == [*range(1, len(BUILT_IN) + 1), *range(stored_rules.FIRST_CODE, 67)]


async def test_a_space_has_a_bounded_number_of_types(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`possible` answers what `ensure` would do, and gives no number itself."""
    monkeypatch.setattr(stored_rules, "MOST_TYPES", 2)
    async with ingesting(Lab(database, tmp_path)) as ingest:
        types = types_of(ingest)
        possible = await types.possible({"email", "a1", "b1", "c1"})
        assert possible == {"email", "a1", "b1"}
        assert types.codes.keys() == set(BUILT_IN)

        await types.ensure({"email", "a1", "b1", "c1"})
        assert types.codes.keys() == set(BUILT_IN) | {"a1", "b1"}
        assert await types.possible({"b1", "c1"}) == {"b1"}


async def test_a_custom_type_that_becomes_built_in_keeps_its_number(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of both numbers read as the one name; new rows get the older number once the types are read."""
    async with ingesting(Lab(database, tmp_path)) as ingest:
        await types_of(ingest).ensure({"crm"})
        monkeypatch.setattr(identifier_types, "BUILT_IN", (*BUILT_IN, "crm"))
        types = types_of(ingest)
        before = types.codes["crm"]
        await types.read()

        assert (before, types.codes["crm"]) == (len(BUILT_IN) + 1, stored_rules.FIRST_CODE)
        assert [types.names[code] for code in (before, stored_rules.FIRST_CODE)] == ["crm", "crm"]
