"""Why two identifiers are not linked, for a reason that was recorded."""

from identity.operations.profiles.explain_separation import is_blocked, why_not_linked
from identity.operations.profiles.profile import open_profile
from identity.planning.resolution.resolution_rules import DEFAULT_RULES, compile_rules
from identity.values.calls import Identifier
from tests.support.database.known_people import ANN, visiting
from tests.support.processes.writer_processes import Lab

USER, MAIL, OTHER = Identifier("user_id", "ann"), Identifier("email", "ann@example.org"), Identifier("user_id", "bob")


async def test_a_demotion_is_the_reason_with_its_time(people: Lab) -> None:
    """No value of an identifier is in the sentence."""
    async with visiting(people) as space:
        ann = (await open_profile(space, ANN)).id
        text = await why_not_linked(space, ann, [OTHER, MAIL])

        assert "demoted: limit:user_id" in text
        assert "`from` belongs to prf_" in text
        assert "example.org" not in text
        assert "bob" not in text


async def test_an_identifier_of_nobody_is_named_by_its_field(people: Lab) -> None:
    """A blocked one links nobody; two of one other profile are found there."""
    async with visiting(people) as space:
        ann = (await open_profile(space, ANN)).id
        nobody, blocked = Identifier("user_id", "nobody"), Identifier("user_id", "null")

        assert "`to` is on no profile" in await why_not_linked(space, ann, [USER, nobody])
        assert "`from` is blocked" in await why_not_linked(space, ann, [blocked, USER])
        assert "no stored call links them" in await why_not_linked(space, ann, [USER, MAIL])
        assert "ask for that profile" in await why_not_linked(
            space, (await open_profile(space, "user_id:bob")).id, [USER, MAIL]
        )


def test_rules_and_placeholders_block() -> None:
    """By type."""
    rules = compile_rules({"blocked": {"user_id": ["ann"]}}, 1)

    assert is_blocked(USER, rules)
    assert not is_blocked(USER, DEFAULT_RULES)
    assert is_blocked(Identifier("user_id", "null"), DEFAULT_RULES)
