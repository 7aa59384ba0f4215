"""Privacy requests about people to whom public keys alone have joined identifiers: warned of, refused, or cut off."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.privacy.public_joins import find_joined_people, settle_public_joins
from identity.planning.privacy.privacy_requests import NewRequest
from identity.planning.privacy.public_joins import JoinPolicy
from identity.values.calls import Identifier, Source
from identity.values.enums import Law, RequestInterface, RequestKind
from identity.values.errors import Conflict, NotOneProfile
from tests.app.conftest import Shop
from tests.support.http.unmerges import get, ids
from tests.support.http.waiting_joins import ANN, CLAIM, public
from tests.support.privacy.opendsr_requests import ask as ask_opendsr
from tests.support.privacy.opendsr_requests import identity, request
from tests.support.processes.writer_processes import Lab, ingesting

DEVICE = {"type": "identify", "userId": "ann", "anonymousId": "evil", "traits": {"plan": "hers"}}
SERVER = Source(9_001, server=True)
HERS = {"user_id:ann", "email:ann@shop.example"}


def ask(shop: Shop, path: str, *identifiers: str, **wanted: Any) -> tuple[int, dict[str, Any]]:
    """The status and the body of the answer to a request about people."""
    answer = shop.ask("POST", path, "privacy", json={"identifiers": identifiers, **wanted})
    return answer.status_code, answer.json()


@pytest.fixture
def attacked(shop: Shop) -> Shop:
    """Ann, whom a server knows, and the device of somebody who named her user id with a public key."""
    shop.send(ANN)
    public(shop, {"type": "page", "anonymousId": "evil", "name": "Before"}, DEVICE)
    assert ids(get(shop, "user_id:ann")) == {*HERS, "anonymous_id:evil"}
    return shop


@pytest.mark.parametrize("path", ["/v1/erasures", "/v1/exports"])
def test_a_request_names_what_public_keys_alone_have_joined(attacked: Shop, path: str) -> None:
    """From either side; the answer says what to do."""
    status, made = ask(attacked, path, "user_id:ann")
    assert status == 202
    joins = made["public_joins"]
    assert (joins["total"], joins["identifiers"], joins["cut"]) == (1, ["anonymous_id:evil"], False)
    assert "/v1/profiles/unmerge" in joins["advice"]


def test_a_request_from_the_side_of_the_attacker_names_the_person(attacked: Shop) -> None:
    """Both identifiers of the person are joined to the device by public calls alone."""
    _, made = ask(attacked, "/v1/exports", "anonymous_id:evil")
    assert (made["public_joins"]["total"], set(made["public_joins"]["identifiers"])) == (2, HERS)
    _, both = ask(attacked, "/v1/exports", "anonymous_id:evil", "email:ann@shop.example", "user_id:nobody")
    assert both["public_joins"] is None


@pytest.mark.parametrize("path", ["/v1/erasures", "/v1/exports"])
def test_attack_216_a_request_that_refuses_public_joins_does_nothing(attacked: Shop, path: str) -> None:
    """The device of a stranger does not take the person with it."""
    status, problem = ask(attacked, path, "anonymous_id:evil", public_joins="refuse")
    assert (status, problem["code"]) == (409, "public_joins")
    assert ids(get(attacked, "user_id:ann")) == {*HERS, "anonymous_id:evil"}
    assert attacked.ask("GET", path, "privacy").json()[path.removeprefix("/v1/")] == []
    assert ask(attacked, path, "user_id:nobody", public_joins="refuse")[0] == 202


def test_attack_216_an_erasure_of_one_side_leaves_the_other(attacked: Shop) -> None:
    """The person keeps her identifiers, also after later public calls; the request again has the same results."""
    headers = {"Idempotency-Key": "device"}
    wanted = {"identifiers": ["anonymous_id:evil"], "public_joins": "cut"}
    first, again = (
        attacked.ask("POST", "/v1/erasures", "privacy", json=wanted, headers=headers).json() for _ in range(2)
    )
    assert (first["found"], first["public_joins"]["cut"], first["public_joins"]["total"]) == (True, True, 2)
    assert again["erasures"] == first["erasures"]
    assert again["public_joins"] == {**first["public_joins"], "identifiers": []}
    assert attacked.ask("GET", "/v1/profiles/anonymous_id:evil").status_code == 404
    assert ids(get(attacked, "user_id:ann")) == HERS
    public(attacked, DEVICE)
    assert ids(get(attacked, "user_id:ann")) == HERS
    other = attacked.ask("POST", "/v1/erasures", "privacy", json={**wanted, "public_joins": "include"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


def test_an_export_of_one_side_has_nothing_of_the_other(attacked: Shop) -> None:
    """The calls of the device stay with the device."""
    _, made = ask(attacked, "/v1/exports", "user_id:ann", public_joins="cut")
    (ann,) = downloaded(attacked, made)["profiles"]
    assert {f"{each['type']}:{each['value']}" for each in ann["identifiers"]} == HERS
    assert [call["body"].get("anonymousId") for call in ann["calls"]] == [None, "evil"]
    assert ids(get(attacked, "anonymous_id:evil")) == {"anonymous_id:evil"}


def test_a_hold_keeps_the_sides_together(attacked: Shop) -> None:
    """The request is refused, and nothing is erased."""
    held = {"identifiers": ["user_id:ann"], "reason": "A lawsuit."}
    assert attacked.ask("POST", "/v1/holds", "privacy", json=held).status_code == 201
    status, problem = ask(attacked, "/v1/erasures", "anonymous_id:evil", public_joins="cut")
    assert (status, problem["code"]) == (409, "under_hold")
    assert ids(get(attacked, "user_id:ann")) == {*HERS, "anonymous_id:evil"}


def test_what_servers_have_joined_is_no_public_join(shop: Shop) -> None:
    """Also where a later call of a server names what a public call had joined; nor is a person of one identifier."""
    public(shop, {"type": "page", "userId": "ann", "anonymousId": "tv"}, {"type": "page", "anonymousId": "lone"})
    shop.send(ANN, {"type": "track", "event": "E", "userId": "ann", "anonymousId": "tv"})
    status, made = ask(shop, "/v1/exports", "user_id:ann", "anonymous_id:lone", public_joins="refuse")
    assert (status, made["public_joins"]) == (202, None)
    profiles = downloaded(shop, made)["profiles"]
    assert [each for profile in profiles for each in profile["identifiers"] if "side" in each] == []


def test_an_export_numbers_the_sides_and_lists_the_joins_of_the_person(attacked: Shop) -> None:
    """Those that her calls claim and those that others claim of her, without a word about the others."""
    public(attacked, CLAIM)
    ada = {"type": "identify", "userId": "ada", "traits": {"email": "ada@shop.example"}}
    attacked.send(ada)
    public(attacked, {"type": "identify", "anonymousId": "evil", "traits": {"email": "ada@shop.example"}})
    _, made = ask(attacked, "/v1/exports", "user_id:ann")
    (ann,) = downloaded(attacked, made)["profiles"]
    sides = {each["value"]: each["side"] for each in ann["identifiers"]}
    assert sides["ann"] == sides["ann@shop.example"] != sides["evil"]
    joins = {each["value"]: each for each in ann["joins"]}
    assert {value: (each["claimed_by_person"], each["state"]) for value, each in joins.items()} == {
        "ann@shop.example": (False, "waiting"),
        "ada@shop.example": (True, "waiting"),
    }
    others = {get(attacked, ref)["profile_id"] for ref in ("anonymous_id:tablet", "user_id:ada")}
    assert not [id_ for id_ in others if id_ in str(ann)]


@pytest.mark.parametrize("type_", ["erasure", "access"])
def test_opendsr_counts_the_public_joins(attacked: Shop, type_: str) -> None:
    """In its answer, in that to the same request again, and in its status."""
    wanted = request(subject_request_type=type_, subject_identities=[identity("email", "ann@shop.example")])
    made = ask_opendsr(attacked, wanted)
    assert made.status_code == 201, made.text
    assert ask_opendsr(attacked, wanted).json() == made.json()
    shown = attacked.ask("GET", f"/opendsr/v1/requests/{wanted['subject_request_id']}", "privacy").json()
    assert (made.json()["public_joins"], shown["public_joins"]) == (1, 1)


def downloaded(shop: Shop, made: dict[str, Any]) -> dict[str, Any]:
    """The document of an export."""
    shown = shop.ask("GET", f"/v1/exports/{made['export_id']}?wait=30", "privacy").json()
    assert shown["state"] == "ready", shown
    document: dict[str, Any] = shop.ask("GET", made["download_url"], "privacy").json()
    return document


async def test_a_cut_looks_again_where_the_identifiers_move_meanwhile(database: str, tmp_path: Path) -> None:
    """Another unmerge takes one of them away between the look and the cut; where they never rest, nothing is done."""
    ann = Identifier("user_id", "ann")
    async with ingesting(Lab(database, tmp_path)) as ingest:
        space = ingest.space
        await ingest.send(ANN)
        await ingest.send(DEVICE, {**DEVICE, "anonymousId": "evil-too"}, server=False)
        sides: list[list[str]] = []

        async def cut(side: Sequence[str]) -> object:
            sides.append(sorted(side))
            if len(sides) == 1:
                await unmerge_profile(space, ["email:ann@shop.example"], block=False, source=SERVER, actor="t")
            return await unmerge_profile(space, side, block=True, source=SERVER, actor="t")

        _, joins = await settle_public_joins(space, asked("cut"), [ann], cut)
        assert joins is not None
        assert joins.total == 2
        assert sides == [sorted(HERS), ["user_id:ann"]]
        assert await find_joined_people(space, [ann], with_sides=True) == []

        await ingest.send(DEVICE | {"anonymousId": "evil-again"}, server=False)

        async def moving(_side: Sequence[str]) -> object:
            raise NotOneProfile

        with pytest.raises(Conflict):
            await settle_public_joins(space, asked("cut"), [ann], moving)


def asked(joins: JoinPolicy) -> NewRequest:
    """A request about Ann."""
    return NewRequest(
        front=RequestInterface.NATIVE,
        kind=RequestKind.DELETE_ONLY,
        regulation=Law.NONE,
        identifiers=["user_id:ann"],
        actor="t",
        public_joins=joins,
    )
