"""A start notices where a copy of one folder would outlive every erasure."""

import base64
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.server.key_layout import share_a_folder, warn_of_shared_folder
from app.settings import Settings


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, True),
        ({"key_store": Path("/keys")}, False),
        ({"database_url": "postgresql://localhost/d"}, True),
        ({"root_key": base64.b64encode(bytes(32)).decode()}, False),
        ({"root_key": base64.b64encode(bytes(32)).decode(), "key_store": Path("/keys")}, False),
        ({"key_store": Path("/data/more/keys")}, True),
    ],
)
def test_attack_188_one_folder_with_all_keys_is_noticed(given: dict[str, object], *, expected: bool) -> None:
    """A copy of it outlives every erasure: it holds the root key and the key store."""
    settings = Settings(**{"data_dir": Path("/data"), **given})  # type: ignore[arg-type]
    assert share_a_folder(settings) is expected
    with capture_logs() as lines:
        warn_of_shared_folder(settings)
    assert [line["event"] for line in lines] == ["keys.share_a_folder"] * expected
