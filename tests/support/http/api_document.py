"""The routes of the application and their OpenAPI document, made once for all tests of a process."""

from functools import cache
from typing import Any

import msgspec
from fastapi import FastAPI

from app.http.openapi import document
from app.main import create_app
from app.settings import Settings


@cache
def api() -> FastAPI:
    """The application whose routes are native."""
    return create_app(Settings()).api


@cache
def api_document() -> dict[str, Any]:
    """The OpenAPI document as a client reads it."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document(api())))
    return found
