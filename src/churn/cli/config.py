"""`churn config`: what the pipeline is told to do, and by which file."""

from typing import Annotated

import typer

from churn.words.errors import UsageFault

app = typer.Typer(
    help="Look at the configuration, check it, and compose params.yaml from conf/.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Overrides = Annotated[
    list[str] | None,
    typer.Argument(help="Values and choices to try instead, such as definition.horizon_days=60 or model=logistic."),
]


@app.command()
def show(overrides: Overrides = None) -> None:
    """Print what conf/ says once composed; nothing is written.

    \b
    Examples:
      churn config show
      churn config show data=demo definition.horizon_days=60
    """  # noqa: D301 - \b keeps lines as they are, it is no escape
    from churn import sections
    from churn.shell import config

    typer.echo(config.dump(sections.compose(overrides or ()).values), nl=False)


@app.command()
def compose() -> None:
    """Write params.yaml from conf/, once every value fits the function it is for.

    \b
    Example:
      churn config compose
    """  # noqa: D301 - \b keeps lines as they are, it is no escape
    from churn import sections
    from churn.shell import config

    composed = sections.compose()
    changed = config.write_params(composed)
    chosen = ", ".join(f"{group}={member}" for group, member in sorted(composed.choices.items()))
    typer.echo(f"params.yaml {'written' if changed else 'was composed already'}: {chosen}")


@app.command()
def check() -> None:
    """Check that params.yaml is sound and says what conf/ says; exit code 3 if not.

    \b
    Example:
      churn config check
    """  # noqa: D301 - \b keeps lines as they are, it is no escape
    from churn import sections

    sections.check()
    typer.echo("params.yaml is what conf/ says")


@app.command()
def use(
    choices: Annotated[list[str], typer.Argument(help="GROUP=MEMBER, such as data=demo; groups are folders of conf/.")],
) -> None:
    """Choose other members of groups, in conf/config.yaml, and compose params.yaml.

    \b
    Examples:
      churn config use data=demo definition=contract
      churn config use model=logistic
    """  # noqa: D301 - \b keeps lines as they are, it is no escape
    from churn import sections
    from churn.shell import config

    chosen = dict(_choice(text) for text in choices)
    sections.compose(choices)
    config.use(chosen)
    compose()


def _choice(text: str) -> tuple[str, str]:
    group, equals, member = text.partition("=")
    if not (group and equals and member):
        raise UsageFault(f"{text!r} is no choice; write GROUP=MEMBER, such as data=demo")
    return group, member
