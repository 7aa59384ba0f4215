"""Opens Onefold's own keys for rivals that write or read the same rows."""

import os
from pathlib import Path

from app.settings import ROOT_KEY_FILE
from identity.operations.spaces.open_spaces import open_spaces
from identity.spaces.space import Space, Spaces
from identity.values.ids import SpaceNumber


async def spaces() -> Spaces:
    """Open the spaces of the database that the environment names."""
    folder = Path(os.environ["BENCH_DATA_DIR"])
    return await open_spaces(
        os.environ["BENCH_URL"],
        root_file=folder / ROOT_KEY_FILE,
        root_value=None,
        key_store=folder / "keys",
        readers=1,
    )


async def only_space(opened: Spaces) -> Space:
    """Return the one space of a benchmark."""
    return await opened.get(SpaceNumber(1))
