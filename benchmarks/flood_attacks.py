"""The floods of `benchmarks.flood`, each in a process of its own, from an address of its own.

`python -m benchmarks.flood_attacks NAME PORT SECONDS KEYS` attacks a server for so many seconds and prints how often
each answer came, as JSON. An answer that no bound and no success explains ends the run with an error.
"""

import asyncio
import gzip
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import httpx

# Loopback has many addresses on Linux: the bounds of one address are those of the attacker alone.
ADDRESS: Final = "127.0.0.2"
WHALE: Final = "user_id:whale"
IDENTIFIERS: Final = 58_741
SIMULATIONS: Final = 60
POLLS: Final = 900
CONNECTIONS: Final = 4_000
# 812 bytes of gzip, in steps of 0.7 s: 1,150 bytes a second.
FLOATS: Final = gzip.compress(b'{"batch":[' + b",".join([b"1e308"] * 85_000) + b"]}", 9)
PHONES: Final = gzip.compress(
    json.dumps(
        {
            "batch": [
                {
                    "type": "track",
                    "event": "E",
                    "userId": f"p{call}",
                    "context": {"externalIds": [{"type": "phone", "id": "+" * 240 + str(at)} for at in range(99)]},
                }
                for call in range(14)
            ]
        }
    ).encode(),
    9,
)


class Attack:
    """A running attack: its client, the keys of its space, and the answers so far."""

    def __init__(self, client: httpx.AsyncClient, port: int, keys: Mapping[str, str], seconds: float) -> None:
        self.client = client
        self.port = port
        self.keys = keys
        self.until = time.monotonic() + seconds
        self.answers: Counter[str] = Counter()

    def goes_on(self) -> bool:
        """Whether time is left."""
        return time.monotonic() < self.until

    def count(self, answer: httpx.Response, *allowed: int) -> None:
        """Count an answer. ValueError for one that nothing explains."""
        self.answers[str(answer.status_code)] += 1
        if answer.status_code not in allowed:
            raise ValueError(f"{answer.status_code}: {answer.text[:300]}")

    def by(self, key: str) -> dict[str, str]:
        """The header with a key of the space."""
        return {"Authorization": f"Bearer {self.keys[key]}"}


async def no_key(attack: Attack) -> None:
    """Send floats without a key, 1,150 bytes a second."""
    while attack.goes_on():
        sent = attack.client.post("/v1/batch", content=FLOATS, headers={"Content-Encoding": "gzip"})
        answer, _ = await asyncio.gather(sent, asyncio.sleep(0.7))
        attack.count(answer, 400, 401, 429)


async def phones(attack: Attack) -> None:
    """Send a batch of 5 kB a second with a public key."""
    headers = {**attack.by("write"), "Content-Encoding": "gzip"}
    while attack.goes_on():
        answer, _ = await asyncio.gather(
            attack.client.post("/v1/batch", content=PHONES, headers=headers), asyncio.sleep(1)
        )
        attack.count(answer, 200, 400, 429)


async def whale(attack: Attack) -> None:
    """Read a profile of 58,741 identifiers, and look it up by 40 of them, one request after the other."""
    refs = {"identifiers": [f"crm:c{at}" for at in range(40)]}
    while attack.goes_on():
        answer = await attack.client.get(f"/v1/profiles/{WHALE}", headers=attack.by("profiles"))
        attack.count(answer, 200)
        found = answer.json()
        if found.get("identifiers_total", len(found["identifiers"])) != IDENTIFIERS:
            raise ValueError("the profile lacks identifiers")
        looked_up = await attack.client.post("/v1/profiles/lookup", json=refs, headers=attack.by("profiles"))
        attack.count(looked_up, 200, 413)


async def erase(attack: Attack) -> None:
    """Erase the profile of 58,741 identifiers."""
    wanted = {"identifiers": [WHALE], "regulation": "gdpr"}
    answer = await attack.client.post("/v1/erasures", json=wanted, headers=attack.by("privacy"))
    attack.count(answer, 200, 201, 202)
    while True:
        read = await attack.client.get(f"/v1/profiles/{WHALE}", headers=attack.by("profiles"))
        attack.count(read, 200, 404)
        if read.status_code == 404:
            break
        await asyncio.sleep(0.05)
    await asyncio.sleep(max(0, attack.until - time.monotonic()))


async def simulations(attack: Attack) -> None:
    """Ask for 60 simulations of one space."""

    async def ask(number: int) -> None:
        rules = {"limits": {"email": {"max": number + 1}}}
        answer = await attack.client.post("/v1/rules/simulate", json=rules, headers=attack.by("admin"))
        attack.count(answer, 200, 202, 429)

    await asyncio.gather(*(ask(number) for number in range(SIMULATIONS)))
    await asyncio.sleep(max(0, attack.until - time.monotonic()))


async def polls(attack: Attack) -> None:
    """Wait for changes in 900 requests of one key of a destination."""

    async def wait() -> None:
        answer = await attack.client.get(
            "/v1/changes", params={"cursor": cursor, "wait": 30}, headers=attack.by("mail")
        )
        attack.count(answer, 200, 429)

    first = await attack.client.get("/v1/changes", headers=attack.by("mail"))
    attack.count(first, 200)
    cursor = first.json()["cursor"]
    waiting = [asyncio.create_task(wait()) for _ in range(POLLS)]
    await asyncio.sleep(attack.until - time.monotonic())
    for each in waiting:
        if each.done():
            each.result()
        else:
            attack.answers["waits"] += 1
            each.cancel()


async def connections(attack: Attack) -> None:
    """Hold 4,000 connections that send nothing, and open those again that the server closes."""

    async def hold() -> None:
        while attack.goes_on():
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", attack.port, local_addr=(ADDRESS, 0))
            except OSError:
                attack.answers["refused"] += 1
                await asyncio.sleep(0.5)
                continue
            attack.answers["opened"] += 1
            try:
                await asyncio.wait_for(reader.read(), max(0.1, attack.until - time.monotonic()))
                attack.answers["closed by the server"] += 1
                await asyncio.sleep(0.5)
            except (TimeoutError, OSError):
                pass
            writer.close()

    await asyncio.gather(*(hold() for _ in range(CONNECTIONS)))


ATTACKS: Final[Mapping[str, Callable[[Attack], Awaitable[None]]]] = {
    "no_key": no_key,
    "phones": phones,
    "whale": whale,
    "simulations": simulations,
    "polls": polls,
    "connections": connections,
    "erase": erase,
}


async def _run(name: str, port: int, seconds: float, keys: Mapping[str, str]) -> dict[str, int]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        timeout=120,
        transport=httpx.AsyncHTTPTransport(local_address=ADDRESS, limits=limits),
    ) as client:
        attack = Attack(client, port, keys, seconds)
        await ATTACKS[name](attack)
        return dict(attack.answers)


def main() -> None:
    """Attack, and print the answers."""
    name, port, seconds, keys = sys.argv[1:]
    sys.stdout.write(json.dumps(asyncio.run(_run(name, int(port), float(seconds), json.loads(keys)))))


if __name__ == "__main__":
    main()
