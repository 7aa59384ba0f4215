"""The composition root: builds the whole application from the settings.

Building opens nothing; the lifespan opens database, keys and tasks, and closes them again.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from rich.console import Console

from app.http import error_responses
from app.http.asgi import Front
from app.http.openapi import paths
from app.routes import (
    access_exports,
    api_keys,
    api_reference,
    consent,
    corrections,
    destinations,
    erasures,
    evidence,
    feed,
    groups,
    health,
    identity_keys,
    jobs,
    joins,
    opendsr,
    profiles,
    rejections,
    rules,
    spaces,
    well_known,
)
from app.routes.segment import profile_api, regulations, sdk_settings
from app.server.memory_protection import protect_memory
from app.server.process import Onefold
from app.settings import Settings, forget_root_keys, load, metrics_folder
from identity.values.errors import OnefoldError

ROUTERS = (
    spaces.router,
    api_keys.router,
    identity_keys.router,
    rules.router,
    profiles.router,
    profile_api.router,
    groups.router,
    rejections.router,
    corrections.router,
    joins.router,
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
    api_reference.router,
)
_errors = Console(stderr=True, highlight=False, soft_wrap=True)


def application() -> Front:
    """Build the application of one server process; uvicorn calls this factory in each."""
    protect_memory()
    settings = load()
    forget_root_keys()
    return create_app(settings)


def create_app(settings: Settings) -> Front:
    """Build the application with these settings."""
    onefold = Onefold(settings)

    @asynccontextmanager
    async def lifespan(_api: FastAPI) -> AsyncIterator[None]:
        try:
            await onefold.start()
        except (OnefoldError, OSError) as error:
            _refuse(error)
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
        # An included router would build each of its routes a second time, on the first request for one of them.
        routes=[route for router in ROUTERS for route in router.routes],
    )
    api.state.onefold = onefold
    error_responses.handle(api)
    api.state.paths = paths(api)
    return Front(onefold, api)


def _refuse(error: OnefoldError | OSError) -> None:
    """Print why the server does not start, in one line, once for all workers."""
    # This process ends now. The lines of uvicorn about its end add nothing.
    logging.getLogger("uvicorn.error").disabled = True
    folder = metrics_folder()
    try:
        if folder is not None:
            (folder / "refused").touch(exist_ok=False)
    except FileExistsError:
        return
    # The log keeps only the class of an error; the operator needs the message of this one.
    text = f"{error.filename}: {error.strerror}." if isinstance(error, OSError) and error.filename else str(error)
    _errors.print(f"onefold: {text}", style="red", markup=False)
