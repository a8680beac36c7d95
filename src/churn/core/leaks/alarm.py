"""One finding of the leak defence."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Alarm:
    """A way in which the future, or the outcome itself, may have got into what a model learns from.

    `check` is what found it, `name` the feature, event type, attribute or part, `measured` and `limit` the number that
    is too large and what is allowed, `en` the finding and its remedy in words.
    """

    check: str
    name: str
    measured: float
    limit: float
    en: str

    @property
    def document(self) -> dict[str, Any]:
        """The same as values of JSON."""
        return asdict(self)
