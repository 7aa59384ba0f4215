"""Plants values in rules, and in what corrects profiles: explanation, simulation, unmerge, removal and rebuild."""

import re
from typing import Final
from urllib.parse import quote

from app.commands.leak_scan.planter import PlantedPerson, Planter
from identity.values.errors import DatabaseUnavailable

_JOB: Final = re.compile(rb"job_[0-9a-f]{32}")


def plant_rules(planter: Planter, person: PlantedPerson) -> None:
    """Plant rules that name people, calls that meet them, and rules in error."""
    new = planter.new
    blocked = new("blocked user id", hashed=True)
    document = {
        "limits": {new("limited type", small=True): {"max": 3, "days": 7}},
        "priority": ["user_id", new("type in the priority", small=True)],
        "blocked": {
            "user_id": [blocked, new("blocked pattern") + ".*"],
            "*": [new("value blocked everywhere")],
            new("blocked type", small=True): ["x"],
        },
    }
    planter.must("import", "POST", "/v1/identify", {"userId": blocked, "traits": {"email": person.email}})
    planter.must("admin", "PUT", "/v1/rules", document)
    planter.must("admin", "GET", "/v1/rules")
    planter.send("import", "POST", "/v1/identify", {"userId": blocked, "anonymousId": person.anonymous})
    for wrong in (
        {"limits": {new("limited type in error"): {"max": new("limit in error")}}},
        {"blocked": {"email": [new("pattern in error") + "("]}},
        {"blocked": {new("blocked type in error") + "!": ["x"]}},
        {"priority": [new("priority in error") + " "], new("rules field in error"): 1},
        {"region": new("region of rules in error")},
        [new("rules in a list")],
    ):
        planter.send("admin", "PUT", "/v1/rules", wrong)


def plant_corrections(planter: Planter, person: PlantedPerson) -> None:
    """Plant values wherever a correction may carry one, and rebuild the space."""
    new = planter.new
    user, anonymous, email = f"user_id:{person.user}", f"anonymous_id:{person.anonymous}", f"email:{person.email}"
    unknown = f"user_id:{new('unknown user id')}"
    for start, end in ((user, email), (user, unknown), (new("no identifier"), user), (anonymous, email)):
        planter.send("privacy", "GET", f"/v1/profiles/{quote(user)}/explain?from={quote(start)}&to={quote(end)}")
    for ref in (user, unknown, new("no identifier")):
        planter.send("admin", "GET", f"/v1/profiles/{quote(ref)}/graph")
        planter.send("admin", "GET", f"/v1/profiles/{quote(ref)}/graph", None, {"Accept": "image/svg+xml"})
    _simulations(planter, person)
    for named in ([anonymous], [unknown], [user, unknown], [new("no identifier")], new("no list")):
        planter.send("privacy", "POST", "/v1/profiles/unmerge", {"identifiers": named})
    for ref in (email, unknown, new("no identifier")):
        planter.send("privacy", "DELETE", f"/v1/identifiers/{quote(ref, safe='')}?block=true")
    planter.send("admin", "DELETE", f"/v1/identifiers/{quote(user, safe='')}?block={new('parameter in error')}")
    begun = planter.must("admin", "POST", "/v1/rules/rebuild")
    job = _JOB.search(begun)
    if job is None or b'"done"' not in planter.must("admin", "GET", f"/v1/jobs/{job[0].decode()}?wait=30"):
        raise DatabaseUnavailable("The rebuild of the scratch space did not end in 30 seconds; the scan is void.")
    planter.send("admin", "GET", f"/v1/jobs/job_{new('unknown job')}")
    planter.send("admin", "GET", f"/v1/profiles/{quote(user)}/history")


def _simulations(planter: Planter, person: PlantedPerson) -> None:
    new = planter.new
    tried = {"type": "identify", "userId": new("tried user id"), "traits": {new("tried trait"): new("tried value")}}
    planter.send("import", "POST", "/v1/identities/simulate", tried)
    wrong = {"type": new("tried type"), "userId": new("tried user id")}
    planter.send("import", "POST", "/v1/identities/simulate", wrong)
    candidate = {"blocked": {"*": [person.user, new("simulated pattern") + ".*"]}}
    planter.must("admin", "POST", "/v1/rules/simulate", candidate)
    planter.send("admin", "POST", "/v1/rules/simulate", {"region": new("region of rules in error")})


def plant_removal(planter: Planter) -> str:
    """Plant a person one of whose identifiers is removed and blocked; returns the user id that stays."""
    user = planter.new("user id of a removed identifier", hashed=True)
    email = f"{planter.new('removed e-mail', hashed=True)}@canary.example"
    planter.values.hash(email)
    planter.must("write", "POST", "/v1/identify", {"userId": user, "traits": {"email": email}})
    planter.must("admin", "DELETE", f"/v1/identifiers/{quote(f'email:{email}', safe='')}?block=true")
    return user


def plant_block(planter: Planter, person: PlantedPerson) -> str:
    """Plant a user id that is linked and then blocked, in rules that take the place of all others; returns it."""
    new = planter.new
    user = new("blocked user id", hashed=True)
    planter.must("import", "POST", "/v1/identify", {"userId": user, "traits": {"email": person.email}})
    planter.must("admin", "PUT", "/v1/rules", {"blocked": {"user_id": [user, new("blocked pattern") + ".*"]}})
    planter.must("admin", "POST", "/v1/rules/simulate", {"blocked": {"email": [new("simulated pattern") + ".*"]}})
    planter.send("write", "POST", "/v1/identify", {"userId": user, "anonymousId": person.anonymous})
    return user
