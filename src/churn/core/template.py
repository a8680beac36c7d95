"""The templates of the pages: whatever is filled into them is escaped, and a name that is missing is an error."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from churn.core.amounts import count, share

if TYPE_CHECKING:
    from jinja2 import Template


def template(name: str, **filters: Callable[..., str]) -> "Template":
    """The template of that name in `churn.core.templates`, with filters for counts, shares and those given."""
    from importlib.resources import files

    from jinja2 import Environment, FunctionLoader, StrictUndefined

    texts = files("churn.core") / "templates"
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FunctionLoader(lambda wanted: (texts / wanted).read_text(encoding="utf-8")),
    )
    environment.filters.update(count=count, share=share, **filters)
    return environment.get_template(name)
