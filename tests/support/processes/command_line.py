"""The `onefold` command in a process of its own."""

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryFile

from tests.conftest import ROOT
from tests.support.processes.forked_program import CAN_FORK, ONEFOLD_ENTRY, ForkedProgram, command_of


def onefold(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run a command in the checkout; returns its status, output and errors."""
    return onefold_in(ROOT, *arguments, **environment)


def onefold_in(folder: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run a command in a folder; returns its status, output and errors."""
    return run_entry(ONEFOLD_ENTRY, folder, *arguments, **environment)


def run_entry(entry: str, folder: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run the function `entry`, written `module:name`, as a program; returns its status, output and errors."""
    whole = {**os.environ, **environment}
    if not CAN_FORK:
        done = subprocess.run(
            [*command_of(entry), *arguments], cwd=folder, env=whole,
            text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr
    with TemporaryFile() as output, TemporaryFile() as errors:
        status = ForkedProgram(arguments, whole, folder, entry=entry, output=output, errors=errors).wait()
        output.seek(0)
        errors.seek(0)
        return status, output.read().decode(), errors.read().decode()
