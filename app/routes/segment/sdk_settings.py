"""What SDKs ask for beside collection: the settings that point them back here, and their own metrics."""

import re
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from app.http.auth import ByAnyone
from app.http.error_responses import failure
from app.http.openapi import described, schema_of
from app.http.responses import Segment, answer
from app.schemas.calls import Accepted, Refused
from identity.values.errors import BadInput, Unauthorised

router = APIRouter(tags=["SDKs"])
_HOST: Final = re.compile(r"[A-Za-z0-9.\-_]{1,255}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
_REFUSED: Final = {"application/json": schema_of(Refused)}
_SETTINGS: Final = described(None, BadInput, public=True)
_SETTINGS["responses"][401] = {"description": "invalid_write_key", "content": _REFUSED}


@router.get("/v1/projects/{write_key}/settings", **_SETTINGS)
async def get_settings(request: Request, onefold: ByAnyone, write_key: Segment) -> Response:
    """The settings that browser and mobile SDKs load by their write key, and nothing about any other key."""
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
    """What SDKs count of themselves; taken and dropped."""
    return answer({"success": True})


def _unknown(request: Request) -> Response:
    """As collection refuses a key, and without the password prompt that a browser would raise."""
    request.scope["onefold.code"] = code = "invalid_write_key"
    return Response(failure(code, str(Unauthorised())), 401, media_type="application/json")


def _here(request: Request, public_url: str | None) -> tuple[str, str]:
    """The scheme and host that an SDK finds us at. What a proxy says of either is not believed."""
    if public_url is not None:
        scheme, _, host = public_url.partition("://")
        return scheme, host
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise BadInput("The Host header names no host.")
    return request.url.scheme, host


def _settings(write_key: str, scheme: str, host: str) -> dict[str, Any]:
    """One integration only: a second one makes a browser load code of another host."""
    return {
        "integrations": {
            "Segment.io": {
                "apiKey": write_key,
                "apiHost": f"{host}/v1",
                "protocol": scheme,
                "retryQueue": True,
                "addBundledMetadata": True,
                "unbundledIntegrations": [],
                "maybeBundledConfigIds": {},
            }
        },
        "plan": {
            "track": {"__default": {"enabled": True, "integrations": {}}},
            "identify": {"__default": {"enabled": True}},
            "group": {"__default": {"enabled": True}},
        },
        "edgeFunction": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
        "middlewareSettings": {"routingRules": []},
        "consentSettings": {"allCategories": [], "hasUnmappedDestinations": True},
    }
