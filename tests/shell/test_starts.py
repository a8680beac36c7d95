import json
import subprocess
import sys

import pytest


def loaded(code):
    """Which of the large libraries a fresh Python has imported after the code."""
    large = ("dask", "graphviz", "matplotlib", "pandas", "sklearn")
    told = f"import json, sys\nprint(json.dumps([name for name in {large} if name in sys.modules]))"
    run = subprocess.run([sys.executable, "-c", f"{code}\n{told}"], capture_output=True, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])


def test_arrays_are_made_without_importing_pandas():
    arrays = (
        "import numpy as np, pyarrow as pa; pa.array(np.zeros(3)); pa.array(['a']); pa.table({'a': [1]}).to_pylist()"
    )

    assert loaded(f"from churn.shell.starts import bring; bring(); {arrays}") == []


def test_lightgbm_learns_and_scores_without_what_it_looks_for():
    learning = (
        "import lightgbm, numpy as np; x = np.random.default_rng(1).random((200, 2)); "
        "made = lightgbm.train({'verbosity': -1}, lightgbm.Dataset(x, label=x[:, 0]), num_boost_round=2); "
        "made.predict(x, pred_contrib=True)"
    )

    assert loaded(f"from churn.shell.starts import bring; bring('lightgbm'); {learning}") == []


@pytest.mark.parametrize("name", ["pandas", "sklearn.linear_model", "matplotlib.figure"])
def test_a_library_that_was_kept_out_can_be_imported_afterwards(name):
    assert name.split(".")[0] in loaded(f"from churn.shell.starts import bring; bring('lightgbm'); import {name}")


def test_a_table_becomes_pandas_after_a_quick_start():
    code = "from churn.shell.starts import bring; bring(); import pyarrow as pa; pa.table({'a': [1]}).to_pandas()"

    assert "pandas" in loaded(code)


def test_what_was_imported_before_stays():
    assert "pandas" in loaded("import pandas; from churn.shell.starts import bring; bring('lightgbm')")
