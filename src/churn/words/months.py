"""Names of months in Western languages: the number of each, whatever language it is of."""

import unicodedata

_NAMES = (
    "january february march april may june july august september october november december",
    "januar februar maerz april mai juni juli august september oktober november dezember",
    "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "januari februari mars april maj juni juli augusti september oktober november december",
)
"""English, German, French, Spanish, Portuguese, Italian, Dutch and Swedish. No name means two months in two of them."""
_SHORT = {"mrz": 3, "mar": 3, "marz": 3, "mrt": 3, "sept": 9}
"""Abbreviations that are no beginning of a name."""
_LEAST_LETTERS = 3


def _numbers() -> dict[str, int]:
    """Every name and every beginning of one that only one month has → its number."""
    found: dict[str, set[int]] = {}
    for names in _NAMES:
        for number, name in enumerate(names.split(), start=1):
            for end in range(_LEAST_LETTERS, len(name) + 1):
                found.setdefault(name[:end], set()).add(number)
    return {name: min(numbers) for name, numbers in found.items() if len(numbers) == 1} | _SHORT


MONTHS = _numbers()


def month_number(name: str) -> int | None:
    """The number of a month by its name or the beginning of it; None if it names no month, or two.

    >>> month_number("Nov"), month_number("août"), month_number("Mär."), month_number("jui"), month_number("Mon")
    (11, 8, 3, None, None)
    """
    plain = unicodedata.normalize("NFKD", name.casefold())
    return MONTHS.get("".join(letter for letter in plain if letter.isalpha()))
