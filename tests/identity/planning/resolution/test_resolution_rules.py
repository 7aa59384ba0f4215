"""Rules compile whole or not at all, answer as documented and disclose none of their text."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identity.planning.resolution.resolution_rules import (
    DEFAULT_RULES,
    Rules,
    TypeLimit,
    compile_rules,
    compile_stored_rules,
)
from identity.values.errors import BadRules

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
SYSTEMS = ("android", "ios")
FIELDS = st.sampled_from([*DEFAULT_RULES.document(), "version", "other"])


def rules(**document: Any) -> Rules:
    """The rules of a document."""
    return compile_rules(document, 1)


def test_an_empty_document_has_the_documented_defaults() -> None:
    """Every field has a default."""
    assert DEFAULT_RULES.document() == {
        "limits": {
            "user_id": {"max": 1},
            **{type_: {"max": 100} for type_ in ("email", "phone", "ga_client_id", "anonymous_id")},
            **{f"{system}.{kind}": {"max": 20} for system in SYSTEMS for kind in ("id", "idfa", "push_token")},
        },
        "default_limit": {"max": 20},
        "shared_limit": {"max": 20},
        "priority": ["user_id", "email", "phone"],
        "blocked": {},
        "max_identifiers": 1_000,
        "max_merges": 1000,
        "region": "US",
        "promote_property_email": False,
        "alias_rename": "server",
        "trust": "source",
        "public": {"email": "unclaimed", "phone": "unclaimed", "*": "unclaimed"},
        "protected": ["email", "phone"],
        "survivorship": {},
    }


def test_stored_rules_of_before_the_classes_of_sources_trust_public_keys_as_they_did() -> None:
    """A document that names `trust` keeps its own."""
    before = {name: value for name, value in DEFAULT_RULES.document().items() if name not in ("trust", "public")}
    assert compile_stored_rules(before, 1).public.trusted
    assert not compile_stored_rules(DEFAULT_RULES.document(), 1).public.trusted


def test_a_null_field_has_its_default() -> None:
    """Null counts as absent."""
    assert rules(limits=None, region=None).document() == DEFAULT_RULES.document()


def test_a_document_compiles_to_itself() -> None:
    """A client can send back an answer, its version included, and changes nothing."""
    document = rules(
        limits={"anonymous_id": {"max": 5, "days": 7}, "user_id": {"max": 2, "days": None}},
        blocked={"email": ["team@co\\.com"], "*": []},
        max_merges=0,
        alias_rename="any",
    ).document()
    assert compile_rules({**document, "version": 9}, 2).document() == document


def test_a_default_limit_of_the_space_holds_for_built_in_types_too() -> None:
    """Rules stored before built-in types had limits of their own hold a default limit, and mean the same."""
    mine = rules(default_limit={"max": 1000}, limits={"email": {"max": 3}})
    limits = {"user_id": 1, "email": 3, "android.id": 1000, "anonymous_id": 1000, "crm": 1000}
    assert {type_: mine.limit(type_).max for type_ in limits} == limits


def test_a_document_may_name_every_built_in_type_beside_the_most_custom_ones() -> None:
    """An answer can be sent back."""
    document = rules(limits={f"custom{nr}": {"max": 1} for nr in range(64)}).document()
    assert rules(**document).document() == document


@pytest.mark.parametrize(
    ("type_", "limit"),
    [("user_id", TypeLimit(1)), ("email", TypeLimit(3)), ("crm", TypeLimit(9)), ("anonymous_id", TypeLimit(5, 7))],
)
def test_a_type_has_its_own_limit_or_the_default(type_: str, limit: TypeLimit) -> None:
    """The limit of user_id is 1 unless `limits` names it."""
    mine = rules(limits={"email": {"max": 3}, "anonymous_id": {"max": 5, "days": 7}}, default_limit={"max": 9})
    assert mine.limit(type_) == limit


def test_only_types_with_days_are_windowed() -> None:
    """A limit without days has no window."""
    mine = rules(limits={"email": {"max": 3}, "anonymous_id": {"max": 5, "days": 7}})
    assert mine.windowed == {"anonymous_id"}


def test_people_rank_before_custom_types_and_devices_last() -> None:
    """Custom types rank by name."""
    types = [
        "anonymous_id",
        "zip",
        "ios.idfa",
        "crm",
        "phone",
        "ga_client_id",
        "email",
        "android.id",
        "user_id",
    ]
    ordered = [
        "user_id",
        "email",
        "phone",
        "crm",
        "zip",
        "android.id",
        "ios.idfa",
        "ga_client_id",
        "anonymous_id",
    ]
    assert sorted(types, key=DEFAULT_RULES.rank) == ordered


def test_the_priority_of_a_space_ranks_first() -> None:
    """Types outside the list keep their order behind it."""
    mine = rules(priority=["anonymous_id", "crm"])
    types = ["user_id", "abc", "crm", "ios.id", "anonymous_id"]
    assert sorted(types, key=mine.rank) == ["anonymous_id", "crm", "abc", "user_id", "ios.id"]


@pytest.mark.parametrize(
    ("type_", "value", "blocked"),
    [
        ("email", "team@co.com", True),
        ("email", "team@coXcom", False),
        ("email", "my.team@co.com", False),
        ("crm", "team@co.com", False),
        ("crm", "spam1", True),
        ("email", "spam1", True),
        ("crm", "SPAM1", False),
        ("crm", "b", True),
        ("crm", "a|b", False),
        ("crm", "HELLO", True),
        ("crm", "x\ny", False),
    ],
)
def test_a_pattern_matches_only_the_whole_value(type_: str, value: str, *, blocked: bool) -> None:
    """For its type or for all types; case matters."""
    mine = rules(blocked={"email": ["team@co\\.com"], "*": ["spam[0-9]", "a|b", "(?i)hello"]})
    assert mine.blocked(type_, value) is blocked


def test_a_hostile_pattern_takes_linear_time() -> None:
    """A pattern that makes a backtracking engine run for years."""
    assert not rules(blocked={"*": ["(a+)+b"]}).blocked("user_id", "a" * 1024)


@pytest.mark.parametrize(
    "patterns",
    [
        ["("],
        ["a)|(b"],
        ["(?=a)"],
        [r"(a)\1"],
        ["((x{100}){100}){100}"],
        [r"\pL{900}"],
        ["\ud800"],
        ["x" * 257],
        [5],
        "x",
        ["a"] * 501,
        [f"{i}{'x' * 200}" for i in range(100)],
    ],
)
def test_an_invalid_or_expensive_pattern_is_refused(patterns: Any) -> None:
    """Before any match."""
    with pytest.raises(BadRules, match="blocked"):
        rules(blocked={"*": patterns})


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ([], "The rules"),
        ({"limit": {}}, "unknown field `limit`. Did you mean limits"),
        ({"x": {}}, "unknown field `x`. Known are"),
        ({"limits": []}, "limits"),
        ({"limits": {"Email": {"max": 1}}}, "limits"),
        ({"limits": {f"t{i}": {"max": 1} for i in range(65)}}, "limits"),
        ({"limits": {"email": {"max": 0}}}, "max in `limits.email` must be a whole number from 1 to"),
        ({"limits": {"email": {"max": True}}}, "max in `limits.email`"),
        ({"limits": {"email": {"max": "1"}}}, "max in `limits.email`"),
        ({"limits": {"email": 5}}, "`limits.email` must be an object, such as"),
        ({"limits": {"email": {"maximum": 5}}}, "`limits.email` has an unknown field `maximum`. Did you mean max"),
        ({"limits": {"phone": {"max": 5}, "email": {}}}, "`limits.email` has no max"),
        ({"limits": {"phone": {"max": 5}, "x@y": {"max": 1}}}, "entry 2 of `limits` is no identifier type"),
        ({"limits": {"E-mail": {"max": 1}}}, "`limits.E-mail` is no identifier type.* Did you mean email"),
        ({"limits": {"email": {"days": 1}}}, "limits"),
        ({"limits": {"email": {"max": 1, "hours": 1}}}, "limits"),
        ({"limits": {"email": {"max": 1, "days": 0}}}, "days"),
        ({"limits": {"email": {"max": 65, "days": 1}}}, "max in `limits.email` .* 1 to 64 where days is given"),
        ({"default_limit": {"max": 5, "days": 1}}, "default_limit"),
        ({"priority": "user_id"}, "priority"),
        ({"priority": ["b", "a", "a"]}, r"`priority\[2\]` is the same type as `priority\[1\]`"),
        ({"priority": ["A"]}, "priority"),
        ({"priority": ["email", 1]}, r"`priority\[1\]`"),
        ({"blocked": {"phone": ["a"], "email": "x"}}, "`blocked.email` must be a list"),
        ({"blocked": {"email": ["a", 5]}}, "Pattern 1 of `blocked.email` must be text"),
        ({"blocked": {"*": ["a", "x" * 257]}}, r"Pattern 1 of `blocked.\*` is longer than 256"),
        ({"blocked": {"A": []}}, "blocked"),
        ({"max_identifiers": 0}, "max_identifiers"),
        ({"max_identifiers": 1.0}, "max_identifiers"),
        ({"max_merges": -1}, "max_merges"),
        ({"region": "us"}, "`region` .* Did you mean US"),
        ({"region": "UK"}, "`region` .* Did you mean GB"),
        ({"region": "XX"}, "region"),
        ({"promote_property_email": 1}, "promote_property_email"),
        ({"alias_rename": "all"}, "alias_rename"),
    ],
)
def test_a_wrong_document_is_refused_with_the_name_of_its_field(document: Any, named: str) -> None:
    """One field in each document."""
    with pytest.raises(BadRules, match=named):
        compile_rules(document, 1)


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("ab(c", "missing ), at character 3"),
        (r"a\(b(c)(d", "missing ), at character 8"),
        ("[(]a(", "missing ), at character 5"),
        ("ab)c", "unexpected ), at character 3"),
        ("ab[c", "missing ], at character 3"),
        ("a*b**", "bad repetition operator, at character 4"),
        ("*a", "no argument for repetition operator, at character 1"),
        ("ab{2,1}", "invalid repetition size, at character 3"),
        ("x[z-a]", "invalid character class range, at character 3"),
        ("a(?=b)", "invalid perl operator, at character 2"),
        (r"\k", "invalid escape sequence, at character 1"),
        ("ab\\", "a backslash ends it, at character 3"),
        (r"\pL{900}", "it is too large"),
        ("\ud800", "a character is one half of a surrogate pair"),
    ],
)
def test_a_bad_pattern_is_named_with_the_place_of_its_fault(pattern: str, fault: str) -> None:
    """Its type, its number, and the character; never a part of it."""
    with pytest.raises(BadRules) as refused:
        rules(blocked={"phone": ["x"], "email": ["info@.*", pattern]})
    assert f"Pattern 1 of `blocked.email` is no regular expression of RE2: {fault}." in str(refused.value)


def test_no_message_and_no_repr_holds_text_of_the_document() -> None:
    """Patterns and names of fields may name people."""
    secret = "ann@smith"
    shown = [repr(rules(blocked={"*": [secret]}))]
    for document in ({secret: 1}, {"limits": {secret: 0}}, {"blocked": {"*": [secret + "("]}}):
        with pytest.raises(BadRules) as refused:
            compile_rules(document, 1)
        shown.append(str(refused.value))
        assert refused.value.__context__ is None
    assert secret not in "".join(shown)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(FIELDS, JSON))
def test_any_document_compiles_or_is_refused(document: dict[str, Any]) -> None:
    """No document raises another error, and an accepted document is stable."""
    try:
        compiled = compile_rules(document, 1)
    except BadRules:
        return
    assert compile_rules(compiled.document(), 2).document() == compiled.document()
