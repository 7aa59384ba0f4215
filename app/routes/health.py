"""Liveness, readiness and metrics of a process."""

from fastapi import APIRouter, Response

from app.http.auth import ByAnyone, ByOperator
from app.http.openapi import described
from app.http.responses import answer
from app.schemas.health import Health
from app.server.metrics import CONTENT_TYPE
from identity.values.errors import DatabaseUnavailable, KeyUnavailable, Unavailable
from identity.values.not_ready import KeysOutdated, NotWriting, RolledBack

router = APIRouter(tags=["Health"])
_UNREADY = (DatabaseUnavailable, KeyUnavailable, KeysOutdated, NotWriting, RolledBack, Unavailable)


@router.get("/healthz", **described(Health, public=True))
async def liveness(_onefold: ByAnyone) -> Response:
    """Liveness: the process answers."""
    return answer(Health("ok"))


@router.get("/readyz", **described(Health, *_UNREADY, public=True))
async def readiness(onefold: ByAnyone) -> Response:
    """Readiness: the database answers, its keys are present and as new as the data, and the queue has its writers."""
    await onefold.check()
    return answer(Health("ok", onefold.readiness.warnings()))


_METRICS = described(None)
_METRICS["responses"][200]["content"] = {"text/plain": {"schema": {"type": "string"}}}


@router.get("/metrics", **_METRICS)
async def get_metrics(onefold: ByOperator) -> Response:
    """The metrics of all workers of this server, in the text format of Prometheus."""
    return Response(onefold.metrics_text(), media_type=CONTENT_TYPE)
