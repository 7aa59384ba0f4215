"""The metrics: counted by constants only, and complete while workers come and go."""

import os
from pathlib import Path

import pytest

from app.server import metrics
from app.server.metrics import Metrics
from identity.values.calls import Outcome


def counted(made: Metrics, *outcomes: Outcome) -> str:
    """The text after these outcomes of a request."""
    made.count_outcomes(outcomes)
    return made.text().decode()


def test_no_label_holds_a_name_of_the_customer() -> None:
    """An identifier type may name an employer or an illness."""
    text = counted(
        Metrics(),
        Outcome("m", "accepted", merged=["prf_1"], demoted=[{"identifier": "clinic:7", "reason": "limit:clinic"}]),
        Outcome("m", "rejected", reason="bad_type"),
        Outcome("m", "accepted", invalid_signals=["gcm:clinic"], ignored_traits=["clinic"], mended_values=2),
    )

    assert "clinic" not in text
    for line in (
        'onefold_calls_total{status="accepted"} 2.0',
        'onefold_rejected_calls_total{code="bad_type"} 1.0',
        'onefold_demotions_total{reason="limit"} 1.0',
        'onefold_invalid_signals_total{source="gcm"} 1.0',
        "onefold_merges_total 1.0",
        "onefold_ignored_traits_total 1.0",
        "onefold_mended_values_total 2.0",
        "onefold_request_calls_count 1.0",
    ):
        assert line in text


@pytest.mark.parametrize("refusal", [ProcessLookupError, PermissionError])
def test_the_gauges_of_a_worker_that_is_gone_are_left_out(
    refusal: type[OSError], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where another account has a process of that number by now."""
    (tmp_path / "gauge_liveall_4242.db").write_bytes(b"")
    (tmp_path / f"gauge_liveall_{os.getpid()}.db").write_bytes(b"")

    def kill(pid: int, _signal: int) -> None:
        if pid == 4242:
            raise refusal

    monkeypatch.setattr(os, "kill", kill)
    metrics._forget_dead(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == [f"gauge_liveall_{os.getpid()}.db"]


def test_two_workers_may_leave_out_the_same_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is gone under the feet of the second."""
    (tmp_path / "gauge_liveall_4242.db").write_bytes(b"")

    def removed(pid: int, folder: str) -> None:
        for _ in range(2):
            (Path(folder) / f"gauge_liveall_{pid}.db").unlink()

    def kill(_pid: int, _signal: int) -> None:
        raise ProcessLookupError

    monkeypatch.setattr(os, "kill", kill)
    monkeypatch.setattr(metrics, "mark_process_dead", removed)
    metrics._forget_dead(tmp_path)

    assert list(tmp_path.iterdir()) == []
