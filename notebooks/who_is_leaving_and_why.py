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
# # Who is leaving, and why?
#
# The last list, seen from above: how many customers are at risk, how much money is at stake, which reasons weigh most,
# and where they occur together. It shows what `churn run` made last, on whatever data.

# %%
import pandas as pd

from churn.shell import store
from churn.shell.project import enter

enter()
scores = store.read("scores").to_pandas()
reasons = store.read("reasons").to_pandas()
listed = pd.read_parquet(f"{store.PATHS['risk_list']}/risk_list.parquet")

# %% [markdown]
# ## How many?
#
# Probabilities are calibrated, so their sum is the number of customers that we expect to lose within the horizon if
# nobody does anything. Risk is never spread evenly: the customers are put into ten groups of equal size, the likeliest to
# leave first.

# %%
tenth = (pd.Series(range(len(listed))) * 10 // len(listed) + 1).to_numpy()
by_score = listed.sort_values(["score", "customer_id"], ascending=[False, True]).assign(tenth=tenth)
groups = by_score.groupby("tenth").agg(
    customers=("score", "size"), least_score=("score", "min"), leaving=("score", "sum"), at_risk=("value_at_risk", "sum")
)
groups.round(2)

# %%
f"{groups.leaving.sum():.0f} of {len(listed):,} are expected to leave, {groups.leaving[1]:.0f} of them from the first tenth"

# %%
scores.score.plot.hist(bins=50, xlabel="probability of leaving", ylabel="customers", title="Most customers stay");

# %% [markdown]
# ## Why?
#
# Each sentence on the list stands for a group of features. `customers` says for how many of the likeliest fifth a group is
# among the first two reasons, `log_odds` how much it adds to their log-odds on average.

# %%
likely = scores.nlargest(len(scores) // 5, "score").customer_id
first_two = reasons[reasons.customer_id.isin(likely) & (reasons.direction == "leaving") & (reasons.position <= 2)]
why = first_two.groupby("group").agg(customers=("customer_id", "size"), log_odds=("contribution", "mean"))
why.sort_values("customers", ascending=False).round(2)

# %% [markdown]
# Which reason comes second, given the first? A row of this table adds up to the customers with that first reason.

# %%
pairs = first_two.pivot(index="customer_id", columns="position", values="group").reindex(columns=[1, 2])
pd.crosstab(pairs[1].rename("first reason"), pairs[2].fillna("no second").rename("second reason"))

# %% [markdown]
# ## Three customers
#
# The first of the list in their own numbers. `churn why CUSTOMER` shows the whole way from events to score.

# %%
with pd.option_context("display.max_colwidth", None):
    display(listed.head(3)[["customer_id", "score", "value_at_risk", "reason_1_en", "reason_2_en", "staying_en"]].T)
