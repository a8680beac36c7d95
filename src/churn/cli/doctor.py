"""`churn doctor`: whether this machine and this folder are fit for a run, and what mends them."""

import typer

from churn.words.errors import UsageFault


def doctor() -> None:
    """Look at Python, packages and git, and say what is missing and what mends it.

    \b
    Example:
      churn doctor
    """  # noqa: D301 - \b keeps lines as they are, it is no escape
    from churn.shell.surroundings import git, packages, python

    found = [python(), *packages(), *git()]
    for one in found:
        remedy = f" → {one.remedy}" if one.remedy else ""
        typer.echo(f"{'ok  ' if one.fine else 'BAD '} {one.what}: {one.state}{remedy}")
    wrong = sum(not one.fine for one in found)
    if wrong:
        raise UsageFault(
            f"{wrong} of {len(found)} things must be mended before a run; `make clean run` sets up .venv anew"
        )
