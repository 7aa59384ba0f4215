"""Generated traffic: few identifiers, so that calls often share one."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

USERS = [f"user-{n}" for n in range(5)]
DEVICES = [f"anon-{n}" for n in range(5)]
EMAILS = [f"x{n}@example.org" for n in range(3)]
BLOCKED = ["null", "000-000"]
DAYS = [f"2026-0{month}-{day}T00:00:00Z" for month in (1, 2) for day in ("01", "15", "28")]

users = st.sampled_from([*USERS, *BLOCKED[:1]])
devices = st.sampled_from([*DEVICES, *BLOCKED[1:]])
values = st.sampled_from([None, "", "a", 1, True, {"x": 1}, [1, 2]])
consents = st.dictionaries(st.sampled_from("AB"), st.booleans(), max_size=2)


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:  # noqa: C901, PLR0912 (one choice per field)
    """One call."""
    kind = draw(st.sampled_from(["identify", "identify", "track", "page", "group", "alias"]))
    body: dict[str, Any] = {"type": kind}
    if draw(st.booleans()):
        body["messageId"] = f"m{draw(st.integers(0, 30))}"
    if draw(st.integers(0, 3)):
        body["timestamp"] = draw(st.sampled_from(DAYS))
    if kind == "alias" or draw(st.booleans()):
        body["userId"] = draw(users)
    if "userId" not in body or draw(st.booleans()):
        body["anonymousId"] = draw(devices)
    context: dict[str, Any] = {}
    if kind == "alias":
        # Without a second id the server rejects an alias, before the planner sees it.
        if "anonymousId" not in body or draw(st.booleans()):
            body["previousId"] = draw(st.one_of(users, devices))
        if draw(st.booleans()):
            body["force"] = True
    if kind == "identify":
        body["traits"] = draw(st.dictionaries(st.sampled_from("pqr"), values, max_size=2))
        if draw(st.booleans()):
            body["traits"]["email"] = draw(st.sampled_from(EMAILS))
    if kind == "group":
        body["groupId"] = draw(st.sampled_from("gh"))
        body["traits"] = draw(st.dictionaries(st.sampled_from("ab"), values, max_size=1))
    if kind == "track" and draw(st.integers(0, 15)):
        body["event"] = "E"
    if kind == "track" and draw(st.booleans()):
        body["properties"] = {"email": draw(st.sampled_from(EMAILS))}
    if draw(st.integers(0, 3)) == 0:
        context["externalIds"] = [
            {"type": draw(st.sampled_from(["crm", "loyalty.id"])), "id": draw(st.sampled_from("12"))}
        ]
    if draw(st.integers(0, 3)) == 0:
        context["consent"] = {"categoryPreferences": draw(consents)}
    if context:
        body["context"] = context
    return body


claims = st.fixed_dictionaries({"sub": users}, optional={"email": st.sampled_from(EMAILS), "forged": st.just(True)})
"""The claims of an identity token, which `signed_calls` signs for a space; a forged one proves nothing."""
requests = st.fixed_dictionaries(
    {
        "items": st.lists(calls(), min_size=1, max_size=5),
        "server": st.sampled_from([True, True, False]),
        "source": st.integers(1, 3),
        "tokens": st.lists(st.none() | claims, max_size=5),
    }
)


def signed_calls(request: dict[str, Any], sign: Callable[[dict[str, Any]], str]) -> dict[str, Any]:
    """A request of a public key with its tokens in its calls; one of a server-side key as it is."""
    if request["server"]:
        return request
    items = list(request["items"])
    for at, each in enumerate(request["tokens"][: len(items)]):
        if each is not None:
            items[at] = {**items[at], "context": {**items[at].get("context", {}), "identityToken": sign(each)}}
    return {**request, "items": items}


def tasks(size: int = 8) -> st.SearchStrategy[Any]:
    """Requests of several concurrent senders; each sender waits for its answers."""
    return st.lists(st.lists(requests, min_size=1, max_size=4), min_size=size, max_size=size)


lasting_limits = st.fixed_dictionaries({"max": st.integers(1, 3)})
limits = st.one_of(
    lasting_limits,
    st.fixed_dictionaries({"max": st.integers(1, 2), "days": st.integers(5, 40)}),
)


def _rules(limit: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {},
        optional={
            "limits": st.dictionaries(st.sampled_from(["user_id", "anonymous_id", "email", "crm"]), limit, max_size=3),
            "max_identifiers": st.integers(2, 8),
            "max_merges": st.integers(0, 3),
            "promote_property_email": st.booleans(),
            "alias_rename": st.sampled_from(["server", "any"]),
            "priority": st.sampled_from([["user_id", "email", "phone"], ["email"], ["anonymous_id", "user_id"]]),
            "blocked": st.just({"anonymous_id": ["anon-4"]}),
        },
    )


rules = _rules(limits)
rules_without_days = _rules(lasting_limits)
"""Rules whose limits count every identifier. With `days` a plain call counts at ingest and not in a rebuild."""
