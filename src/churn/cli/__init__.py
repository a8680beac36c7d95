"""The command line: every fault is one message with its exit code, everything else that escapes is a bug and says so.

Nothing heavy is imported here or at the top of a command's module, so that `churn --help` answers at once.
"""

import signal
import sys
from typing import Annotated

import typer

from churn.cli.backtest import backtest
from churn.cli.check import check
from churn.cli.config import app as config
from churn.cli.define import define
from churn.cli.demo import demo
from churn.cli.doctor import doctor
from churn.cli.features import features
from churn.cli.init import init
from churn.cli.leaks import leaks
from churn.cli.run import run
from churn.cli.tune import tune
from churn.cli.why import why
from churn.shell.project import enter
from churn.words.errors import Exit

app = typer.Typer(
    name="churn",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: drawing it takes longer than everything else
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command()(init)
app.command()(run)
app.command()(why)
app.command()(demo)
app.command()(check)
app.command()(backtest)
app.command()(define)
app.command()(features)
app.command()(doctor)
app.command()(leaks)
app.command()(tune)
app.add_typer(config, name="config")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"churn {version('churn')}")
        raise typer.Exit


@app.callback()
def churn(
    *,
    version: Annotated[  # noqa: ARG001 - its callback does it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it and end.")
    ] = False,
) -> None:
    """From raw customer events to an explained list of the customers who are about to leave.

    \b
    Examples:
      churn init data/raw/shop         look at your data, write conf/data/shop.yaml
      churn run                        make the list and publish it under deliveries/
      churn why 1364                   why one customer is on it
      churn config use data=cdnow      take other data
      churn demo --size small          write a world whose truth is known
      churn define                     compare what churn could mean
      churn tune                       look for better settings of the model
      churn backtest                   judge the lists of past days

    \b
    Exit codes: 0 fine, 1 a bug, 2 usage, 3 configuration, 4 input breaks its contract, 5 not enough data,
    6 quality gate, 7 drift, 8 another run, 9 disk or memory, 10 damaged file, 11 incomplete input, 12 warnings with
    --strict, 13 tracking, 130 and 143 interrupted.
    """  # noqa: D301 - \b keeps lines as they are, it is no escape
    enter()


def main() -> None:
    """Run the command line; ends the process with the exit code of what happened."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        app()
    except Exception as error:  # the border of the program
        from churn.shell.runs import explained, interrupted, told

        if interrupted(error):
            sys.exit(_code_of_signal())
        fault = explained(error)
        if fault is None:
            sys.stderr.write("churn met a bug of its own. Report it with the lines below; your data is as it was.\n")
            raise
        for note in getattr(fault, "__notes__", ()):  # the traceback of a stage
            sys.stderr.write(f"{note}\n")
        sys.stderr.write(f"{told(fault)}\n")
        if fault.code == Exit.BUG:
            sys.stderr.write("This is a bug of churn. Report it with the lines above; your data is as it was.\n")
        sys.exit(fault.code)
    finally:
        from churn.shell.runs import ending

        ending()  # a run that is told to stop has a promise to keep


def _code_of_signal() -> Exit:
    """The code of the signal that was heard: `_terminated` leaves its own ignored."""
    return Exit.TERMINATED if signal.getsignal(signal.SIGTERM) == signal.SIG_IGN else Exit.INTERRUPTED


def _terminated(number: int, _: object) -> None:
    """End like after an exception, so that stages are stopped and temporary files removed."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(Exit.TERMINATED)
