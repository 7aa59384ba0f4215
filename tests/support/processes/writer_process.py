"""A process that ingests as a server does, driven over its standard input (see `lab`)."""

import asyncio
import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from app.schemas.profiles import canonical_profile
from identity.operations.corrections.put_rules import put_rules
from identity.operations.corrections.remove_identifier import remove_identifier
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.ingest.queue import IngestQueue
from identity.operations.ingest.request import IngestRequest
from identity.operations.keys import rotate_index_key
from identity.operations.keys.roll_epoch_keys import roll
from identity.operations.privacy.request_erasure import request_erasure
from identity.operations.profiles.read_profile import get_profile
from identity.operations.spaces.open_spaces import open_spaces
from identity.planning.privacy.privacy_requests import NewRequest
from identity.spaces import new_subject_keys, rekey_space
from identity.spaces.space import Spaces
from identity.store.corrections import rules
from identity.store.ingest import load
from identity.store.postgres import writer_connection
from identity.values.calls import Source
from identity.values.enums import Law, RequestInterface, RequestKind
from identity.values.errors import OnefoldError, ProfileNotFound
from identity.values.ids import SpaceNumber
from identity.values.stamps import Clock, Micros


class _Server:
    def __init__(self) -> None:
        self.spaces: Spaces
        self.queue: IngestQueue

    async def do(self, order: dict[str, Any]) -> Any:
        return await getattr(self, "do_" + order["do"])(order)

    async def do_open(self, order: dict[str, Any]) -> None:
        if "slots" in order:
            vars(new_subject_keys)["KEY_SLOTS"] = order["slots"]
        if "at_once" in order:
            vars(rekey_space)["AT_ONCE"] = order["at_once"]
        if "ahead" in order:
            ahead = order["ahead"] * 10**9
            vars(writer_connection)["Clock"] = partial(Clock, wall=lambda: time.time_ns() + ahead)
        if order.get("broken"):
            # Making slot keys without a hold on the gate: what the race of rolls has to notice.
            vars(load)["LOCK_SHARED"] = str(vars(load)["LOCK_SHARED"]).replace(" FOR SHARE", "")
            vars(load)["FAIR_SHARED"] = "SELECT set_config('onefold.space', $1::int4::text, true)"
        self.spaces = await open_spaces(
            order["url"], root_file=Path(order["root"]), root_value=None, key_store=Path(order["keys"])
        )
        self.queue = IngestQueue(self.spaces.database, writers=order.get("writers", 4))
        self.queue.start()

    async def do_send(self, order: dict[str, Any]) -> Any:
        return await asyncio.gather(*(self._task(order["space"], requests) for requests in order["tasks"]))

    async def _task(self, space_id: int, requests: list[dict[str, Any]]) -> list[Any]:
        space = await self.spaces.get(SpaceNumber(space_id))
        answers: list[Any] = []
        for sent in requests:
            source = Source(sent.get("source", 1), sent.get("server", True))
            try:
                request = IngestRequest(
                    sent["items"],
                    source=source,
                    received=Micros(time.time_ns() // 1000),
                    history=sent.get("history", True),
                )
                answers.append(msgspec.to_builtins(await self.queue.submit(space, request)))
            except OnefoldError as error:
                answers.append(type(error).__name__)
        return answers

    async def do_rules(self, order: dict[str, Any]) -> tuple[int, int] | None:
        """The stamp and number of the version that is in force; None for the rules that every space begins with."""
        space = await self.spaces.get(order["space"])
        version = (await put_rules(space, order["document"], "test")).version
        async with self.spaces.database.of_all_spaces.reading() as connection:
            changes = await rules.changes(connection, space.tenant.id)
        return next(((change.stamp, version) for change in changes if change.version == version), None)

    async def do_act(self, order: dict[str, Any]) -> Any:
        """The answer of an unmerge or a removal; the name of the error if it is refused."""
        space = await self.spaces.get(order["space"])
        who = Source(9, server=True)
        try:
            if order["act"] == "unmerge":
                done: Any = await unmerge_profile(space, order["named"], block=order["block"], source=who, actor="test")
            else:
                done = await remove_identifier(space, order["named"][0], block=order["block"], source=who, actor="test")
        except OnefoldError as error:
            return type(error).__name__
        return msgspec.to_builtins(done)

    async def do_erase(self, order: dict[str, Any]) -> Any:
        """The states of the erasures of a request; the name of the error where it is refused."""
        space = await self.spaces.get(order["space"])
        asked = NewRequest(
            front=RequestInterface.NATIVE,
            kind=RequestKind(order["kind"]),
            regulation=Law.NONE,
            identifiers=order["named"],
            actor="test",
            idempotency=order.get("again"),
        )
        try:
            return [each.state for each in (await request_erasure(space, asked)).erasures]
        except OnefoldError as error:
            return type(error).__name__

    async def do_roll(self, order: dict[str, Any]) -> int:
        space = await self.spaces.get(order["space"])
        rolls, end = 0, time.monotonic() + order["seconds"]
        while time.monotonic() < end:
            await roll(self.spaces, space)
            rolls += 1
        return rolls

    async def do_rotate(self, order: dict[str, Any]) -> dict[str, Any]:
        """A rotation of the index key, begun here or elsewhere, to its end."""

        async def quiet(_done: int, _total: int) -> None:
            await asyncio.sleep(order.get("pause", 0))

        space = await self.spaces.get(order["space"])
        if order.get("begin", True):
            await rotate_index_key.begin(self.spaces, space)
        rotated = await rotate_index_key.rotate(self.spaces, space, quiet)
        return structs.asdict(rotated)

    async def do_find(self, order: dict[str, Any]) -> list[bool]:
        """For each reference, whether a look-up finds a profile."""
        space = await self.spaces.get(order["space"])
        found = []
        for ref in order["refs"]:
            try:
                found.append(bool(await get_profile(space, ref)))
            except ProfileNotFound:
                found.append(False)
        return found

    async def do_read(self, order: dict[str, Any]) -> list[Any]:
        space = await self.spaces.get(order["space"])
        return [msgspec.to_builtins(canonical_profile(await get_profile(space, ref))) for ref in order["refs"]]

    async def do_stacks(self, _order: dict[str, Any]) -> list[str]:
        return [str(line) for task in asyncio.all_tasks() for line in task.get_stack()]

    async def do_close(self, _order: dict[str, Any]) -> None:
        await self.queue.close()
        await self.spaces.database.close()


async def _main() -> None:
    server, loop = _Server(), asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()
    # Whatever else is printed must not get between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr

    async def answer(order: dict[str, Any]) -> None:
        try:
            result: dict[str, Any] = {"ok": await server.do(order)}
        except Exception as error:  # noqa: BLE001 (the test gets every error)
            result = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps({"nr": order["nr"], **result}) + "\n")
        answers.flush()

    while line := await loop.run_in_executor(None, sys.stdin.readline):
        task = asyncio.create_task(answer(json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


def main() -> None:
    """Answer orders until the input ends."""
    asyncio.run(_main())


if __name__ == "__main__":
    main()
