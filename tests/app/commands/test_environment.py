"""What every command needs: settings, a database, and an end with one line."""

from pathlib import Path

import pytest

from app.commands.environment import existing_database, owner_url, read_settings, report
from identity.values.errors import Misconfigured


def test_an_option_names_the_data_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Relative to the directory of the call; without the option the environment names it."""
    monkeypatch.setenv("ONEFOLD_DATA_DIR", str(tmp_path / "named"))
    monkeypatch.chdir(tmp_path)

    assert read_settings(None).data_dir == tmp_path / "named"
    assert read_settings(Path("other")).data_dir == tmp_path / "other"


def test_a_database_of_ones_own_needs_no_data_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a database and without the directory there is nothing to open, and nothing is made."""
    monkeypatch.delenv("ONEFOLD_DATABASE_URL", raising=False)
    missing = tmp_path / "missing"
    with pytest.raises(Misconfigured, match="--data-dir"), existing_database(missing):
        pass
    assert not missing.exists()

    monkeypatch.setenv("ONEFOLD_DATABASE_URL", "postgresql://owner@localhost/onefold")
    with existing_database(missing) as (url, settings), owner_url(settings, alone=True) as again:
        assert url == again == "postgresql://owner@localhost/onefold"


def test_an_error_of_ours_ends_the_program_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Brackets in it are no markup. Any other error keeps its trace."""
    with pytest.raises(SystemExit) as end, report():
        raise Misconfigured("Set [the] name.")
    assert end.value.code == 1
    assert capsys.readouterr().err == "onefold: Set [the] name.\n"

    with pytest.raises(ZeroDivisionError), report():
        _ = 1 // 0
