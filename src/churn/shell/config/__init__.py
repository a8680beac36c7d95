"""The configuration: `conf/` is what people edit, `params.yaml` is composed from it, and the pipeline reads only that.

A section is the keyword-only arguments of one function, and the signature of that function is its schema.
"""

from churn.shell.config.composition import compose, differences, groups, member, use, write_params
from churn.shell.config.document import Configuration, dump, load
from churn.shell.config.section import PARAMS, Feeds, checked, own, params, section, value

__all__ = [
    "PARAMS",
    "Configuration",
    "Feeds",
    "checked",
    "compose",
    "differences",
    "dump",
    "groups",
    "load",
    "member",
    "own",
    "params",
    "section",
    "use",
    "value",
    "write_params",
]
