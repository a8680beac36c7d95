"""The folder of the project, which all paths of the store are relative to."""

import os
from pathlib import Path


def enter() -> Path:
    """The project around the working directory, once it is the working directory; without one, nothing changes.

    A project is a folder with a `dvc.yaml`.
    """
    here = Path.cwd()
    root = next((folder for folder in (here, *here.parents) if (folder / "dvc.yaml").exists()), here)
    os.chdir(root)
    return root
