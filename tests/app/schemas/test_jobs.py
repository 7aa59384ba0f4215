"""The results of jobs: each kind has one, and the document lists their shapes."""

import json

import msgspec
import pytest

from app.http.openapi import document
from app.main import create_app
from app.schemas.jobs import RESULTS, job_status, rules_trial
from app.settings import Settings
from identity.operations.corrections.simulate_rules import SimulationExample, SimulationResult
from identity.operations.spaces.run_jobs import JobReport
from identity.values.enums import JobKind, JobState
from identity.values.ids import JobId

ID = JobId(b"j" * 16)
JOB = "job_" + ID.hex()


def test_every_kind_of_job_has_one_result_shape() -> None:
    """A new kind of job needs a shape."""
    assert RESULTS.keys() == set(JobKind)
    assert len(set(RESULTS.values())) == len(JobKind)


def test_the_document_lists_the_shape_of_every_result() -> None:
    """As one of several, each with its fields."""
    schemas = document(create_app(Settings()).api)["components"]["schemas"]
    named = [each["$ref"].rpartition("/")[2] for each in schemas["JobStatus"]["properties"]["result"]["anyOf"]]
    assert named == [shape.__name__ for shape in RESULTS.values()]
    assert all(set(schemas[shape.__name__]["properties"]) == set(shape.__struct_fields__) for shape in RESULTS.values())


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (JobReport(id=ID, kind=JobKind.REBUILD, state=JobState.QUEUED), {"state": "queued", "done": 0, "total": 0}),
        (
            JobReport(id=ID, kind=JobKind.REBUILD, state=JobState.RUNNING, done=1, total=2),
            {"state": "running", "done": 1, "total": 2},
        ),
        (
            JobReport(
                id=ID,
                kind=JobKind.EXPORT,
                state=JobState.DONE,
                done=2,
                total=2,
                result={"export_id": "exp_1", "profiles": 1},
            ),
            {"state": "done", "done": 2, "total": 2, "result": {"export_id": "exp_1", "profiles": 1}},
        ),
        (
            JobReport(
                id=ID, kind=JobKind.REBUILD, state=JobState.FAILED, done=1, total=2, result=None, error="internal"
            ),
            {"state": "failed", "done": 1, "total": 2, "error": "internal"},
        ),
    ],
)
def test_only_a_job_that_ended_has_a_result_or_an_error(report: JobReport, expected: dict[str, object]) -> None:
    """Neither field is there before."""
    assert json.loads(msgspec.json.encode(job_status(report))) == {"job_id": JOB, **expected}


def test_a_trial_is_the_result_of_a_simulation_with_the_id_of_its_job() -> None:
    """Every field of the result, and one more."""
    counts = dict.fromkeys(SimulationResult.__struct_fields__, 1)
    example = SimulationExample("split", "prf_1", [["user_id:u1"], ["user_id:u2"]])
    result = SimulationResult(**{**counts, "reasons": {"limit": 1}, "examples": [example]})  # type: ignore[arg-type]
    shown = msgspec.to_builtins(rules_trial(result, ID))
    assert shown == {**msgspec.to_builtins(result), "job_id": JOB}
