"""Requests of SDKs besides collection: their settings, which name this server, and their own metrics."""

import re
from typing import Final

from fastapi import APIRouter, Request, Response

from app.http.auth import ByAnyone
from app.http.error_responses import failure
from app.http.openapi import described, schema_of
from app.http.responses import Segment, answer
from app.schemas.calls import Accepted, CollectionRefusal
from app.schemas.segment.sdk_settings import SdkSettings
from identity.values.errors import BadInput, Unauthorised

router = APIRouter(tags=["SDKs"])
_HOST: Final = re.compile(r"[A-Za-z0-9.\-_]{1,255}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
_REFUSED: Final = {"application/json": schema_of(CollectionRefusal)}
_SETTINGS: Final = described(SdkSettings, BadInput, public=True)
_SETTINGS["responses"][401] = {"description": "invalid_write_key", "content": _REFUSED}


@router.get("/v1/projects/{write_key}/settings", **_SETTINGS)
async def get_settings(request: Request, onefold: ByAnyone, write_key: Segment) -> Response:
    """The settings that browser and mobile SDKs load with their write key. Any other key is answered 401."""
    try:
        caller = await onefold.keys.caller(write_key)
    except Unauthorised:
        return _unknown(request)
    if caller.scopes != {"write"}:
        return _unknown(request)
    scheme, host = _here(request, onefold.settings.public_url)
    return answer(_settings(write_key, scheme, host))


@router.post("/v1/m", **described(Accepted, public=True))
async def take_metrics(_onefold: ByAnyone) -> Response:
    """Metrics of SDKs about themselves; accepted and dropped."""
    return answer(Accepted(success=True))


def _unknown(request: Request) -> Response:
    """The answer of collection to an unknown key, without a header that makes a browser ask for a password."""
    request.scope["onefold.code"] = code = "invalid_write_key"
    return Response(failure(code, str(Unauthorised())), 401, media_type="application/json")


def _here(request: Request, public_url: str | None) -> tuple[str, str]:
    """The scheme and host of this server for an SDK. Headers of proxies are ignored: anybody can send them."""
    if public_url is not None:
        scheme, _, host = public_url.partition("://")
        return scheme, host
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise BadInput("The Host header is no host name; send one, or set ONEFOLD_PUBLIC_URL.")
    return request.url.scheme, host


def _settings(write_key: str, scheme: str, host: str) -> SdkSettings:
    """Settings with one integration only: with a second one a browser loads code from another host."""
    segment = {
        "apiKey": write_key,
        "apiHost": f"{host}/v1",
        "protocol": scheme,
        "retryQueue": True,
        "addBundledMetadata": True,
        "unbundledIntegrations": [],
        "maybeBundledConfigIds": {},
    }
    return SdkSettings(
        integrations={"Segment.io": segment},
        plan={
            "track": {"__default": {"enabled": True, "integrations": {}}},
            "identify": {"__default": {"enabled": True}},
            "group": {"__default": {"enabled": True}},
        },
        edge_function={},
        enabled_middleware={},
        metrics={"sampleRate": 0},
        legacy_video_plugins_enabled=False,
        remote_plugins=[],
        middleware_settings={"routingRules": []},
        consent_settings={"allCategories": [], "hasUnmappedDestinations": True},
    )
