"""Quick starts: large libraries without those that they only look for.

pyarrow, LightGBM and shap each try to import others, to recognise their types or to draw. In a stage, which is a
process of its own and hands them arrays alone, that takes longer than most of its work. What a stage truly uses it can
import afterwards as ever.
"""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

_LOOKED_FOR = {
    "pyarrow": ("pandas",),
    "lightgbm": ("dask", "graphviz", "matplotlib", "pandas", "sklearn"),
    "shap": ("matplotlib",),
}
"""Library → what it does without: measured, pyarrow saves 0.3 s, LightGBM 2 s and shap 1 s."""


def bring(*libraries: str) -> None:
    """Import these, and pyarrow, without what they look for; only for a process that is a stage.

    A library that was imported before stays as it is.
    """
    with _absent(*_LOOKED_FOR["pyarrow"]):
        import pyarrow as pa

        pa.array([0])  # pyarrow looks for pandas once a process, when it makes its first array
    for name in libraries:
        with _absent(*_LOOKED_FOR[name]), warnings.catch_warnings():
            # shap warns of what other libraries plan, which no reader of ours can act upon.
            warnings.simplefilter("ignore")
            import_module(name)


class _Hidden:
    """Stands before all other finders and says that these libraries are not installed."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
        if name in self._names:
            raise ModuleNotFoundError(f"{name} is not looked for in a stage", name=name)


@contextmanager
def _absent(*names: str) -> Iterator[None]:
    """These libraries cannot be imported in the block, unless they were before."""
    hidden = _Hidden(names)
    sys.meta_path.insert(0, hidden)
    try:
        yield
    finally:
        sys.meta_path.remove(hidden)
