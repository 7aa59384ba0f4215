"""The `onefold` command in a process of its own."""

import os
import subprocess

from tests.conftest import ONEFOLD, ROOT


def onefold(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run a command; returns its status, output and errors."""
    done = subprocess.run(
        [*ONEFOLD, *arguments], cwd=ROOT, env={**os.environ, **environment},
        text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr
