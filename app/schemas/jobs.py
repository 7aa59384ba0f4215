"""The wire shapes of background jobs, and how values become them.

The result of a job is stored as JSON in the form that the API shows, so its struct is its shape.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from identity.operations.corrections.rebuild_profiles import RebuildResult
from identity.operations.corrections.simulate_rules import SimulationResult
from identity.operations.keys.rotate_index_key import IndexKeyState
from identity.operations.privacy.access_exports.build_export import BuiltExport
from identity.operations.spaces.run_jobs import JobReport
from identity.operations.warehouse.export_destination import ExportRun
from identity.values.enums import JobKind
from identity.values.ids import JobId, public

RESULTS: Final[Mapping[int, type[Struct]]] = {
    JobKind.REBUILD: RebuildResult,
    JobKind.SIMULATE: SimulationResult,
    JobKind.EXPORT: BuiltExport,
    JobKind.ROTATE: IndexKeyState,
    JobKind.WAREHOUSE: ExportRun,
}
"""The result of each kind of job."""
# A union of structs without a tag has no type in msgspec; the document gets it as it is.
_RESULT: Final = Meta(
    extra_json_schema={"anyOf": [{"$ref": f"#/components/schemas/{shape.__name__}"} for shape in RESULTS.values()]}
)


class JobStatus(Struct):
    """The progress of a background job: `done` of `total` steps.

    A job that is done has a `result`, a failed one the code of an `error`.
    """

    job_id: Annotated[str, Meta(examples=["job_0197c1a2b3c47d5e8f90a1b2c3d4e5f6"])]
    state: Literal["queued", "running", "done", "failed"]
    done: int
    total: int
    result: Annotated[Any, _RESULT] = UNSET
    error: str | UnsetType = UNSET


class RulesTrial(SimulationResult, frozen=True, kw_only=True):
    """What other rules would change for all stored calls. Identifiers are demoted call by call."""

    job_id: str


def job_status(value: JobReport) -> JobStatus:
    """The progress of a job as the API answers it."""
    return JobStatus(
        job_id=public("job", value.id),
        state=value.state.label,  # type: ignore[arg-type]  # the labels are the literals
        done=value.done,
        total=value.total,
        result=UNSET if value.result is None else msgspec.convert(value.result, RESULTS[value.kind]),
        error=UNSET if value.error is None else value.error,
    )


def rules_trial(value: SimulationResult, job_id: JobId) -> RulesTrial:
    """The result of a simulation, with the id of its job."""
    return RulesTrial(**structs.asdict(value), job_id=public("job", job_id))
