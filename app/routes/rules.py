"""The rules of a space, for its admin: one document with versions."""

from fastapi import APIRouter, Request, Response

from app.http.auth import ByAdmin
from app.http.openapi import described
from app.http.repeated_members import decode_document
from app.http.responses import answer
from app.schemas.rules import RulesDocument, RulesInForce, RulesPatch, RulesVersion, rules_in_force, rules_version
from identity.operations.corrections import put_rules as rules
from identity.values.errors import BadRules

router = APIRouter(tags=["Rules"])


@router.get("/v1/rules", **described(RulesInForce))
async def get_rules(visit: ByAdmin) -> Response:
    """The rules in force, with defaults and version."""
    return answer(rules_in_force(await rules.get_rules(visit.space)))


@router.put("/v1/rules", **described(RulesVersion, BadRules, takes=RulesDocument))
async def put_rules(visit: ByAdmin, request: Request) -> Response:
    """Replace the rules; every call that is answered later follows them. A field that is left out has its default."""
    document = decode_document(await request.body())
    return answer(rules_version(await rules.put_rules(visit.space, document, visit.caller.key_id)))


@router.patch("/v1/rules", **described(RulesVersion, BadRules, takes=RulesPatch))
async def patch_rules(visit: ByAdmin, request: Request) -> Response:
    """Change some fields of the rules; every other field stays."""
    patch = decode_document(await request.body())
    return answer(rules_version(await rules.patch_rules(visit.space, patch, visit.caller.key_id)))
