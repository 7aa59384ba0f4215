"""Whether the service lives, whether it can serve, and its metrics."""

from fastapi import APIRouter, Response

from app.http.auth import ByAnyone, ByOperator
from app.http.openapi import described
from app.http.responses import answer
from app.schemas.health import Health
from app.server.metrics import CONTENT_TYPE
from identity.values.errors import DatabaseUnavailable, KeyUnavailable

router = APIRouter(tags=["Health"])


@router.get("/healthz", **described(Health, public=True))
async def live(_onefold: ByAnyone) -> Response:
    """Whether the process answers."""
    return answer({"status": "ok"})


@router.get("/readyz", **described(Health, DatabaseUnavailable, KeyUnavailable, public=True))
async def ready(onefold: ByAnyone) -> Response:
    """Whether calls can be served: the database answers and the keys that belong to it are there."""
    await onefold.check()
    return answer({"status": "ok"})


@router.get("/metrics", **described(None))
async def metrics(onefold: ByOperator) -> Response:
    """The metrics of this process, in Prometheus' text format."""
    return Response(onefold.metrics.text(), media_type=CONTENT_TYPE)
