"""`onefold psql`: opens the database in psql, as the role that owns it."""

import signal
from collections.abc import Sequence

from app.commands.client_tools import tools_for
from app.settings import Settings
from identity.store.backup.client_tools import run_psql


def run(url: str, settings: Settings, arguments: Sequence[str]) -> int:
    """Run psql with this terminal; returns its exit status. Misconfigured without psql."""
    tools = tools_for(url, settings)
    # Ctrl-C ends a statement in psql; the embedded server has to outlive it.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return run_psql(url, tools, list(arguments))
    finally:
        signal.signal(signal.SIGINT, before)
