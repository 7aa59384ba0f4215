"""The files of an embedded Postgres."""

import os
import pwd
import re
from pathlib import Path

import psutil
import pytest

from identity.store.embedded import data_directory
from identity.store.embedded.data_directory import VERSION, Cluster, configure, ensure
from identity.values.errors import Misconfigured


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A cluster of this account in a folder with a quote in its name."""
    root = tmp_path / "it's here"
    root.mkdir()
    return Cluster(
        root=root, data=root / "postgres", logs=root / "logs", settings=root / "conf", output=root / "start.log",
        programs=root / "programs", runner=None,
    )  # fmt: skip


def settings(cluster: Cluster) -> dict[str, str]:
    """The settings as written, without comments."""
    text = configure(cluster, cluster.root / "sockets").read_text()
    return dict(re.findall(r"^(\w+) = (.*?)(?:\s+#.*)?$", text, re.MULTILINE))


def test_a_changed_file_of_settings_is_written_anew(cluster: Cluster) -> None:
    """So nobody weakens what an answer of 200 means; paths are quoted."""
    first = settings(cluster)
    (cluster.settings / "postgresql.conf").write_text("fsync = off\n")

    assert settings(cluster) == first
    assert [first[name] for name in ("fsync", "synchronous_commit", "full_page_writes", "listen_addresses")] == [
        "on", "on", "on", "''",
    ]  # fmt: skip
    assert first["data_directory"] == f"'{str(cluster.data).replace(chr(39), chr(39) * 2)}'"
    assert first["log_statement"] == "none"


def test_only_this_account_may_connect(cluster: Cluster) -> None:
    """As any role, by the socket."""
    settings(cluster)

    assert (cluster.settings / "ident.conf").read_text() == f'onefold "{pwd.getpwuid(os.geteuid()).pw_name}" all\n'
    assert all(" peer " in line for line in (cluster.settings / "hba.conf").read_text().splitlines())


@pytest.mark.parametrize(("limit", "buffers"), [("max", None), (str(1 << 30), "256MB"), (str(1 << 20), "64MB")])
def test_the_buffers_fit_the_memory_of_the_container(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, limit: str, buffers: str | None
) -> None:
    """A quarter of it, within bounds; without a limit that of the machine counts."""
    at = cluster.root / "memory.max"
    at.write_text(f"{limit}\n")
    monkeypatch.setattr(data_directory, "_CGROUP_LIMITS", (cluster.root / "none", at))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("", (), {"total": 64 << 30}))

    assert settings(cluster)["shared_buffers"] == (buffers or "2048MB")


def test_a_cluster_of_another_version_is_left_alone(cluster: Cluster) -> None:
    """One of this version too."""
    cluster.data.mkdir()
    (cluster.data / "PG_VERSION").write_text(f"{VERSION}\n")
    ensure(cluster)
    (cluster.data / "PG_VERSION").write_text("15\n")
    with pytest.raises(Misconfigured, match=f"PostgreSQL 15, this Onefold brings {VERSION}"):
        ensure(cluster)
    assert [each.name for each in cluster.data.iterdir()] == ["PG_VERSION"]
