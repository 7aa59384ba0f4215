"""The plant of the leak scan: every value is sent, and what can be disclosed and erased is."""

from typing import Any, LiteralString

import psycopg

from app.commands.leak_scan.plant import plant_everything
from app.commands.leak_scan.planted_values import PlantedValues
from app.commands.leak_scan.planter import Planter
from app.commands.leak_scan.privacy_requests import erase_people
from app.commands.leak_scan.space_client import SpaceClient
from tests.app.conftest import Shop
from tests.conftest import Running
from tests.support.integrity.request_recorder import Recorder

# Kinds of places that the scan covers; a kind may be added, none may be lost.
KINDS = (
    "OpenDSR extension", "OpenDSR request in error", "address query", "advertising id", "anonymous id",
    "batch that is text", "blocked pattern", "blocked type", "blocked user id", "body cut off", "broken body",
    "callback address", "callback address of a destination", "confirmation", "consent category", "consent evidence",
    "consent string", "content encoding", "content length", "context field", "context trait", "context trait value",
    "context value", "controller", "cursor in error", "cursor of a destination", "custom identifier", "deep body",
    "destination in error", "device id", "e-mail", "e-mail domain", "envelope context", "erasure in error",
    "event name", "export in error", "extension reason", "group id", "group name", "group trait name",
    "group trait value", "half a character", "hold reason", "huge body", "idempotency key", "identifier in a question",
    "identifier type", "integration", "ip", "item that is text", "jurisdiction in error", "large value",
    "limit in error", "limited type", "long trait value", "many traits", "message id", "method", "name",
    "name in consent evidence", "nested trait name", "nested trait value", "packed event", "page category",
    "page name", "pattern in error", "percent-encoding in error", "phone", "previous id",
    "profile a destination asks for",
    "profile id in error", "property e-mail", "property name", "property value", "purpose", "purposes in error",
    "push token", "raced user id", "referrer", "region in error", "regulated user id", "regulation in error",
    "rejected type", "rejected value", "removed e-mail", "request header", "request path", "request query",
    "rules in a list", "screen name", "sent at", "simulated pattern", "time in error", "trait in a question",
    "trait name", "trait name without room", "trait of a destination", "trait of nobody", "trait value", "tried trait",
    "tried type", "tried user id", "tried value", "type in the priority", "type of a destination", "unknown address",
    "unknown e-mail", "unknown field", "unknown group id", "unknown parameter", "unknown query", "unknown route",
    "unknown user id", "unknown value", "user agent", "user id", "user id of a late erasure",
    "user id of a removed identifier", "user id of an OpenDSR request", "user id on hold", "value blocked everywhere",
    "value in a list", "wrong key",
)  # fmt: skip


def test_every_value_is_sent() -> None:
    """No value exists that no request carries, and no kind is lost."""
    values, recorder = PlantedValues(), Recorder()
    planter = Planter(values, recorder)
    erase_people(planter, plant_everything(planter))

    sent = recorder.sent.replace("+", "")
    # The packed body is the one that cannot be read here.
    assert {name for name, value in values.by_name.items() if value not in sent} == {"packed event"}
    assert set(KINDS) - values.by_name.keys() == set()


def test_the_plant_has_disclosures_and_an_erasure_to_announce(
    shop: Shop, live: Running, rows: psycopg.Connection[Any]
) -> None:
    """A destination reads and acknowledges, so the erasure that follows has a destination to notify."""
    values = PlantedValues()
    planter = Planter(values, SpaceClient(live.url, {**shop.keys, "operator": live.admin_token}))
    people = plant_everything(planter)
    id_ = shop.space_id.removeprefix("spc_")

    def count(table: LiteralString) -> int:
        of = f"{table} t JOIN space s ON s.id = t.space_id WHERE s.public_id = %s"
        (found,) = rows.execute(f"SELECT count(*) FROM {of}", [id_]).fetchone() or (0,)
        return int(found)

    assert [table for table in ("purposes", "destination", "disclosure") if not count(table)] == []
    assert count("(SELECT * FROM delivery WHERE acked IS NOT NULL)") == 1
    assert erase_people(planter, people) == 0
    assert count("erasure_notice") > 0
    assert [
        name
        for name, value in values.by_name.items()
        if any(value.encode() in refusal.content for refusal in planter.refusals)
    ] == []
