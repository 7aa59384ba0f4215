"""Background jobs of a space: rebuilding under the rules in force, simulating other rules, following both."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from msgspec import structs

from app.http.auth import ByAdmin, ByLister
from app.http.openapi import described, schema_of
from app.http.repeated_members import decode_document
from app.http.responses import Segment, answer
from app.schemas.jobs import RESULTS, JobStatus, RulesTrial, job_status, rules_trial
from app.schemas.rules import RulesDocument
from identity.operations.corrections import put_rules, simulate_rules
from identity.operations.spaces import record_read
from identity.values.enums import JobKind
from identity.values.errors import BadRules, JobNotFound
from identity.values.ids import private
from identity.values.not_ready import SimulationWaits

router = APIRouter(tags=["Jobs"])
MOST_WAIT = 30.0
PATIENCE = 20.0
Wait = Annotated[
    float, Query(ge=0, le=MOST_WAIT, description="Wait for the end of the job for at most so many seconds.")
]


@router.post("/v1/rules/rebuild", **described(JobStatus, status=202))
async def rebuild_profiles(visit: ByAdmin) -> Response:
    """Apply the rules in force to all stored calls, as a job; ingest continues meanwhile."""
    await record_read.note(visit.space, visit.caller.key_id, "rules.rebuild", None)
    return answer(
        job_status(await visit.onefold.jobs.ask(visit.space, JobKind.REBUILD, {"actor": visit.caller.key_number})), 202
    )


# `JobStatus.result` names these shapes.
for _shape in RESULTS.values():
    schema_of(_shape)
_TRIAL = described(RulesTrial, BadRules, SimulationWaits, takes=RulesDocument)
_TRIAL["responses"][202] = described(JobStatus)["responses"][200] | {
    "description": "The simulation takes longer than 20 seconds; follow this job."
}


@router.post("/v1/rules/simulate", **_TRIAL)
async def simulate_rule_set(visit: ByAdmin, request: Request) -> Response:
    """What other rules would change for all stored calls; 202 with the job after 20 seconds."""
    document = decode_document(await request.body())
    await put_rules.require_valid(visit.space, document)
    asked = await visit.onefold.jobs.ask(visit.space, JobKind.SIMULATE, {"document": document})
    report = await visit.onefold.jobs.follow(visit.space, asked.id, PATIENCE)
    if report.result is None:
        return answer(job_status(report), 202)
    return answer(rules_trial(await simulate_rules.name_examples(visit.space, report.result), report.id))


@router.get("/v1/jobs/{job_id}", **described(JobStatus, JobNotFound))
async def get_job(visit: ByLister, job_id: Segment, wait: Wait = 0) -> Response:
    """The status of a job, and its result."""
    report = await visit.onefold.jobs.follow(visit.space, private("job", job_id), wait)
    if report.kind == JobKind.SIMULATE and report.result is not None:
        named = await simulate_rules.name_examples(visit.space, report.result)
        report = structs.replace(report, result=msgspec.to_builtins(named))
    return answer(job_status(report))
