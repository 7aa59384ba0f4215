"""Identifiers of a request are read under the rules in force, whichever process put them there a moment ago."""

from pathlib import Path

import pytest

from identity.operations.corrections.put_rules import put_rules
from identity.spaces.named_identifiers import find_identifier, read_identifiers, require_types
from identity.values.calls import Identifier
from identity.values.errors import BadIdentifier, ProfileNotFound
from identity.values.unknown_names import UnknownType
from tests.support.processes.writer_processes import Lab


async def test_rules_of_another_process_are_in_force_at_once(database: str, tmp_path: Path) -> None:
    """One process has just used the old rules; the other changes them; the first reads under the new ones."""
    lab = Lab(database, tmp_path)
    first, second = await lab.open(), await lab.open()
    try:
        space = await lab.space(first)
        with pytest.raises(BadIdentifier):
            await find_identifier(space, "phone:030 901820")
        with pytest.raises(UnknownType):
            await require_types(space, ["loyalty_card"])
        with pytest.raises(ProfileNotFound):
            await find_identifier(space, "loyalty_card:7")

        await put_rules(
            await second.get(space.tenant.id), {"region": "DE", "limits": {"loyalty_card": {"max": 3, "days": 7}}}, "x"
        )

        await require_types(space, ["loyalty_card"])
        assert await find_identifier(space, "loyalty_card:7") == Identifier("loyalty_card", "7")
        assert await read_identifiers(space, ["phone:030 901820"]) == [Identifier("phone", "+4930901820")]
    finally:
        await first.database.close()
        await second.database.close()
