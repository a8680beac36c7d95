"""Amounts as people read them: money, shares and counts as text, and as number formats of Excel."""

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "CNY": "¥", "INR": "₹", "KRW": "₩"}
"""Signs of currencies that stand before the number. JPY is left out: its sign is that of CNY."""
COUNT_FORMAT = "#,##0"
SHARE_FORMAT = "0.0%"
NUMBER_FORMAT = "0.0"
DATE_FORMAT = "yyyy-mm-dd"
INSTANT_FORMAT = "yyyy-mm-dd hh:mm"


def money(amount: float, currency: str, decimals: int = 2) -> str:
    """An amount with its currency.

    >>> money(1234.5, "USD"), money(1234.5, "CHF", 0)
    ('$1,234.50', 'CHF 1,234')
    """
    return f"{sign(currency)}{amount:,.{decimals}f}"


def sign(currency: str) -> str:
    """What stands before a number of that currency."""
    return SYMBOLS.get(currency, f"{currency} ")


def money_format(currency: str) -> str:
    """Excel's number format of that currency; the sign is quoted, so that Excel takes no letter of it for a code.

    >>> money_format("USD")
    '"$"#,##0.00'
    """
    return f'"{sign(currency)}"#,##0.00'


def share(value: float, decimals: int = 1) -> str:
    """A share of 1 in per cent.

    >>> share(0.1549)
    '15.5%'
    """
    return f"{value:.{decimals}%}"


def count(value: float) -> str:
    """A whole number with thousands marked.

    >>> count(2318)
    '2,318'
    """
    return f"{value:,.0f}"
