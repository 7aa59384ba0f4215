"""The rules of a space over HTTP: the defaults in force, what a document sets back, and a change of one thing."""

from typing import Any

import pytest

from tests.app.conftest import Shop


def rules(shop: Shop) -> dict[str, Any]:
    """The rules in force."""
    return dict(shop.ask("GET", "/v1/rules").json())


def change(shop: Shop, method: str, document: Any) -> dict[str, Any]:
    """A change that is taken."""
    answer = shop.ask(method, "/v1/rules", json=document)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_the_defaults_and_the_placeholders_in_force_are_shown(shop: Shop) -> None:
    """Nothing has to be looked up; an answer can be sent back, and changes nothing."""
    shown = rules(shop)
    assert (shown["limits"]["android.id"], shown["default_limit"], shown["shared_limit"]) == ({"max": 20},) * 3
    assert shown["limits"]["anonymous_id"] == {"max": 100}
    assert {"undefined", "null", "n/a"} <= set(shown["placeholders"]["values"])
    assert "test@test.com" in shown["placeholders"]["emails"]
    assert change(shop, "PUT", shown)["reset"] == []
    assert rules(shop) == shown


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_what_no_document_changes_is_refused_unless_it_is_as_shown(shop: Shop, method: str) -> None:
    """An answer can be sent back, also an earlier one."""
    shown = rules(shop)
    change(shop, "PATCH", {"region": "DE"})
    unlike: list[dict[str, Any]] = [
        {"placeholders": []},
        {"placeholders": {}},
        {"placeholders": {"values": []}},
        {"placeholders": {**shown["placeholders"], "emails": []}},
        {"version": "zzz"},
        {"version": True},
        {"version": -1},
        {"version": 1.0},
        {"version": shown["version"] + 2},
    ]
    for wrong in unlike:
        answer = shop.ask(method, "/v1/rules", json=wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_rules"), wrong
        assert f"`{next(iter(wrong))}`" in answer.text
    change(shop, method, {"placeholders": None, "version": None})
    change(shop, method, shown)
    change(shop, method, {**shown, "region": "FR"})
    assert rules(shop)["region"] == "FR"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_entry_that_protects_nothing_is_refused_and_a_loss_of_protection_is_named(shop: Shop, method: str) -> None:
    """A simulation refuses such a document as well."""
    wrong = (["*"], ["Email"], [" email"], ["email", "email"])
    for protected in wrong:
        for verb, path in ((method, "/v1/rules"), ("POST", "/v1/rules/simulate")):
            answer = shop.ask(verb, path, json={"protected": protected})
            assert (answer.status_code, answer.json()["code"]) == (422, "bad_rules"), protected
            assert "of `protected`" in answer.text
    assert rules(shop)["protected"] == ["email", "phone"]
    assert change(shop, method, {"protected": ["phone", "plan"]})["unprotected"] == ["email"]
    assert "unprotected" not in change(shop, method, {"protected": ["phone", "plan", "email"]})


def test_a_change_of_nothing_makes_no_version(shop: Shop) -> None:
    """The answer has the version in force, for a patch and for a whole document."""
    assert change(shop, "PATCH", {}) == change(shop, "PUT", {}) == {"version": 0, "reset": []}
    version = change(shop, "PUT", {"region": "DE"})["version"]
    same: list[dict[str, Any]] = [{}, {"region": "DE"}, {"limits": {}}, {"limits": {"user_id": {"max": 1}}}]
    for document in same:
        assert change(shop, "PATCH", document) == {"version": version, "reset": []}
    assert change(shop, "PATCH", {"region": None})["version"] == version + 1


def test_a_type_that_a_call_has_brought_may_be_like_a_built_in_one(shop: Shop) -> None:
    """The rules in force may name it again, also after the space lost it."""
    document = {"limits": {"userid": {"max": 3}}}
    assert shop.ask("PUT", "/v1/rules", json=document).status_code == 422
    own = {"type": "userid", "id": "u1", "collection": "users", "encoding": "none"}
    shop.send({"type": "track", "event": "E", "userId": "u1", "context": {"externalIds": [own]}})
    change(shop, "PUT", document)
    change(shop, "PATCH", {"limits": {"userid": {"max": 4}}, "region": "DE"})


def test_a_put_names_what_it_sets_back(shop: Shop) -> None:
    """Fields and types that the document leaves out and that had other values."""
    change(shop, "PUT", {"limits": {"crm": {"max": 3}, "email": {"max": 2}}, "blocked": {"*": ["x"]}, "region": "DE"})
    assert change(shop, "PUT", {"limits": {"crm": {"max": 4}}, "region": "FR"})["reset"] == ["limits.email", "blocked"]
    assert change(shop, "PUT", {})["reset"] == ["limits", "region"]
    assert change(shop, "PUT", {})["reset"] == []


def test_a_patch_changes_one_thing(shop: Shop) -> None:
    """By type within limits and blocked; null gives the default back."""
    change(shop, "PUT", {"limits": {"crm": {"max": 3}}, "blocked": {"*": ["x"]}, "region": "DE"})
    before = rules(shop)
    assert change(shop, "PATCH", {"limits": {"email": {"max": 5}}})["reset"] == []
    after = rules(shop)
    assert after["limits"] == {**before["limits"], "email": {"max": 5}}
    assert {name: after[name] for name in before if name not in ("limits", "version")} == {
        name: before[name] for name in before if name not in ("limits", "version")
    }
    change(shop, "PATCH", {"limits": {"email": None, "crm": None, "never_named": None}, "region": None})
    assert (rules(shop)["limits"], rules(shop)["region"]) == (rules_of_a_fresh_space(before), "US")
    assert change(shop, "PATCH", {})["version"] == rules(shop)["version"]


def rules_of_a_fresh_space(shown: dict[str, Any]) -> dict[str, Any]:
    """The limits without the custom type."""
    return {type_: limit for type_, limit in shown["limits"].items() if type_ != "crm"}


@pytest.mark.parametrize(
    "patch", [[], {"limit": {}}, {"limits": {"email": {"max": 0}}}, {"region": "de"}, {"limits": 5}]
)
def test_a_bad_patch_changes_nothing(common_shop: Shop, patch: Any) -> None:
    """The answer names what is wrong."""
    before = rules(common_shop)
    answer = common_shop.ask("PATCH", "/v1/rules", json=patch)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_rules")
    assert rules(common_shop) == before
