"""The lists of the Profile API against what was sent: whole, in order, whatever is written meanwhile."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.app.conftest import Shop

UP, DOWN = "asc", "desc"


def address(shop: Shop, ref: str, what: str) -> str:
    """The path of one list of a user."""
    return f"/v1/spaces/{shop.space_id}/collections/users/profiles/{ref}/{what}"


def pages(shop: Shop, ref: str, what: str, **params: Any) -> Iterator[Any]:
    """The pages of a list, one by one; each must say truly whether there are more."""
    next_ = ""
    while True:
        asked = {**params, "next": next_} if next_ else params
        page = shop.ask("GET", address(shop, ref, what), "profiles", params=asked)
        assert page.status_code == 200, page.text
        document = page.json()
        next_ = document["cursor"]["next"]
        assert document["cursor"]["has_more"] == bool(next_)
        yield document
        if not next_:
            return


def ids(document: dict[str, Any]) -> list[str]:
    """The messages of a page of events."""
    return [event["message_id"] for event in document["data"]]


def all_ids(shop: Shop, ref: str, **params: Any) -> list[str]:
    """The messages of all pages."""
    return [id_ for page in pages(shop, ref, "events", **params) for id_ in ids(page)]


class Traffic:
    """Calls of several people, some of which teach something and most of which are plain."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop = shop
        self.random = random.Random(seed)
        self.sent: list[str] = []

    def call(self, person: str) -> dict[str, Any]:
        """A call of somebody, with a message id that names its place."""
        self.sent.append(f"m{len(self.sent)}")
        plain = self.random.random() < 0.7
        named = {"anonymousId": person, "messageId": self.sent[-1]}
        if plain:
            return {"type": "track", "event": self.random.choice("abc"), **named}
        return {"type": "identify", "traits": {"n": len(self.sent)}, **named}

    def batch(self, people: list[str], size: int) -> None:
        """One batch of calls of these people, mixed."""
        self.shop.send(*(self.call(self.random.choice(people)) for _ in range(size)))

    def join(self, *people: str) -> None:
        """Makes them one person, by a call of each with one user id."""
        self.shop.send(*({**self.call(each), "userId": "u"} for each in people))


@pytest.mark.parametrize("sort", [UP, DOWN])
@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_calls_come_in_the_exact_order_of_arrival(shop: Shop, sort: str, limit: int) -> None:
    """From packed rows, several origins and two tables."""
    traffic = Traffic(shop, limit)
    people = ["a1", "a2", "a3", "a4"]
    for size in (1, 9, 20, 2, 30):
        traffic.batch(people, size)
    traffic.join(*people)
    traffic.batch([*people], 12)

    found = all_ids(shop, "user_id:u", sort=sort, limit=limit)

    assert found == (traffic.sent if sort == UP else traffic.sent[::-1])


@pytest.mark.parametrize("sort", [UP, DOWN])
def test_pages_hold_each_call_once_while_calls_arrive(shop: Shop, sort: str) -> None:
    """Nothing that was there at the first page comes twice or not at all, and no place is lost."""
    traffic = Traffic(shop, 5)
    people = ["a1", "a2", "a3"]
    traffic.batch(people, 25)
    traffic.join(*people)
    before = list(traffic.sent)

    found = []
    for page in pages(shop, "user_id:u", "events", sort=sort, limit=4):
        found += ids(page)
        if len(traffic.sent) < 60:
            traffic.batch(people, 3)

    assert len(found) == len(set(found))
    assert found == (traffic.sent if sort == UP else before[::-1])


@pytest.mark.parametrize("sort", [UP, DOWN])
@pytest.mark.parametrize("swallowed", [False, True])
def test_pages_across_a_merge(shop: Shop, sort: str, *, swallowed: bool) -> None:
    """A cursor holds when the profile is merged meanwhile, into another or the other into it."""
    traffic = Traffic(shop, 6)
    older, newer = ["a1"], ["b1"]
    traffic.batch(older, 1)
    traffic.batch(newer, 1)
    mine, other = (newer, older) if swallowed else (older, newer)
    start = len(traffic.sent)
    traffic.batch(other, 5)
    traffic.batch(mine, 14)
    before = all_ids(shop, f"anonymous_id:{mine[0]}", sort=UP)

    found = []
    for page in pages(shop, f"anonymous_id:{mine[0]}", "events", sort=sort, limit=4):
        found += ids(page)
        if "u" not in str(page["cursor"]) or len(found) == 4:
            traffic.join(*older, *newer)

    assert start
    assert len(found) == len(set(found))
    kept = [id_ for id_ in found if id_ in before]
    assert kept == (before if sort == UP else before[::-1])
    order = [int(id_[1:]) for id_ in found]
    assert order == sorted(order, reverse=sort == DOWN)


@pytest.fixture(scope="module")
def packed(common_shop: Shop) -> list[str]:
    """The messages of somebody known by a call and a row of a thousand calls, in order."""
    common_shop.send({"type": "track", "event": "E", "anonymousId": "packed", "messageId": "first"})
    calls = [{"type": "track", "event": "e", "anonymousId": "packed", "messageId": f"m{n}"} for n in range(1_000)]
    common_shop.send(*calls)
    return ["first", *(str(call["messageId"]) for call in calls)]


@pytest.mark.parametrize("sort", [UP, DOWN])
def test_a_row_of_a_thousand_calls_is_paged(common_shop: Shop, packed: list[str], sort: str) -> None:
    """A row that holds a thousand calls is paged through as anything else."""
    found = all_ids(common_shop, "anonymous_id:packed", sort=sort, limit=97)

    assert found == (packed if sort == UP else packed[::-1])


@pytest.fixture(scope="module")
def rare(common_shop: Shop) -> list[str]:
    """The messages of the rare events of somebody with thousands of common ones, in order."""
    wanted = []
    for batch in range(12):
        calls = [
            {"type": "track", "event": "common", "anonymousId": "busy", "messageId": f"c{batch}-{n}"}
            for n in range(400)
        ]
        calls[batch * 7]["event"] = "rare"
        wanted.append(calls[batch * 7]["messageId"])
        common_shop.send(*calls)
    return wanted


@pytest.mark.parametrize("sort", [UP, DOWN])
def test_a_rare_event_is_found_once_among_thousands(common_shop: Shop, rare: list[str], sort: str) -> None:
    """Pages may be shorter than their limit."""
    found = all_ids(common_shop, "anonymous_id:busy", sort=sort, limit=5, include="rare")
    rest = all_ids(common_shop, "anonymous_id:busy", sort=sort, limit=100, exclude="common")

    assert found == rest == (rare if sort == UP else rare[::-1])


def test_many_small_batches(shop: Shop) -> None:
    """Plain calls that lie in a row each come in order, and a filter may pass over all of them."""
    sent = []
    for n in range(60):
        shop.send({"type": "track", "event": "e", "anonymousId": f"a{n % 2}", "messageId": f"m{n}"})
        sent.append(f"m{n}")
    shop.send(*({"type": "identify", "userId": "u", "anonymousId": f"a{n}", "messageId": f"j{n}"} for n in range(2)))

    assert all_ids(shop, "user_id:u", sort=UP, limit=7, exclude="x") == [*sent, "j0", "j1"]
    assert all_ids(shop, "user_id:u", include="nothing") == []


def _traits(document: dict[str, Any]) -> list[Any]:
    return list(document["traits"])


def _data(document: dict[str, Any]) -> list[Any]:
    return [each["id"] for each in document["data"]]


@pytest.mark.parametrize(("what", "read"), [("traits", _traits), ("external_ids", _data)])
def test_traits_and_identifiers_come_once_while_profiles_merge(
    shop: Shop, what: str, read: Callable[[dict[str, Any]], list[Any]]
) -> None:
    """And while new ones arrive."""
    shop.send(
        {"type": "track", "event": "E", "anonymousId": "other"},
        *(
            {"type": "identify", "userId": "u1", "anonymousId": f"a{n}", "traits": {f"t{n:02}": n, "é" * n or "x": 1}}
            for n in range(5)
        ),
    )
    expected = [each for page in pages(shop, "user_id:u1", what, limit=100) for each in read(page)]
    assert len(expected) >= 6

    found: list[Any] = []
    for number, page in enumerate(pages(shop, "user_id:u1", what, limit=2)):
        assert len(read(page)) <= 2
        found += read(page)
        if number == 0:
            shop.send({"type": "identify", "userId": "u1", "anonymousId": "other", "traits": {"t00": None, "a": 1}})

    assert len(found) == len(set(found))
    assert set(expected) <= set(found)


def test_cursor_of_something_else(shop: Shop, other_shop: Shop) -> None:
    """A cursor is good for the list, the direction, the profile and the space that it came from."""
    for each in (shop, other_shop):
        for person in ("u1", "u2"):
            calls = ({"type": "identify", "userId": person, "traits": {f"t{n}": n}} for n in range(3))
            each.send(*calls, {"type": "identify", "userId": person, "anonymousId": f"a-{person}"})
    taken: dict[str, str] = {}
    for what, given in (("traits", ""), ("external_ids", ""), ("events", "sort=asc"), ("events", "sort=desc")):
        page = shop.ask("GET", f"{address(shop, 'user_id:u1', what)}?limit=1&{given}").json()
        taken[f"{what}?{given}"] = page["cursor"]["next"]
    assert len(set(taken.values())) == 4
    assert all(taken.values())

    for mine, cursor in taken.items():
        for where in taken:
            path = f"{address(shop, 'user_id:u1', where)}&next={cursor}"
            assert shop.ask("GET", path).status_code == (200 if where == mine else 400), (mine, where)
        foreign = f"{address(shop, 'user_id:u2', mine)}&next={cursor}"
        assert shop.ask("GET", foreign).status_code == 400, mine
        elsewhere = f"{address(other_shop, 'user_id:u1', mine)}&next={cursor}"
        assert other_shop.ask("GET", elsewhere).status_code == 400, mine
        for forged in (cursor[:-4] + ("AAAA" if cursor[-4:] != "AAAA" else "BBBB"), cursor[:-4], "AAAA", "%ff", "é"):
            refused = shop.ask("GET", f"{address(shop, 'user_id:u1', mine)}&next={forged}")
            assert refused.status_code == 400, (mine, forged)
            assert refused.json()["error"]["code"] == "validation_error"


def test_cursor_of_another_account(shop: Shop) -> None:
    """The lists of an account hold to the same."""
    for group in ("g1", "g2"):
        shop.send(
            *({"type": "group", "userId": f"{group}-u{n}", "groupId": group, "traits": {f"t{n}": n}} for n in range(3))
        )
    base = f"/v1/spaces/{shop.space_id}/collections/accounts/profiles/group_id:"
    for what in ("traits?", "events?sort=asc", "events?sort=desc", "links?"):
        found: list[Any] = []
        next_ = ""
        while next_ or not found:
            page = shop.ask("GET", f"{base}g1/{what}&limit=1&next={next_}", "profiles").json()
            # Whether there are more members is only known once they were looked for.
            found += [page["traits"]] if "traits" in page else page["data"]
            next_ = page["cursor"]["next"]
            if next_:
                assert shop.ask("GET", f"{base}g2/{what}&next={next_}", "profiles").status_code == 400, what
        assert len(found) == 3
        assert all(found.count(each) == 1 for each in found)
    down = shop.ask("GET", f"{base}g1/events?limit=1", "profiles").json()["cursor"]["next"]
    assert shop.ask("GET", f"{base}g1/events?sort=asc&next={down}", "profiles").status_code == 400
