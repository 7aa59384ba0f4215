"""GPP sections of the national and the Californian law, with one answer of each kind."""

from tests.identity.planning.consent.signals.encoding import text_of


def two(answers: list[int] | tuple[int, ...]) -> str:
    """Two bits for each answer."""
    return "".join(f"{each:02b}" for each in answers)


def usnat(
    sale: int = 0, sharing: int = 0, advertising: int = 0, sensitive: int = 0, child: int = 0, *, wide: bool = False
) -> str:
    """A national core with one answer of each kind; the other answers do not apply."""
    kinds, ages = (16, 3) if wide else (12, 2)
    core = [0] * 6 + [sale, sharing, advertising, *[0] * (kinds - 1), sensitive, *[0] * (ages - 1), child, 0, 1, 0, 0]
    return text_of("000001" + two(core))


def usca(sale: int = 0, sharing: int = 0, sensitive: int = 0, child: int = 0) -> str:
    """The same for California."""
    return text_of("000001" + two([0, 0, 0, sale, sharing, sensitive, *[0] * 8, child, 0, 0, 1, 0, 0]))
