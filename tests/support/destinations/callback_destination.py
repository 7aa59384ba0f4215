"""A destination with a callback on a space of its own, and the task that sends to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app.schemas.feed import feed_message
from identity.operations.destinations import manage_destinations, manage_purposes
from identity.operations.destinations.acknowledge_changes import acknowledge_changes
from identity.operations.destinations.destination_scope import open_scope
from identity.operations.destinations.destination_status import DestinationStatus
from identity.operations.destinations.manage_destinations import DestinationSecrets
from identity.operations.destinations.opened_items import read_position
from identity.operations.destinations.push_changes import Pushing
from identity.operations.destinations.read_changes import page_after
from identity.operations.privacy.request_erasure import request_erasure
from identity.planning.privacy.privacy_requests import NewRequest, PrivacyRequest
from identity.values.enums import Law, RequestInterface, RequestKind
from identity.values.ids import public
from identity.values.stamps import Micros, wall_time
from identity.webhooks.client import Client
from tests.support.processes.writer_processes import Ingest, Lab, ingesting
from tests.support.webhooks.tls_server import LOOPBACK, Names, authority
from tests.support.webhooks.webhook_receiver import Receiver, receiving

MAIL = {"purposes": ["Marketing"], "traits": ["plan"], "identifiers": ["email"]}


class Hour:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = wall_time()

    def __call__(self) -> Micros:
        """The time, in microseconds."""
        return self.now


class Mail:
    """A destination with a callback, and what sends to it."""

    def __init__(self, ingest: Ingest, receiver: Receiver, client: Client, made: DestinationSecrets) -> None:
        self.ingest, self.space = ingest, ingest.space
        self.receiver, self.client = receiver, client
        self.id = made.id
        self.public = public("dst", made.id)
        self.clock = Hour()
        self.pushing = Pushing(ingest.spaces, client, page_after, feed_message, self.clock)
        receiver.secrets = [made.callback_secret or ""]

    async def send(self) -> None:
        """Sends everything that may be sent now."""
        while await self.pushing.send(self.space, self.id):
            pass

    async def status(self) -> DestinationStatus:
        """The destination as its admin sees it."""
        return await manage_destinations.get_destination(self.space, "mail")

    async def ack(self, cursor: str) -> int:
        """Acknowledges with a cursor; returns the number of settled erasures."""
        scope = await open_scope(self.space, self.public)
        return (await acknowledge_changes(self.space, scope.id, read_position(self.space, scope, cursor))).erasures

    async def erase(self, who: str) -> PrivacyRequest:
        """Erases somebody under the GDPR."""
        return await request_erasure(
            self.space,
            NewRequest(
                front=RequestInterface.NATIVE,
                kind=RequestKind.SUPPRESS_WITH_DELETE,
                regulation=Law.GDPR,
                identifiers=[who],
                actor="key_test",
            ),
        )

    def next_at(self) -> Micros:
        """When it is sent to again."""
        question = "SELECT next_at FROM delivery WHERE space_id = %s"
        return Micros(self.ingest.lab.query(question, self.space.tenant.id)[0][0])

    def now_due(self) -> None:
        """Lets it be sent to at once."""
        self.ingest.lab.query("UPDATE delivery SET next_at = 0 WHERE space_id = %s", self.space.tenant.id)


@asynccontextmanager
async def mailing(lab: Lab, **settings: Any) -> AsyncIterator[Mail]:
    """A destination on a new space with a purpose."""
    with receiving() as receiver:
        client = Client(
            **{
                "resolve": Names(["127.0.0.1"]),
                "allowed": [LOOPBACK],
                "tls": authority().trusting(),
                "ports": {receiver.server.port},
                **settings,
            }
        )
        async with ingesting(lab) as ingest:
            await manage_purposes.put_purposes(
                ingest.space, {"purposes": [{"id": "Marketing", "class": "ads"}]}, "key_test"
            )
            document = {**MAIL, "callback_url": receiver.url}
            made = await manage_destinations.put_destination(ingest.space, "mail", document, "key_test", client.vet)
            yield Mail(ingest, receiver, client, made)
            # The monitors count over all spaces.
            await manage_destinations.remove_destination(ingest.space, "mail", "key_test")
        await client.aclose()


def person(name: str, *, marketing: bool = True, **traits: Any) -> dict[str, Any]:
    """A statement of a person about themselves."""
    consent = {"context": {"consent": {"categoryPreferences": {"Marketing": marketing}}}}
    return {
        "type": "identify",
        "userId": name,
        "traits": {"plan": "pro", "email": f"{name}@example.org", **traits},
        **consent,
    }
