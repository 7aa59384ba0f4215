"""A start of `onefold` from a shell of a test: a fork of the loaded program, with the streams of the caller.

Only the standard library is loaded here, so that a start from a shell costs next to nothing. The two arguments before
those of `onefold` are the number of the socket to the process that forks, and the function to start.
"""

import json
import os
import socket
import sys


def main() -> int:
    """Start the program and wait for its end; returns its exit status as a shell has it."""
    number, entry, *arguments = sys.argv[1:]
    folder = os.getcwd()  # noqa: PTH109 (a library less to load)
    request = {"entry": entry, "arguments": arguments, "environment": dict(os.environ), "folder": folder}
    read, report = os.pipe()
    with socket.socket(fileno=int(number)) as channel:
        socket.send_fds(channel, [json.dumps(request).encode()], [0, 1, 2, report])
    os.close(report)
    with os.fdopen(read) as reports:
        reports.readline()
        status = int(reports.readline())
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
