"""`churn features`: the catalogue of features in words."""

from pathlib import Path
from typing import Annotated

import typer


def features(
    *,
    write: Annotated[Path | None, typer.Option(help="Write the page to this file instead of showing it.")] = None,
) -> None:
    """Show every feature: name, words in English and Chinese, unit, window, and what null means.

    The windows are those of params.yaml; the page is docs/features.md.

    \b
    Examples:
      churn features
      churn features --write docs/features.md
    """  # noqa: D301 - \b keeps lines as they are, it is no escape
    from churn.core.features import catalogue, windows
    from churn.core.features.document import document
    from churn.shell import config, store

    page = document(catalogue(config.value("features", windows)))
    if write is None:
        typer.echo(page, nl=False)
        return
    store.write_text(str(write), page)
    typer.echo(f"{write}: {page.count(chr(10) + '| `')} features")
