# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Is the model better than a rule?
#
# A rule such as "call whoever has been silent for 30 days" costs nothing and everybody understands it. A model must beat
# the best of these rules, on dates that lie after everything it was learnt from, by more than chance.

# %%
import pandas as pd
from IPython.display import SVG, Markdown

from churn.shell import store
from churn.shell.project import enter

enter()
evaluation = store.read_json(store.PATHS["evaluation"])
split = store.read("split").to_pandas()

Markdown(f"**{evaluation['verdict']['en']}**")

# %% [markdown]
# ## On what is it judged?
#
# Time runs from train to test. No outcome window of an earlier part reaches into a later one, which is why some dates are
# left out (embargo). The date of the part `score` is today: nobody knows its outcome yet.

# %%
split.assign(base_rate=split.n_churned / split.n_snapshots)[
    ["as_of", "part", "outcome_until", "n_snapshots", "n_churned", "base_rate"]
].style.format(precision=3).hide(axis="index")

# %% [markdown]
# ## The three side by side
#
# `low` and `high` are the ends of the interval over resamples of the customers. Lower is better for log loss, Brier and
# calibration error (ece), higher for the others.

# %%
rows = {name: evaluation[name] for name in ("model", "rule", "logistic")}
measures = [key for key in rows["model"] if not key.endswith(("_low", "_high")) and key != "n"]
pd.DataFrame(
    {
        (name, end): {measure: row[measure + suffix] for measure in measures}
        for name, row in rows.items()
        for end, suffix in {"is": "", "low": "_low", "high": "_high"}.items()
    }
).round(3)

# %% [markdown]
# What counts is the difference on the same customers: where its interval excludes 0, it is no accident.

# %%
difference = evaluation["difference"]["rule"]
gain = pd.DataFrame(
    [(m, difference[m], difference[f"{m}_low"], difference[f"{m}_high"]) for m in measures if m in difference],
    columns=["measure", "model minus rule", "low", "high"],
).set_index("measure")
gain.assign(no_accident=(gain.low > 0) | (gain.high < 0)).round(3)

# %% [markdown]
# ## What does a team gain?
#
# It can contact so many customers. How many of those who leave does it meet?

# %%
team = evaluation["at_capacity"]
pd.DataFrame({name: team[name] for name in rows}).T.assign(contacted=team["k"]).round(3)

# %%
SVG(filename=f"{store.PATHS['figures']}/gain.svg")

# %% [markdown]
# ## Are the probabilities true?
#
# Of the customers with a probability of 30 %, do 30 % leave? Points on the diagonal say yes.

# %%
SVG(filename=f"{store.PATHS['figures']}/reliability.svg")
