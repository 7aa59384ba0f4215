"""Plants values in reads: identifiers in addresses, found and not, queries, headers and lists."""

from typing import Final
from urllib.parse import quote

from app.commands.leak_scan.planter import PlantedPerson, Planter

_KEYS: Final = ("profiles", "admin", "privacy", "write")


def plant_lookups(planter: Planter, person: PlantedPerson) -> None:
    """Read by every kind of identifier, with every kind of key, and by all that is none."""
    new = planter.new
    known = [
        f"user_id:{person.user}",
        f"anonymous_id:{person.anonymous}",
        f"email:{person.email}",
        f"phone:{person.phone}",
    ]
    unknown = [
        f"user_id:{new('unknown user id')}",
        f"email:{new('unknown e-mail')}@nowhere.example",
        f"{new('unknown type', small=True)}:x",
        new("no identifier"),
        f"email:{new('e-mail in error')}",
        f"prf_{new('profile id in error')}",
        f"user_id:%ZZ{new('percent-encoding in error')}",
    ]
    for ref in [*known, *unknown]:
        for key in _KEYS:
            query = f"?{new('unknown parameter')}={new('request query')}"
            for end in ("", "?verbose=true", "/history", f"/{new('request path')}", query):
                planter.send(key, "GET", f"/v1/profiles/{quote(ref, safe='%')}{end}")
    for wanted in ([*known, *unknown[:2]], unknown, new("no list")):
        planter.send("profiles", "POST", "/v1/profiles/lookup", {"identifiers": wanted})
    planter.send("profiles", "POST", "/v1/profiles/lookup", {new("field in error"): 1})
    planter.send("write", "POST", "/v1/profiles/lookup", {"identifiers": [new("lookup with a wrong key")]})
    for group in (person.group, new("unknown group id"), new("group id") + "/" + new("rest of a path")):
        planter.send("admin", "GET", f"/v1/groups/{quote(group)}")
    _lists(planter, person)


def _lists(planter: Planter, person: PlantedPerson) -> None:
    new = planter.new
    ends = f"from=user_id:{person.user}&to=anonymous_id:{person.anonymous}"
    for path in (
        f"/v1/profiles?limit={new('limit in error')}&cursor={new('cursor in error')}",
        f"/v1/profiles?cursor={new('cursor in error')}",
        f"/v1/profiles?{new('unknown parameter')}={new('unknown parameter')}",
        f"/{new('request path')}",
        f"/v1/profiles/user_id:{person.user}/explain?{ends}",
        f"/v1/groups/{person.group}",
        f"/v1/exports/{new('request path')}/download?ticket={new('request query')}",
    ):
        headers = {"X-Custom": new("request header"), "User-Agent": new("user agent")}
        planter.send("admin", "GET", path, None, headers)
