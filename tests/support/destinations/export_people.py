"""People and purposes for tests of exports, and an act that changes what a destination may see."""

import random
from collections.abc import Callable

from tests.app.conftest import Shop

PURPOSES = {"purposes": [{"id": "Marketing", "class": "ads"}, {"id": "Product", "class": "analytics"}]}
GRANTED = {"context": {"consent": {"categoryPreferences": {"Marketing": True}}}}
DENIED = {"context": {"consent": {"categoryPreferences": {"Marketing": False}}}}
ANN = {"type": "identify", "userId": "ann", "traits": {"plan": "pro", "email": "ann@example.org"}, **GRANTED}


def act(rng: random.Random, shop: Shop, put: Callable[..., object]) -> None:
    """Something that somebody might do."""

    def one() -> str:
        return rng.choice("abcdefgh")

    named = rng.choice(
        [{"userId": one()}, {"anonymousId": one()}, {"userId": one(), "anonymousId": one()}, {"anonymousId": one()}]
    )
    traits = {
        name: rng.choice([1, "x", True, {"k": [one()]}, None]) for name in rng.sample(("plan", "size", "tags"), 2)
    }
    if rng.random() < 0.2:
        traits["email"] = f"{one()}@example.org"
    shown = rng.choice([GRANTED, GRANTED, {}, DENIED])
    kind = rng.random()
    if kind < 0.7:
        shop.send({"type": "identify", **named, "traits": traits, **shown})
        return
    ref = f"{rng.choice(('user_id', 'anonymous_id'))}:{one()}"
    if kind < 0.78:
        shop.ask("POST", "/v1/profiles/unmerge", "privacy", json={"identifiers": [ref]})
    elif kind < 0.82:
        shop.ask("DELETE", f"/v1/identifiers/{ref}", "privacy")
    elif kind < 0.88:
        decisions = {"Marketing": rng.random() < 0.5}
        shop.ask("POST", "/v1/consent", "privacy", json={"identifier": ref, "decisions": decisions})
    elif kind < 0.94:
        asked = {"identifiers": [ref], "kind": "delete"} if rng.random() < 0.5 else {"identifiers": [ref]}
        shop.ask("POST", "/v1/erasures", "privacy", json=asked)
    else:
        put(
            purposes=["Marketing"],
            traits=rng.choice([["*"], ["plan"], ["plan", "email"]]),
            identifiers=rng.choice([["*"], ["email"], ["user_id"]]),
        )
