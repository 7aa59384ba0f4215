"""The refusal of a change that a hold forbids names the holds to those who may list them."""

from identity.planning.privacy.hold_refusals import UnderHold
from identity.values.ids import HoldId, public

IDS = [HoldId(bytes([number]) * 16) for number in range(8)]


def test_the_message_counts_the_holds_and_names_none() -> None:
    """Not everybody who meets a hold may know which one."""
    for count, words in (
        (0, "A litigation hold keeps"),
        (1, "A litigation hold keeps"),
        (3, "3 litigation holds keep"),
    ):
        text = str(UnderHold(IDS[:count]))
        assert text.startswith(words)
        assert "hld_" not in text
        assert "GET /v1/holds" in text


def test_the_named_message_has_the_ids_and_the_request_that_releases() -> None:
    """The first five of many."""
    one, many = UnderHold(IDS[:1]).named, UnderHold(IDS, "2 members have left.").named
    assert f"DELETE /v1/holds/{public('hld', IDS[0])}" in one
    assert [public("hld", id_) in many for id_ in IDS] == [True] * 5 + [False] * 3
    assert many.startswith("2 members have left. ")
    assert "and 3 more" in many
    assert UnderHold().named == str(UnderHold())
