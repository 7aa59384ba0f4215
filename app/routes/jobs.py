"""Long work on a space: applying the rules to what is kept, trying others out, and following both."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from app.http.auth import ByAdmin, ByLister
from app.http.body import decode
from app.http.openapi import described
from app.http.responses import Segment, answer
from app.schemas.corrections import Job, RulesTrial
from app.schemas.native import RulesDocument
from identity.operations.corrections import put_rules, simulate_rules
from identity.operations.spaces import record_read
from identity.values.enums import JobKind
from identity.values.errors import BadRules, JobNotFound

router = APIRouter(tags=["Jobs"])
MOST_WAIT = 30.0
PATIENCE = 20.0
Wait = Annotated[float, Query(ge=0, le=MOST_WAIT, description="How long to wait for its end, in seconds.")]


@router.post("/v1/rules/rebuild", **described(Job, status=202))
async def rebuild(visit: ByAdmin) -> Response:
    """Apply the rules in force to what is kept, as a job; ingest goes on meanwhile."""
    await record_read.note(visit.space, visit.caller.key_id, "rules.rebuild", None)
    return answer(await visit.onefold.jobs.ask(visit.space, JobKind.REBUILD, {"actor": visit.caller.key}), 202)


_TRIAL = described(RulesTrial, BadRules, takes=RulesDocument)
_TRIAL["responses"][202] = described(Job)["responses"][200] | {"description": "It takes longer: the job to follow."}


@router.post("/v1/rules/simulate", **_TRIAL)
async def simulate(visit: ByAdmin, request: Request) -> Response:
    """What other rules would change over what is kept; 202 with the job where that takes long."""
    document = decode(await request.body())
    put_rules.check(document)
    asked = await visit.onefold.jobs.ask(visit.space, JobKind.SIMULATE, {"document": document})
    told = await _follow(visit, asked["job_id"], PATIENCE)
    if told["state"] != "done":
        return answer(told, 202)
    return answer({**told["result"], "job_id": told["job_id"]})


@router.get("/v1/jobs/{job_id}", **described(Job, JobNotFound))
async def follow(visit: ByLister, job_id: Segment, wait: Wait = 0) -> Response:
    """How far a job is, and what came of it."""
    return answer(await _follow(visit, job_id, wait))


async def _follow(visit: ByLister, job_id: str, wait: float) -> dict[str, Any]:
    kind, told = await visit.onefold.jobs.follow(visit.space, job_id, wait)
    if kind == JobKind.SIMULATE and "result" in told:
        told["result"] = await simulate_rules.tell(visit.space, told["result"])
    return told
