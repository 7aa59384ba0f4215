"""The progress of a command is shown on a terminal only."""

from functools import partial

import pytest
from rich.console import Console

from app.commands import progress


@pytest.mark.parametrize("terminal", [True, False])
def test_each_step_has_a_line_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, terminal: bool
) -> None:
    """On standard error, so that output can be piped."""
    monkeypatch.setattr(progress, "Console", partial(Console, force_terminal=terminal))
    with progress.steps() as show:
        show("read", 1, 2)
        show("read", 2, 2)
        show("write", 0, 3)
    printed = capsys.readouterr()

    assert printed.out == ""
    assert ("read" in printed.err, "2/2" in printed.err, "0/3" in printed.err) == (terminal,) * 3
