"""The server over the stand-in application, as a program: what `onefold serve` is without Onefold behind the port."""

import os
import resource

from app import settings
from app.commands import serve
from app.commands.environment import report

STAND_IN = "tests.support.processes.stand_in_app:application"


def main() -> None:
    """Serve with the settings of the environment; STANDIN_FILES is the limits of open files, the soft one first."""
    if limits := os.environ.get("STANDIN_FILES"):
        soft, hard = map(int, limits.split(","))
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with report():
        serve.run(settings.load(), application=STAND_IN, migrate=lambda _: None)
