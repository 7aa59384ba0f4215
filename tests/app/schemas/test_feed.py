"""A page of the feed as the API answers it, and as a callback receives it."""

import json

import msgspec

from app.schemas.feed import feed_message, feed_page
from identity.operations.destinations.read_changes import ChangePage, PushPage, VisibleChange
from identity.planning.destinations.audience import Audience
from identity.values.ids import ProfileId
from identity.values.stamps import Micros

ONE, OTHER = ProfileId(b"1" * 16), ProfileId(b"2" * 16)
MERGE = VisibleChange(
    op="merge", profile=ONE, version=3, other_profile_ids=(OTHER,), identifiers=[], traits={}, at=Micros(0)
)


def test_a_change_names_the_profile_and_the_others() -> None:
    """Of a merge those that are gone."""
    (entry,) = feed_page(ChangePage([MERGE], "c", more=True)).changes

    assert (entry.profile_id, entry.other_profile_ids) == ("prf_" + "31" * 16, ["prf_" + "32" * 16])
    assert entry.at == "1970-01-01T00:00:00.000Z"


def test_a_page_says_who_may_be_seen_only_where_somebody_asked() -> None:
    """The field is absent otherwise."""
    page = ChangePage([], "c", more=False)

    assert json.loads(msgspec.json.encode(feed_page(page))) == {"changes": [], "cursor": "c", "has_more": False}
    assert feed_page(page, Audience(1, 1, 0, [])).audience is not None


def test_a_message_that_starts_again_says_so() -> None:
    """Other messages lack the field."""
    page = PushPage([MERGE], "c", b"packed")
    usual, anew = (json.loads(feed_message("dst_1", page, resync)) for resync in (False, True))

    assert (usual["destination_id"], usual["cursor"], len(usual["changes"])) == ("dst_1", "c", 1)
    assert anew == {**usual, "resync": True}
