"""Sends calls through a Python SDK, run by the interpreter that has it. Prints what it believes.

Arguments: module of the SDK, host, write key, gzip (0 or 1), calls, a prefix, pause between calls.
"""

import importlib
import json
import sys
import time

USERS = 20


def main() -> None:
    """Every call of a user but the first is a track."""
    module, host, key, packed, calls, prefix, pause = sys.argv[1:]
    client_module = importlib.import_module(f"{module}.analytics.client")
    errors = []
    client = client_module.Client(
        key,
        host=host,
        gzip=packed == "1",
        upload_interval=0.2,
        on_error=lambda error, batch: errors.append(f"{type(error).__name__}: {error} ({len(batch)})"),
    )
    for at in range(int(calls)):
        user = f"{prefix}-{at % USERS}"
        if at < USERS:
            client.identify(user, {"email": f"{user}@example.org", "at": at, "when": None})
        else:
            client.track(user, "Thing Done", {"at": at}, anonymous_id=f"{user}-a")
        time.sleep(float(pause))
    client.flush()
    client.join()
    json.dump({"sent": int(calls), "errors": errors}, sys.stdout)


main()
