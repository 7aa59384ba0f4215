"""GPP sections of the national law and those of states, with one answer of each kind."""

from identity.planning.consent.signals.us_sections import LAYOUTS
from tests.identity.planning.consent.signals.encoding import number, text_of


def two(answers: list[int] | tuple[int, ...]) -> str:
    """Two bits for each answer."""
    return "".join(f"{each:02b}" for each in answers)


def usnat(
    sale: int = 0,
    sharing: int = 0,
    advertising: int = 0,
    sensitive: int = 0,
    child: int = 0,
    *,
    wide: bool = False,
    version: int = 1,
) -> str:
    """A national core with one answer of each kind; the other answers do not apply."""
    kinds, ages = (16, 3) if wide else (12, 2)
    core = [0] * 6 + [sale, sharing, advertising, *[0] * (kinds - 1), sensitive, *[0] * (ages - 1), child, 0, 1, 0, 0]
    return text_of(number(version, 6) + two(core))


def usca(sale: int = 0, sharing: int = 0, sensitive: int = 0, child: int = 0) -> str:
    """The same for California."""
    return text_of("000001" + two([0, 0, 0, sale, sharing, sensitive, *[0] * 8, child, 0, 0, 1, 0, 0]))


def state(section: int, *answers: int, extra: str = "") -> str:
    """A core of a state: the opt-outs, one answer about sensitive data and one about a child, where there are any."""
    layout = LAYOUTS[section]
    sale, advertising, sensitive, child = (*answers, 0, 0, 0, 0)[:4]
    core = [0] * layout.notices + [sale, advertising]
    core += [0] * (layout.sensitive - 1) + [sensitive] * bool(layout.sensitive)
    core += [0] * (layout.child - 1) + [child] * bool(layout.child) + [0] * layout.others
    return text_of("000001" + two(core) + extra)
