"""Settings are complete, checked before use, and silent about what they hold."""

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import patch

import pytest

from app import settings as configuration
from app.settings import Settings
from identity.values.errors import Misconfigured

TOKEN = "a-token-of-some-length"
KEY = base64.b64encode(bytes(range(32))).decode()


def load(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment that holds this and nothing else."""
    with patch.dict(os.environ, environment, clear=True):
        return configuration.load()


def test_defaults() -> None:
    """An empty environment is a complete configuration."""
    settings = load({})

    assert (settings.host, settings.port, settings.workers, settings.database_url) == (
        "127.0.0.1",
        8000,
        1,
        None,
    )
    assert settings.data_dir == Path.cwd() / "onefold-data"


def test_empty_is_unset() -> None:
    """A variable that is set to nothing counts as not set."""
    assert load({"ONEFOLD_PORT": "", "ONEFOLD_ADMIN_TOKEN": ""}) == load({})


def test_everything_read() -> None:
    """Each variable reaches its field."""
    settings = load(
        {
            "ONEFOLD_ADMIN_TOKEN": TOKEN,
            "ONEFOLD_ROOT_KEY": KEY,
            "ONEFOLD_DATA_DIR": "/d",
            "ONEFOLD_WORKERS": "3",
        }
    )

    assert settings.admin_token
    assert (settings.admin_token.get_secret_value(), settings.root_value, settings.workers) == (TOKEN, KEY, 3)
    assert (settings.key_folder, settings.root_key_file) == (Path("/d/keys"), Path("/d/root-key"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ONEFOLD_PORT", "99999"),
        ("ONEFOLD_PORT", "http"),
        ("ONEFOLD_WORKERS", "0"),
        ("ONEFOLD_WORKERS", "-1"),
        ("ONEFOLD_QUEUE_CALLS", "1e3"),
        ("ONEFOLD_EVENT_RETENTION_DAYS", "٣"),
        ("ONEFOLD_HOST", "http://planted"),
        ("ONEFOLD_LOG_LEVEL", "planted"),
        ("ONEFOLD_DATABASE_URL", "mysql://planted"),
        ("ONEFOLD_ADMIN_TOKEN", "planted"),
        ("ONEFOLD_ADMIN_TOKEN", "planted with some spaces"),
        ("ONEFOLD_ROOT_KEY", "planted"),
        ("ONEFOLD_ROOT_KEY", base64.b64encode(b"planted").decode()),
        ("ONEFOLD_DATA_DIR", "  "),
        ("ONEFOLD_PUBLIC_URL", "planted.example"),
        ("ONEFOLD_CALLBACK_NETWORKS", "10.1.0.0/16,planted"),
        ("ONEFOLD_CALLBACK_NETWORKS", "10.1.2.3/16"),
        ("ONEFOLD_CALLBACK_PORTS", "8443,planted"),
        ("ONEFOLD_CALLBACK_PORTS", "0"),
    ],
)
def test_bad_value(name: str, value: str) -> None:
    """A bad value is refused by the name of its variable, and is not repeated."""
    with pytest.raises(Misconfigured, match=name) as refused:
        load({name: value})

    assert value not in str(refused.value).replace(name, "")


def test_a_refusal_says_what_the_value_must_be() -> None:
    """The message of a refusal is what to put in place of the value."""
    with pytest.raises(Misconfigured, match=r"^ONEFOLD_PORT must be a whole number from 0 to 65535\.$"):
        load({"ONEFOLD_PORT": "http"})


def test_a_null_byte_in_a_path_is_refused() -> None:
    """No operating system knows such a path; no environment can hold one, but an argument can."""
    with pytest.raises(ValueError, match="data_dir"):
        Settings(data_dir=Path("\0"))


def test_only_variables_of_this_spelling_are_read() -> None:
    """A variable named like a field, or in lower case, sets nothing."""
    assert load({"port": "1", "PORT": "1"}) == load({})
    with pytest.raises(Misconfigured, match="ONEFOLD_port is not a setting"):
        load({"ONEFOLD_port": "1"})


def test_arguments_come_before_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the program sets itself is not overridden by the environment."""
    monkeypatch.setenv("ONEFOLD_PORT", "1")

    assert Settings(port=2).port == 2


def test_misspelt() -> None:
    """A variable that means nothing is refused: it is a misspelt one."""
    with pytest.raises(Misconfigured, match="ONEFOLD_ADMIN_TOKN is not a setting"):
        load({"ONEFOLD_ADMIN_TOKN": TOKEN})


def test_repr_holds_no_secret() -> None:
    """Neither the token nor the root key nor the database's password shows in the repr."""
    shown = repr(
        load(
            {
                "ONEFOLD_ADMIN_TOKEN": TOKEN,
                "ONEFOLD_ROOT_KEY": KEY,
                "ONEFOLD_DATABASE_URL": "postgresql://u:pw@h/d",
            }
        )
    )

    assert [secret in shown for secret in (TOKEN, KEY, "pw@", repr(bytes(range(32))))] == [False] * 4


def test_published_settings_load_again() -> None:
    """What the supervisor publishes is what its workers load."""
    settings = load(
        {
            "ONEFOLD_ADMIN_TOKEN": TOKEN,
            "ONEFOLD_ROOT_KEY": KEY,
            "ONEFOLD_PORT": "9",
            "ONEFOLD_KEY_STORE": "/k",
            "ONEFOLD_CALLBACK_NETWORKS": "10.1.0.0/16, fd00::/8",
            "ONEFOLD_CALLBACK_PORTS": "8443, 9443",
        }
    )
    with patch.dict(os.environ, {"ONEFOLD_PUBLIC_URL": "https://of.another.start"}, clear=True):
        settings.publish()

        assert configuration.load() == settings


def test_operator_token_of_another_start(tmp_path: Path) -> None:
    """The operator token is made once and then found."""
    settings = Settings(data_dir=tmp_path / "new" / "data")

    assert settings.with_admin_token() == settings.with_admin_token()


def test_damaged_operator_token(tmp_path: Path) -> None:
    """A token file that is empty is an error, not an open door."""
    (tmp_path / configuration.TOKEN_FILE).write_text("\n")
    with pytest.raises(Misconfigured, match="admin-token"):
        Settings(data_dir=tmp_path).with_admin_token()


@pytest.mark.parametrize("below", ["", "below"])
def test_a_data_directory_that_is_a_file_is_named(tmp_path: Path, below: str) -> None:
    """The operator token, which comes first, is not to blame."""
    (tmp_path / "file").touch()
    with pytest.raises(Misconfigured, match=r"file.* is no directory"):
        Settings(data_dir=tmp_path / "file" / below).with_admin_token()
