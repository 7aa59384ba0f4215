"""What was sent is what was taken and what the list of rejections holds, over the wire."""

import random
from collections import Counter
from typing import Any

from tests.app.conftest import Shop, Suppress
from tests.support.planning.mistaken_calls import mistaken_call

CALLS = 200


def pages(shop: Shop, path: str, name: str) -> list[dict[str, Any]]:
    """All items of a list."""
    found: list[dict[str, Any]] = []
    params: dict[str, str] = {}
    while True:
        answer = shop.ask("GET", path, params=params).json()
        found += answer[name]
        if answer["next_cursor"] is None:
            return found
        params["cursor"] = answer["next_cursor"]


def test_the_list_and_its_summary_account_for_every_mistaken_call(shop: Shop, suppress: Suppress) -> None:
    """Accepted, rejected, suppressed and unresolved calls add up; so do demoted identifiers, by reason."""
    suppress(shop, "user_id", "u3")
    chance = random.Random(7)
    sent = [mistaken_call(chance, number).body for number in range(CALLS)]
    outcomes = [each for at in range(0, CALLS, 50) for each in shop.send(*sent[at : at + 50])]
    lines = pages(shop, "/v1/rejections", "rejections")
    counts = pages(shop, "/v1/rejections/summary", "counts")

    statuses = Counter(each["status"] for each in outcomes)
    assert len(outcomes) == statuses.total() == CALLS
    assert set(statuses) == {"accepted", "rejected", "suppressed", "unresolved"}
    listed = Counter(each["status"] for each in lines if each["status"] != "accepted")
    assert listed == statuses - Counter(accepted=CALLS)
    assert all(each["reason"] for each in outcomes if each["status"] in ("rejected", "unresolved"))

    demoted = Counter(each["reason"] for outcome in outcomes for each in outcome["demoted"] if _listed(outcome, each))
    assert demoted == sum((Counter({d["reason"]: d["count"]}) for line in lines for d in line["demoted"]), Counter())
    wanted = demoted + Counter(each["reason"] or each["status"] for each in outcomes if each["status"] != "accepted")
    wanted += Counter(each["reason"] for outcome in outcomes for each in outcome.get("ignored_fields", ()))
    wanted["ignored_timestamp"] = sum(each["ignored_timestamp"] is not None for each in outcomes)
    assert sum((Counter({each["reason"]: each["count"]}) for each in counts), Counter()) == wanted


def _listed(outcome: dict[str, Any], demoted: dict[str, str]) -> bool:
    """Whether the list holds a demoted identifier: SDKs send an empty user id beside a usable identifier."""
    empty_user_id = demoted["reason"] == "empty" and demoted["identifier"].startswith("user_id:")
    return not (empty_user_id and outcome["status"] == "accepted")
