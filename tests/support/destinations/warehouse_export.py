"""A destination's export beside the shared server, and its files as a warehouse reads them."""

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from app.settings import Settings
from identity.operations.destinations.feed_export import export_steps
from identity.operations.spaces import open_spaces
from identity.operations.warehouse.export_destination import ExportRun, export_destination
from identity.operations.warehouse.export_folder import Folder
from identity.store.spaces import spaces_and_keys
from identity.values.ids import SpaceId, private
from tests.app.conftest import Shop
from tests.conftest import ROOT, Running

if TYPE_CHECKING:
    # A process that reads no export does not load it.
    import duckdb

DOCUMENT = (ROOT / "docs" / "warehouse.md").read_text()
VIEWS, PLANS = re.findall(r"```sql\n(.*?)```", DOCUMENT, re.DOTALL)


class Warehouse:
    """A destination of a space that is exported into a directory."""

    def __init__(self, running: Running, database: str, shop: Shop, folder: Path, name: str = "warehouse") -> None:
        self.folder, self.shop, self.name = folder, shop, name
        self._runner = asyncio.Runner()
        self._runner.run(self._open(running, database))
        self.put(purposes=["Marketing"], traits=["*"], identifiers=["*"])

    def put(self, **entitled: Any) -> None:
        """Changes what it may see."""
        made = self.shop.ask("PUT", f"/v1/destinations/{self.name}", json=entitled).json()
        self.id = made["destination_id"]
        self.shop.keys.setdefault(self.name, made.get("secret"))

    def run(self, steps: Any = export_steps, **given: Any) -> ExportRun:
        """The next run."""

        async def progress(done: int, total: int) -> None:
            assert done <= total

        return self._runner.run(export_destination(self._space, self.id, Folder(self.folder), steps, progress, **given))

    async def _open(self, running: Running, database: str) -> None:
        settings = Settings(data_dir=running.data_dir)
        self._spaces = await open_spaces.open_spaces(
            database, root_file=settings.root_key_file, root_value=None, key_store=settings.key_folder, readers=2
        )
        async with self._spaces.database.of_all_spaces.reading() as connection:
            row = await spaces_and_keys.find_public_space(
                connection, private("spc", self.shop.space_id) or SpaceId(b"")
            )
        self._space = await self._spaces.get(row.id)

    def close(self) -> None:
        """Lets go of the database."""
        self._runner.run(self._spaces.database.close())
        self._runner.close()

    def read(self) -> "duckdb.DuckDBPyConnection":
        """Its files, with the views of the documentation."""
        import duckdb

        connection = duckdb.connect()
        connection.execute(VIEWS.replace("exports/", f"{self.folder}/"))
        return connection

    def standing(self) -> dict[str, Any]:
        """By canonical profile what the files say, of the materialised tables; the others have to agree."""
        with self.read() as connection:
            found: dict[str, Any] = {}
            for id_, packed in connection.execute("SELECT * FROM profile_traits").fetchall():
                found[id_] = {"traits": msgspec.json.decode(packed), "identifiers": []}
            for id_, type_, value in connection.execute("SELECT * FROM identifiers").fetchall():
                found[id_]["identifiers"].append((type_, value))
            raw = connection.execute(
                """
                SELECT g.canonical_segment_id, m.external_id_type, m.external_id_value
                FROM external_id_mapping m JOIN id_graph g USING (segment_id) ORDER BY ALL
                """
            ).fetchall()
            assert raw == sorted((id_, *each) for id_, profile in found.items() for each in profile["identifiers"])
            cells = connection.execute("SELECT * FROM traits ORDER BY ALL").fetchall()
            assert cells == sorted(
                (id_, name, value if isinstance(value, str) else msgspec.json.encode(value).decode())
                for id_, profile in found.items()
                for name, value in profile["traits"].items()
            )
            graph = dict(connection.execute("SELECT * FROM id_graph").fetchall())
            assert {id_ for id_, canonical in graph.items() if id_ == canonical} == found.keys()
            assert {(to, id_) for id_, to in graph.items() if to != id_} == set(
                connection.execute("SELECT * FROM merges").fetchall()
            )
            self.graph = graph
        return {id_: {**profile, "identifiers": sorted(profile["identifiers"])} for id_, profile in found.items()}

    def shown(self) -> dict[str, Any]:
        """By canonical profile what the destination is shown of everybody now."""
        ids = [each["profile_id"] for each in self.shop.ask("GET", "/v1/profiles?limit=1000").json()["profiles"]]
        found = {}
        if ids:
            asked = {"identifiers": ids}
            answer = self.shop.ask("POST", "/v1/destination/profiles/lookup", self.name, json=asked)
            assert answer.status_code == 200, answer.text
            for id_, seen in answer.json()["profiles"].items():
                if seen is not None and seen["consent"] == "granted":
                    identifiers = sorted((each["type"], each["value"]) for each in seen["identifiers"])
                    found[id_] = {"traits": seen["traits"], "identifiers": identifiers}
        return found

    def agrees(self) -> None:
        """The files say what the destination is shown, and every id in their graph leads there too."""
        assert self.standing() == self.shown()
        asked = {"identifiers": sorted(self.graph) or ["prf_" + "0" * 32]}
        answer = self.shop.ask("POST", "/v1/destination/profiles/lookup", self.name, json=asked).json()
        leads = {id_: seen["profile_id"] for id_, seen in answer["profiles"].items() if seen is not None}
        assert leads == self.graph
