"""Sends calls through clients of a Python SDK, run by the interpreter that has it. Prints what each client believes.

Arguments: module of the SDK, and in JSON the jobs, each [host, write key, calls, gzip, prefix, pause between calls].
Every job has a client of its own, and all send at once.
"""

import importlib
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

USERS = 20


def drive(
    module: Any,
    host: str,
    key: str,
    calls: int,
    packed: bool,  # noqa: FBT001
    prefix: str,
    pause: float,
) -> dict[str, Any]:
    """Every call of a user but the first is a track."""
    errors: list[str] = []
    client = module.Client(
        key,
        host=host,
        gzip=packed,
        upload_interval=0.2,
        on_error=lambda error, batch: errors.append(f"{type(error).__name__}: {error} ({len(batch)})"),
    )
    for at in range(calls):
        user = f"{prefix}-{at % USERS}"
        if at < USERS:
            client.identify(user, {"email": f"{user}@example.org", "at": at, "when": None})
        else:
            client.track(user, "Thing Done", {"at": at}, anonymous_id=f"{user}-a")
        time.sleep(pause)
    client.flush()
    client.join()
    return {"sent": calls, "errors": errors}


def main() -> None:
    """Prints the reports in the order of the jobs."""
    name, jobs = sys.argv[1], json.loads(sys.argv[2])
    module = importlib.import_module(f"{name}.analytics.client")
    with ThreadPoolExecutor(len(jobs)) as pool:
        json.dump(list(pool.map(lambda job: drive(module, *job), jobs)), sys.stdout)


main()
