"""The composition root: settings in, the whole application out.

Nothing is opened when it is made; the lifespan does that, and closes it again.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, FastAPI, Response
from rich.console import Console

from app.http import error_responses, openapi
from app.http.asgi import Front
from app.http.auth import Public
from app.routes import (
    access_exports,
    api_keys,
    consent,
    corrections,
    destinations,
    erasures,
    evidence,
    feed,
    groups,
    health,
    jobs,
    opendsr,
    profiles,
    rejections,
    rules,
    spaces,
    well_known,
)
from app.routes.segment import profile_api, regulations, sdk_settings
from app.server.process import Onefold
from app.settings import Settings, load
from identity.values.errors import Misconfigured

ROUTERS = (
    spaces.router,
    api_keys.router,
    rules.router,
    profiles.router,
    profile_api.router,
    groups.router,
    rejections.router,
    corrections.router,
    evidence.router,
    jobs.router,
    erasures.router,
    access_exports.router,
    regulations.router,
    opendsr.router,
    consent.router,
    destinations.router,
    feed.router,
    sdk_settings.router,
    health.router,
    well_known.router,
)
_errors = Console(stderr=True, highlight=False, soft_wrap=True)


def application() -> Front:
    """The factory that the server calls in each process."""
    return create_app(load())


def create_app(settings: Settings) -> Front:
    """The application under these settings."""
    onefold = Onefold(settings)

    @asynccontextmanager
    async def lifespan(_api: FastAPI) -> AsyncIterator[None]:
        try:
            await onefold.start()
        except Misconfigured as error:
            # The log would keep only its class, and this one tells the operator what to do.
            _errors.print(f"onefold: {error}", style="red", markup=False)
            raise
        try:
            yield
        finally:
            await onefold.close()

    api = FastAPI(
        title="Onefold",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    api.state.onefold = onefold
    error_responses.handle(api)
    for router in (*ROUTERS, _document(api)):
        api.include_router(router)
    return Front(onefold, api)


def _document(api: FastAPI) -> APIRouter:
    router = APIRouter(tags=["Health"])
    made: list[bytes] = []

    @router.get("/openapi.json", include_in_schema=False)
    async def document(_onefold: Annotated[Onefold, Depends(Public())]) -> Response:
        if not made:
            made.append(msgspec.json.encode(openapi.document(api)))
        return Response(made[0], media_type="application/json")

    return router
