"""Segment's consent over the wire, row by row: what flows to real destinations, and what a profile then says.

`unset: allow` is the switch for who comes from there; by default what has no decision does not flow. What
`integrations` says is no rule here, and opens nothing that consent closes.
"""

from collections.abc import Callable
from itertools import count
from typing import Any

import httpx
import pytest

from tests.app.conftest import Shop, new_shop
from tests.support.destinations.destination_feed import Feed

PURPOSES = [{"id": "Marketing", "class": "ads"}, {"id": "Product", "class": "analytics"}]
MAPPED: dict[str, list[str]] = {"one": ["Marketing"], "both": ["Marketing", "Product"], "unmapped": []}
SEEN = {"traits": ["plan"], "identifiers": ["user_id", "anonymous_id"]}
BOTH, MINE, NOTHING = {"Marketing": True, "Product": True}, {"Marketing": True}, {"Marketing": False}
ALL = {"one", "both", "unmapped"}
SAYS_NOTHING: tuple[Any, ...] = (None, {}, {"consent": {}}, {"consent": {"categoryPreferences": None}})
_numbers = count()
Spaces = dict[str, Shop]


def prefs(stated: dict[str, Any]) -> dict[str, Any]:
    """A context in which a consent manager speaks."""
    return {"consent": {"categoryPreferences": stated}}


@pytest.fixture(scope="module")
def spaces(client: httpx.Client, live: Any) -> Spaces:
    """A space as it is by default, and a compatible one, each with three destinations."""
    made = {}
    for unset in ("deny", "allow"):
        shop = made[unset] = new_shop(client, {"Authorization": f"Bearer {live.admin_token}"})
        # As Segment does, the devices of a user speak for each other.
        assert shop.ask("PUT", "/v1/rules", json={"trust": "segment"}).status_code == 200
        document = {"purposes": PURPOSES, "unset": unset}
        assert shop.ask("PUT", "/v1/purposes", json=document).status_code == 200
        for name, purposes in MAPPED.items():
            Feed(shop, name, purposes=purposes, **SEEN)
    return made


def flows(shop: Shop, ref: str) -> set[str]:
    """The destinations that somebody's plan flows to now."""
    found = set()
    for name in MAPPED:
        answer = shop.ask("GET", f"/v1/destination/profiles/{ref}", name)
        if answer.status_code == 200 and "plan" in answer.json()["traits"]:
            found.add(name)
    return found


ROWS: list[tuple[str, Any, Any, set[str], set[str]]] = [
    # What it is, context, integrations, what flows by default, what flows where the unset is allowed.
    *((f"says nothing {nr}", context, None, set(), ALL) for nr, context in enumerate(SAYS_NOTHING)),
    ("absent, integrations", None, {"one": True, "both": False}, set(), ALL),
    ("empty", prefs({}), None, set(), {"unmapped"}),
    ("empty, integrations", prefs({}), {"All": True, "one": True}, set(), {"unmapped"}),
    ("category of no destination", prefs({"Surveys": True}), None, set(), {"unmapped"}),
    ("all true", prefs(BOTH), None, {"one", "both"}, ALL),
    ("one of two false", prefs(BOTH | {"Product": False}), None, {"one"}, {"one", "unmapped"}),
    ("one of two missing", prefs(MINE), None, {"one"}, {"one", "unmapped"}),
    ("false", prefs(NOTHING), None, set(), {"unmapped"}),
    ("false, integrations true", prefs(NOTHING), {"one": True, "All": True}, set(), {"unmapped"}),
    ("case counts", prefs({"marketing": True}), None, set(), {"unmapped"}),
    # Text is no answer, and what cannot be read may have been a denial.
    ("text", prefs({"Marketing": "true"}), None, set(), {"unmapped"}),
    ("no object", {"consent": {"categoryPreferences": "none"}}, None, set(), {"unmapped"}),
    ("text among answers", prefs({"Marketing": "true", "Product": True}), None, set(), {"unmapped"}),
]


@pytest.mark.parametrize("unset", ["deny", "allow"])
@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_enforcement(spaces: Spaces, row: tuple[str, Any, Any, set[str], set[str]], unset: str) -> None:
    """The table says what flows to a destination of one purpose and of two; the one without consent gets all."""
    shop, (_, context, integrations, denying, allowing) = spaces[unset], row
    call = {"type": "identify", "userId": f"u{next(_numbers)}", "traits": {"plan": "pro"}}
    call |= {} if context is None else {"context": context}
    call |= {} if integrations is None else {"integrations": integrations}
    assert shop.send(call, key="import")[0]["status"] == "accepted"
    assert flows(shop, f"user_id:{call['userId']}") == (allowing if unset == "allow" else denying) | {"unmapped"}


class Person:
    """Somebody in the default space, who says things."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.name = shop, f"p{next(_numbers)}"

    def say(self, stated: Any = None, device: str | None = None, *, known: bool = True, **call: Any) -> None:
        """A call as browsers make it, with a statement where there is one."""
        body: dict[str, Any] = {"type": "identify", "traits": {"plan": "pro"}, **call}
        body |= {"userId": self.name} if known else {}
        body |= {} if device is None else {"anonymousId": f"{self.name}-{device}"}
        body |= {} if stated is None else {"context": prefs(stated)}
        assert self.shop.ask("POST", "/v1/batch", "write", json={"batch": [body]}).status_code == 200

    def recorded(self) -> dict[str, Any]:
        """What the profile says: True, False, or `conflict`."""
        profile = self.shop.ask("GET", f"/v1/profiles/user_id:{self.name}").json()
        return {name: "conflict" if each["conflict"] else each["value"] for name, each in profile["consent"].items()}

    def flows(self) -> set[str]:
        """The destinations with purposes that their plan flows to; it always flows to the one that needs no consent."""
        found = flows(self.shop, f"user_id:{self.name}")
        assert "unmapped" in found
        return found - {"unmapped"}


def updated_by_any_event(ann: Person) -> None:
    """Whatever call states it."""
    ann.say(BOTH)
    ann.say(NOTHING, type="track", event="Seen")
    assert (ann.recorded(), ann.flows()) == ({"Marketing": False, "Product": False}, set())
    ann.say(BOTH, type="page")
    assert (ann.recorded(), ann.flows()) == (BOTH, {"one", "both"})


def empty_is_all_false(ann: Person) -> None:
    """An empty statement denies everything."""
    ann.say(BOTH)
    ann.say({}, type="track", event="Segment Consent Preference Updated")
    assert (ann.recorded(), ann.flows()) == ({"Marketing": False, "Product": False}, set())


def missing_is_false(ann: Person) -> None:
    """A category that a statement leaves out is denied by it."""
    ann.say(BOTH)
    ann.say(MINE)
    assert (ann.recorded(), ann.flows()) == (MINE | {"Product": False}, {"one"})


def without_consent_no_change(ann: Person) -> None:
    """A source that says nothing of it changes nothing."""
    ann.say(BOTH)
    ann.say(type="track", event="Seen")
    ann.say(traits={"plan": "free"})
    assert (ann.recorded(), ann.flows()) == (BOTH, {"one", "both"})


def devices_latest_wins(ann: Person) -> None:
    """Of two devices of one user the one that spoke last is right."""
    ann.say(BOTH, "phone")
    ann.say(BOTH | {"Marketing": False}, "laptop")
    assert ann.recorded() == {"Marketing": False, "Product": True}
    ann.say(BOTH, "phone")
    assert (ann.recorded(), ann.flows()) == (BOTH, {"one", "both"})


def merge_of_two_conflicts(ann: Person) -> None:
    """Where two profiles that disagree become one, the answer is a conflict, and nothing flows."""
    ann.say(BOTH)
    ann.say(BOTH | {"Marketing": False}, "phone", known=False)
    ann.say(device="phone")
    assert (ann.recorded(), ann.flows()) == ({"Marketing": "conflict", "Product": True}, set())
    # Once they are one, the next statement is about both.
    ann.say(BOTH, "phone")
    assert (ann.recorded(), ann.flows()) == (BOTH, {"one", "both"})


def missing_is_false_at_a_merge(ann: Person) -> None:
    """What the other side left out it denied."""
    ann.say(BOTH)
    ann.say(MINE, "phone", known=False)
    ann.say(device="phone")
    assert (ann.recorded(), ann.flows()) == (MINE | {"Product": "conflict"}, {"one"})


def stored_though_ids_are_dropped(ann: Person) -> None:
    """Where a call loses identifiers to a limit, what it says of consent still counts for who it is about."""
    ann.say(BOTH, "phone")
    other = Person(ann.shop)
    other.say(BOTH, "laptop")
    ann.say(context=prefs(NOTHING) | {"externalIds": [_user_id(other.name)]}, messageId=f"of {ann.name}")
    (lost,) = [
        each
        for each in ann.shop.ask("GET", "/v1/rejections").json()["rejections"]
        if each["message_id"] == f"of {ann.name}"
    ]
    assert [each["reason"] for each in lost["demoted"]] == ["limit:user_id"]
    assert (ann.recorded(), other.recorded()) == ({"Marketing": False, "Product": False}, BOTH)


def traits_of_that_name_are_traits(ann: Person) -> None:
    """Attack 103: a trait that is called like Segment's own is one, and touches no consent."""
    ann.say(NOTHING | {"Product": True})
    names = ("consent", "segment_consent_preference", "segment_consent_preference.categories.Marketing")
    ann.say(traits={"plan": "pro", **{name: {"Marketing": True} for name in names}})
    assert (ann.recorded(), ann.flows()) == ({"Marketing": False, "Product": True}, set())


def _user_id(value: str) -> dict[str, str]:
    return {"type": "user_id", "id": value, "collection": "users", "encoding": "none"}


STORED: list[Callable[[Person], None]] = [
    updated_by_any_event,
    empty_is_all_false,
    missing_is_false,
    without_consent_no_change,
    devices_latest_wins,
    merge_of_two_conflicts,
    missing_is_false_at_a_merge,
    stored_though_ids_are_dropped,
    traits_of_that_name_are_traits,
]


@pytest.mark.parametrize("row", STORED, ids=lambda row: row.__name__)
def test_on_the_profile(spaces: Spaces, row: Callable[[Person], None]) -> None:
    """Each rule for what a profile keeps holds, in its answer and in what flows."""
    row(Person(spaces["deny"]))


@pytest.mark.parametrize("context", [None, {}, {"consent": {}}, {"consent": {"categoryPreferences": [True]}}], ids=str)
@pytest.mark.parametrize("key", ["write", "import"])
def test_updated_without_its_object(spaces: Spaces, context: Any, key: str) -> None:
    """The event of a changed preference is rejected without one, with Segment's message."""
    body = {"event": "Segment Consent Preference Updated", "userId": "u", "context": context}
    answer = spaces["deny"].ask("POST", "/v1/track", key, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "missing_consent_preferences")
    assert answer.json()["message"] == "context.consent.categoryPreferences object is required"
