"""The scratch server of a leak scan, as a program of the tests: its temporary files are in the last argument."""

import os
import sys
import tempfile

from app.cli import main as onefold


def main() -> None:
    """Serve in a session of its own, as the command starts its scratch server."""
    os.setsid()
    tempfile.tempdir = sys.argv.pop()
    onefold()
