"""The purposes of a space: read whole or refused with the name of the field, and written back unchanged."""

from typing import Any

import pytest

from identity.planning.consent.alike_purposes import require_distinct_ids
from identity.planning.consent.purposes import MOST_PURPOSES, compile_purposes
from identity.values.calls import DAY
from identity.values.errors import BadPurposes

ADS = {"id": "Ads", "class": "ads"}
WHOLE: dict[str, Any] = {
    "purposes": [{"id": "Ads", "class": "ads", "ttl_days": 30}, {"id": "S", "class": "analytics", "ttl_days": None}],
    "unset": "deny",
    "regions": {"US": {"analytics": "allow"}, "US-CA": {"ads": "deny"}},
    "override_opt_out": True,
}


def test_a_document_is_written_back_as_it_was_read() -> None:
    """With every field."""
    purposes = compile_purposes(WHOLE, 3)

    assert purposes.document() == WHOLE
    assert (purposes.version, purposes.purposes["Ads"].ttl) == (3, 30 * DAY)


def test_the_default_is_that_of_the_nearest_region() -> None:
    """The state, then the country, then the space."""
    purposes = compile_purposes(
        {"purposes": [ADS], "unset": "allow", "regions": {"US": "deny", "US-CA": {"analytics": "allow"}}}, 1
    )

    assert purposes.default("analytics", "US-CA")
    assert not purposes.default("ads", "US-CA")
    assert not purposes.default("ads", "US-NY")
    assert purposes.default("ads", "DE")
    assert purposes.default("ads", None)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ([], "object"),
        ({}, "purposes"),
        ({"purposes": None}, "purposes"),
        ({"purposes": [ADS] * 2}, "repeat"),
        ({"purposes": [{**ADS, "id": f"p{nr}"} for nr in range(MOST_PURPOSES + 1)]}, "purposes"),
        ({"purposes": ["Ads"]}, r"purposes\[0\]"),
        ({"purposes": [{"id": "", "class": "ads"}]}, r"purposes\[0\]\.id"),
        ({"purposes": [{"id": "Ads", "class": "ad"}]}, r"purposes\[0\]\.class.*Did you mean ads"),
        ({"purposes": [{**ADS, "ttl": 1}]}, r"`ttl` in purposes\[0\].*ttl_days"),
        ({"purposes": [{**ADS, "ttl_days": True}]}, "ttl_days"),
        ({"purposes": [{**ADS, "ttl_days": 0}]}, "ttl_days"),
        ({"purposes": [ADS], "unset": "no"}, "unset"),
        ({"purposes": [ADS], "regions": []}, "regions"),
        ({"purposes": [ADS], "regions": {"Germany": "deny"}}, "regions"),
        ({"purposes": [ADS], "regions": {"DE": {"ad": "deny"}}}, "regions.DE"),
        ({"purposes": [ADS], "regions": {"DE": 1}}, "region"),
        ({"purposes": [ADS], "override_opt_out": "yes"}, "override_opt_out"),
        ({"purpose": [ADS]}, "`purpose`.*purposes"),
    ],
)
def test_a_wrong_document_is_refused_with_the_name_of_its_field(document: Any, field: str) -> None:
    """Nothing of it is kept."""
    with pytest.raises(BadPurposes, match=field):
        compile_purposes(document, 1)


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ([" Marketing"], r"purposes\[0\]\.id .*blank"),
        (["Ads", "a "], r"purposes\[1\]\.id .*blank"),
        (["a\u00a0"], "blank"),
        (["a\u200b"], "invisible"),
        (["\u202ea"], "invisible"),
        (["a\u00adb"], "invisible"),
        (["a\u2028b"], "invisible"),
        (["Marketing", "marketing"], r"purposes\[1\]\.id .*purposes\[0\]"),
        (["E-mail", "Email"], "differs"),
        (["a b", "a  b"], "differs"),
        (["a b", "a_B"], "differs"),
        (["Ads", "\uff21ds"], "differs"),
        (["caf\u00e9", "cafe\u0301"], "differs"),
    ],
)
def test_a_new_id_that_looks_like_another_is_refused(ids: list[str], words: str) -> None:
    """A stored document with such ids is still read."""
    purposes = compile_purposes({"purposes": [{"id": id_, "class": "ads"} for id_ in ids]}, 1)

    with pytest.raises(BadPurposes, match=words):
        require_distinct_ids(purposes)


def test_ids_that_differ_to_a_reader_are_taken() -> None:
    """Also ids of signs alone."""
    ids = ["C0001", "C0002", "1", "1.1", "-", "_", "Ads & sales", "Ads sales"]

    require_distinct_ids(compile_purposes({"purposes": [{"id": id_, "class": "ads"} for id_ in ids]}, 1))
