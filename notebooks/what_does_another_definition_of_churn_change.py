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
# # What does another definition of churn change?
#
# For a shop without contracts, churn is a decision: how long must a customer be silent to count as lost? This runs other
# definitions over the events that are there, without touching the configuration, and shows what each would mean.

# %%
import numpy as np
import pandas as pd

from churn.core.dataset import dataset
from churn.core.definitions import inactivity
from churn.core.snapshots import COLUMNS, as_ofs, snapshots
from churn.shell import config, store
from churn.shell.project import enter

enter()
data = config.value("data", dataset)
events = store.read("events", COLUMNS)
dates = as_ofs(data.observed_from, data.observed_until, **config.section("snapshots", as_ofs))
live = {"kind": "inactivity", "live_days": 90, "gap_days": 0, "roles": ("purchase",)}
config.params().values["definition"]

# %% [markdown]
# ## How many churn?
#
# The longer the horizon, the fewer customers stay silent throughout it, and the later we know. `newest` is the newest
# date whose outcome is known: with a long horizon, the model learns from an older world.

# %%
horizons = {days: inactivity(**live, horizon_days=days) for days in (14, 28, 60, 90)}
outcomes = {
    days: snapshots(events, dates, observed_until=data.observed_until, definition=definition).to_pandas()
    for days, definition in horizons.items()
}
pd.DataFrame(
    {
        days: {
            "dates": known.as_of.nunique(),
            "newest": known.as_of.max().date(),
            "snapshots": len(known),
            "churned": f"{known.churned.astype(bool).mean():.1%}",
        }
        for days, known in ((days, table.dropna(subset="churned")) for days, table in outcomes.items())
    }
).T.rename_axis("horizon_days")

# %% [markdown]
# ## How many come back?
#
# Of those who count as lost after a short horizon, this share buys again before the longest horizon is over. They are
# called for nothing, and a model that predicts them predicts pauses.

# %%
columns = {days: table.set_index(["customer_id", "as_of"]).churned for days, table in outcomes.items()}
joined = pd.DataFrame(columns).dropna().astype(bool)
longest = max(horizons)
came_back = {days: 1 - joined.loc[joined[days], longest].mean() for days in horizons if days < longest}
pd.Series(came_back, name="came back").rename_axis("horizon_days").map("{:.1%}".format).to_frame()

# %% [markdown]
# ## Who is live?
#
# Only live customers are scored. A short memory leaves out those who have slipped away already, a long one keeps them, and
# fills the list with people who left long ago.

# %%
memories = {days: inactivity(**live | {"live_days": days}, horizon_days=28) for days in (30, 60, 90, 180)}
today = {}
for days, definition in memories.items():
    table = snapshots(events, dates, observed_until=data.observed_until, definition=definition).to_pandas()
    churned = table.churned.dropna().astype(bool).mean()
    today[days] = {"live today": (table.as_of == table.as_of.max()).sum(), "churned": f"{churned:.1%}"}
pd.DataFrame(today).T.rename_axis("live_days")

# %% [markdown]
# ## Does it move with the season?
#
# One line for each horizon. A definition whose rate swings needs a model that has seen every season.

# %%
rates = {days: table.dropna(subset="churned").groupby("as_of").churned.apply(np.mean) for days, table in outcomes.items()}
pd.DataFrame(rates).rename_axis(columns="horizon_days").plot(ylabel="share churned", ylim=0, title="Churn by date");

# %% [markdown]
# To try one for real: `dvc exp run -S definition.horizon_days=60`. To keep it: write it into `conf/`, then
# `churn config compose`.
