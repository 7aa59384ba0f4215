"""Callbacks over HTTP: secrets shown once, pages sent by several processes, one killed; signed acknowledgements."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from tests.app.conftest import Deployment, Shop, log_of, until
from tests.support.privacy.opendsr_requests import request
from tests.support.webhooks.tls_server import OK
from tests.support.webhooks.webhook_receiver import FAILING, Receiver

MAIL = {"purposes": ["Marketing"], "traits": ["plan"], "identifiers": ["email"]}
CONSENT = {"context": {"consent": {"categoryPreferences": {"Marketing": True}}}}


def put(shop: Shop, receiver: Receiver, name: str = "mail") -> dict[str, Any]:
    """A destination with a callback, whose receiver knows its secret."""
    made = shop.ask("PUT", f"/v1/destinations/{name}", json={**MAIL, "callback_url": receiver.url})
    assert made.status_code == 201, made.text
    receiver.secrets.append(made.json()["callback_secret"])
    shop.keys[name] = made.json()["secret"]
    document: dict[str, Any] = made.json()
    return document


def person(name: str, plan: str = "pro") -> dict[str, Any]:
    """What somebody says who grants it."""
    return {"type": "identify", "userId": name, "traits": {"plan": plan, "email": f"{name}@example.org"}, **CONSENT}


def say(
    shop: Shop, destination: str, secret: str, cursor: str, message: str = "msg_1", at: datetime | None = None
) -> httpx.Response:
    """A signed acknowledgement, as its library writes it."""
    at = at or datetime.now(UTC)
    body = json.dumps({"cursor": cursor})
    headers = {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message, at, body),
    }
    return shop.client.post(f"/v1/callbacks/{destination}", content=body, headers=headers)


def test_a_callback_secret_is_shown_once_and_rotated(calling: Shop, deployment: Deployment) -> None:
    """The two newest secrets sign, an older one does not."""
    receiver = deployment.receiver
    none = calling.ask("PUT", "/v1/destinations/mail", json=MAIL).json()
    assert "callback_secret" not in none
    changed = calling.ask("PUT", "/v1/destinations/mail", json={**MAIL, "callback_url": receiver.url}).json()
    assert "secret" not in changed
    again = calling.ask("PUT", "/v1/destinations/mail", json={**MAIL, "callback_url": receiver.url}).json()
    assert "callback_secret" not in again
    first = changed["callback_secret"]
    second, third = (calling.ask("POST", "/v1/destinations/mail/rotate").json()["callback_secret"] for _ in range(2))
    until(lambda: receiver.messages)
    for message, secret in (("msg_2", second), ("msg_3", third)):
        assert say(calling, none["destination_id"], secret, receiver.cursor, message).status_code == 200
    old = say(calling, none["destination_id"], first, receiver.cursor)
    assert (old.status_code, old.json()["code"]) == (401, "invalid_signature")
    for name, secret, good in (("ann", second, True), ("bob", third, True), ("eve", first, False)):
        receiver.secrets, receiver.forged = [secret], 0
        calling.send(person(name))
        until(lambda: receiver.forged or receiver.held)
        assert bool(receiver.held) is good
        receiver.held.clear()


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "https://127.0.0.1/", "https://nowhere.invalid/hook"])
def test_an_address_that_cannot_be_called_is_rejected(calling: Shop, url: str) -> None:
    """Nothing is created."""
    answer = calling.ask("PUT", "/v1/destinations/mail", json={**MAIL, "callback_url": url})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_callback")
    assert calling.ask("GET", "/v1/destinations").json() == {"destinations": []}


def test_a_signed_message_acknowledges_once(calling: Shop, deployment: Deployment) -> None:
    """Forged, old, repeated or of another destination it changes nothing."""
    receiver = deployment.receiver
    made, other = put(calling, receiver), put(calling, receiver, "ads")
    id_, secret = made["destination_id"], made["callback_secret"]
    calling.send(person("ann"))
    until(lambda: len({each["destination_id"] for each in receiver.messages if each["changes"]}) == 2)
    asked = calling.ask("POST", "/v1/erasures", "privacy", json={"identifiers": ["user_id:ann"]}).json()
    erasure = asked["erasures"][0]["erasure_id"]

    def state() -> dict[str, str]:
        notices = calling.ask("GET", f"/v1/erasures/{erasure}", "privacy").json()["destinations"]
        return {each["name"]: each["status"] for each in notices}

    until(lambda: state() == {"mail": "accepted", "ads": "accepted"})
    cursors = {message["destination_id"]: message["cursor"] for message in receiver.messages}
    cursor = cursors[id_]
    old = datetime.fromtimestamp(time.time() - 301, UTC)
    refused = [
        (401, say(calling, id_, other["callback_secret"], cursor)),
        (401, say(calling, id_, secret, cursor, at=old)),
        (401, say(calling, other["destination_id"], secret, cursor)),
        (401, say(calling, "dst_" + "0" * 32, secret, cursor)),
        (401, say(calling, "nobody", secret, cursor)),
        (401, calling.client.post(f"/v1/callbacks/{id_}", json={"cursor": cursor})),
        (409, say(calling, id_, secret, cursors[other["destination_id"]])),
        (413, say(calling, id_, secret, "c" * 5000)),
        (422, calling.client.post(f"/v1/callbacks/{id_}", **signed(secret, b'{"cursor": 7}'))),
    ]
    assert [answer.status_code for _, answer in refused] == [status for status, _ in refused]
    assert {answer.json()["code"] for status, answer in refused if status == 401} == {"invalid_signature"}
    assert state() == {"mail": "accepted", "ads": "accepted"}

    taken = say(calling, id_, secret, cursor)
    assert (taken.status_code, taken.json()["erasures"]) == (200, 1)
    assert state() == {"mail": "done", "ads": "accepted"}
    again = say(calling, id_, secret, cursor)
    assert (again.status_code, again.json()["code"]) == (409, "callback_repeated")
    # The same id of another destination is another message.
    assert (
        say(calling, other["destination_id"], other["callback_secret"], cursors[other["destination_id"]]).status_code
        == 200
    )
    assert state() == {"mail": "done", "ads": "done"}


def test_attack_173_a_pushed_page_acknowledges_nothing(calling: Shop, deployment: Deployment) -> None:
    """Body, id and signature are Onefold's own, with the cursor after the page."""
    receiver, sent = deployment.receiver, list[tuple[bytes, dict[str, str]]]()
    receiver.raw = lambda body, headers: sent.append((body, headers))
    made = put(calling, receiver)
    calling.send(person("ann"))
    until(lambda: any(each["changes"] for each in receiver.messages))
    for body, headers in list(sent):
        mine = {name: value for name, value in headers.items() if name.startswith("webhook-")}
        back = calling.client.post(f"/v1/callbacks/{made['destination_id']}", content=body, headers=mine)
        assert (back.status_code, back.json()["code"]) == (401, "invalid_signature")


def signed(secret: str, body: bytes) -> dict[str, Any]:
    """A signed request as a client is given it."""
    at = datetime.now(UTC)
    text = body.decode()
    headers = {
        "webhook-id": "msg_2",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_2", at, text),
    }
    return {"content": body, "headers": headers}


def test_a_destination_given_up_is_resumed_without_loss(calling: Shop, deployment: Deployment) -> None:
    """The list and the log show it; resumed, it receives all it missed."""
    receiver = deployment.receiver
    receiver.answer = FAILING
    put(calling, receiver)
    until(lambda: receiver.messages)
    until(lambda: calling.ask("GET", "/v1/destinations/mail").json()["push"] == "failing")
    week = 7 * 86_400_000_000
    deployment.rows("UPDATE delivery SET next_at = 0, first_failed_at = first_failed_at - %s WHERE attempts > 0", week)
    until(lambda: calling.ask("GET", "/v1/destinations/mail").json()["push"] == "dead")
    assert '"event": "push.dead"' in log_of(deployment.running).read_text()
    calling.send(person("ann"))
    receiver.answer = OK
    resumed = calling.ask("POST", "/v1/destinations/mail/resume")
    assert (resumed.status_code, resumed.json()["push"]) == (200, "working")
    until(lambda: receiver.held)
    assert calling.ask("POST", "/v1/destinations/nobody/resume").status_code == 404


def test_the_controller_of_an_opendsr_request_is_called_back(calling: Shop, deployment: Deployment) -> None:
    """At its address, once the request is done."""
    receiver = deployment.receiver
    document = request(status_callback_urls=[receiver.server.url("/status")])
    assert calling.ask("POST", "/opendsr/v1/opendsr_requests", "privacy", json=document).status_code == 201
    until(lambda: receiver.statuses)
    (status,) = receiver.statuses
    assert (status["subject_request_id"], status["request_status"]) == (document["subject_request_id"], "completed")


def test_a_page_of_a_killed_process_is_sent_again(calling: Shop, deployment: Deployment) -> None:
    """Others send it again, and the receiver has the same state."""
    receiver = deployment.receiver
    put(calling, receiver)
    until(lambda: receiver.messages)
    killed: list[int] = []

    def kill(_: dict[str, Any]) -> None:
        for each in deployment.workers() if not killed else ():
            killed.append(each.pid)
            each.kill()

    receiver.before = kill
    calling.send(*(person(f"u{nr}") for nr in range(30)))
    until(lambda: len(receiver.held) == 30)
    held = dict(receiver.held)
    assert len(killed) == 2
    # Its claim ends by itself, later than a test wants to wait.
    deployment.rows("UPDATE delivery SET next_at = 0")
    until(lambda: len(receiver.ids) == 3)
    assert receiver.ids[1] == receiver.ids[2]
    assert receiver.held == held
    assert {each.pid for each in deployment.workers()}.isdisjoint(killed)
    for plan in ("team", "gone"):
        calling.send(*(person(f"u{nr}", plan) for nr in range(30)))
    until(lambda: list(receiver.held.values()) == [{"plan": "gone"}] * 30)
    assert len(receiver.ids) == len(set(receiver.ids)) + 1
    assert receiver.forged == 0
