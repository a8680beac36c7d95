"""What the customers of one block do and what happens to them: one function a source of events.

Each returns its columns as arrays of one length: `who` is the row of the customer in the block, `at` seconds since
1970 UTC, money hundredths of a euro. Nothing happens before a customer signs up or after the customer left.
"""

import numpy as np

from churn.core.demo import texts
from churn.core.demo.customers import PAY_EVERY_DAYS, PLAN_PRICE, Customers
from churn.core.demo.rhythm import DAY, END, START, WEEK, WEEKS, season, seconds_in_week, week_of

Columns = dict[str, np.ndarray]
HOUR = 3600
FEATURES = ("planning", "recipes", "sharing", "reports", "settings")
FEATURE_SHARES = (0.4, 0.25, 0.15, 0.12, 0.08)
PRODUCTS = ("kitchen", "pantry", "drinks", "garden", "gifts")
PRODUCT_SHARES = (0.3, 0.3, 0.2, 0.12, 0.08)
CAMPAIGNS = ("newsletter", "new_products", "seasonal")
FALSE_ALARMS = 0.12
"""Cancellations that are taken back, as a multiple of those that are not."""
LONGEST_DOUBT_DAYS = 10
"""A cancellation is taken back within so many days, well inside the grace period of 14 in conf/definition."""


def scatter(rng: np.random.Generator, rate: np.ndarray, customers: Customers) -> tuple[np.ndarray, np.ndarray]:
    """Customers and instants of random events with the given weekly rates, of shape `(n, WEEKS)`."""
    counts = rng.poisson(rate).ravel()
    cell = np.repeat(np.arange(counts.size), counts)
    who, at = cell // WEEKS, START + cell % WEEKS * WEEK + seconds_in_week(rng, len(cell))
    stays = here(customers, who, at)
    return who[stays], at[stays]


def here(customers: Customers, who: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Whether each instant lies within the observation and the time as a customer, `[signed_up_at, left_at)`."""
    return (at >= np.maximum(customers.signed_up_at[who], START)) & (at < customers.left_at[who])


def usage(rng: np.random.Generator, customers: Customers) -> Columns:
    """One row a session. Where usage fades, sessions get rare and short; 3 % are recorded hours to weeks later."""
    fading = customers.showing("usage_fades")
    rate = customers.usage_per_week[:, None].astype(np.float32) * season(3, 0.08) * (1 - 0.9 * fading)
    who, at = scatter(rng, rate, customers)
    n = len(who)
    shorter = 1 - 0.4 * fading[who, week_of(at)]
    minutes = np.ceil(np.exp(rng.normal(2.9, 0.5, n)) * shorter)
    sessions = {
        "who": who, "at": at, "recorded_at": at + _delay(rng, n, late=0.03), "minutes": minutes.astype(np.int64),
        "feature": rng.choice(len(FEATURES), n, p=FEATURE_SHARES),
        "app": rng.random(n) < customers.prefers_app[who],
    }  # fmt: skip
    return recorded(sessions)


def orders(rng: np.random.Generator, customers: Customers) -> Columns:
    """One row an order or a return. Orders fade like usage; members lose their discount under the cause `price`."""
    fading, losing = customers.showing("orders_fade"), customers.showing("price")
    rate = customers.orders_per_week[:, None].astype(np.float32) * season(47, 0.12) * (1 - 0.92 * fading)
    who, at = scatter(rng, rate, customers)
    n, week = len(who), week_of(at)
    price = customers.basket[who] * np.exp(rng.normal(0, 0.35, n)) * (1 - 0.4 * fading[who, week])
    chance = np.where(customers.member[who], 0.92 * (1 - losing[who, week]), 0.08)
    discount = np.round(price * np.where(rng.random(n) < chance, rng.uniform(0.12, 0.25, n), 0)).astype(np.int64)
    channel = np.where(rng.random(n) < 0.15, 2, rng.random(n) < customers.prefers_app[who])
    bought = {
        "who": who, "at": at, "returned": np.zeros(n, dtype=bool), "discount": discount, "channel": channel,
        "amount": np.maximum(np.round(price).astype(np.int64) - discount, 100), "items": 1 + rng.poisson(1.5, n),
        "product": rng.choice(len(PRODUCTS), n, p=PRODUCT_SHARES),
    }  # fmt: skip
    back_at = at + rng.integers(3, 21, n) * DAY
    sent_back = (rng.random(n) < 0.05) & here(customers, who, back_at)
    back = {name: column[sent_back] for name, column in bought.items()}
    back |= {"at": back_at[sent_back], "returned": ~back["returned"], "discount": np.zeros(len(back["at"]), np.int64)}
    return together(bought, back)


def tickets(rng: np.random.Generator, customers: Customers) -> Columns:
    """One row per complaint opened or closed; those that pile up stay open until the trouble is solved, if ever."""
    piling = customers.showing("complaints_pile_up")
    who, at = scatter(rng, 0.006 + 0.7 * piling, customers)
    n = len(who)
    topic = rng.integers(0, len(texts.TOPICS), n)
    text = texts.complaint(rng, topic, customers.country[who] == 1)
    opened = {
        "who": who, "at": at, "recorded_at": at + _delay(rng, n, late=0.1), "closed": np.zeros(n, dtype=bool),
        "topic": topic, "text": text, "ticket": np.arange(n),
    }  # fmt: skip
    solved_at = START + customers.solved[who] * WEEK + seconds_in_week(rng, n)
    neglected = rng.random(n) < 0.55 * (piling[who, week_of(at)] > 0)
    quick_at = at + np.ceil(rng.lognormal(0.7, 0.8, n) * DAY).astype(np.int64)
    closed_at = np.where(neglected, np.maximum(solved_at, quick_at), quick_at)
    ends = here(customers, who, closed_at)
    closed = {name: column[ends] for name, column in opened.items()}
    closed |= {"at": closed_at[ends], "recorded_at": closed_at[ends], "closed": ~closed["closed"]}
    closed["text"] = np.full(len(closed["at"]), None)
    return recorded(together(opened, closed))


def contacts(rng: np.random.Generator, customers: Customers) -> Columns:
    """One row a contact, by the customer or by the company. Bad service makes customers ask again and again."""
    bad = customers.showing("bad_service")
    asking, asked_at = scatter(rng, 0.025 + 0.8 * bad, customers)
    called, called_at = scatter(rng, np.full(bad.shape, 0.02, np.float32), customers)
    who, at = np.concatenate([asking, called]), np.concatenate([asked_at, called_at])
    by_customer = np.arange(len(who)) < len(asking)
    channel = rng.integers(0, 3, len(who))
    return {"who": who, "at": at, "by_customer": by_customer, "channel": channel}


def payments(rng: np.random.Generator, customers: Customers) -> Columns:
    """One row per attempt to collect the plan's price, every 30 days from sign-up on; two more if it fails."""
    n, every = len(customers), PAY_EVERY_DAYS * DAY
    start = np.maximum(customers.signed_up_at, START)
    first_at = start + (customers.signed_up_at - start) % every
    due_at = first_at[:, None] + np.arange((END - START) // every + 1) * every
    broken = customers.showing("payments_fail")[np.arange(n)[:, None], week_of(due_at)] > 0
    fails = rng.random((3, *due_at.shape)) < np.where(broken, 0.92, np.array([0.025, 0.25, 0.1])[:, None, None])
    # The very first payment is the sign-up itself: without it nobody becomes a customer.
    fails[0] &= due_at > customers.signed_up_at[:, None]
    tried = np.stack([np.ones_like(fails[0]), fails[0], fails[0] & fails[1]])
    at = due_at + (np.array([0, 3, 7]) * DAY)[:, None, None]
    attempt, who, month = np.nonzero(tried)
    at, failed = at[attempt, who, month], fails[attempt, who, month]
    stays = here(customers, who, at)
    who, at, failed = who[stays], at[stays], failed[stays]
    amount = np.array(PLAN_PRICE)[customers.plan_at(who, at)]
    return {"who": who, "at": at, "failed": failed, "amount": amount, "debit": customers.prefers_app[who] < 0.4}


def surveys(rng: np.random.Generator, customers: Customers, contact: Columns) -> Columns:
    """One row an answer: NPS (0 to 10) every 13 weeks if at all, CSAT (1 to 5) a day or two after a contact."""
    bad = customers.showing("bad_service")
    invited = (np.arange(WEEKS) + customers.number[:, None]) % 13 == 0
    who, week = np.nonzero(invited & (rng.random(bad.shape, dtype=np.float32) < 0.45))
    at = START + week * WEEK + seconds_in_week(rng, len(who))
    asked_at = contact["at"] + rng.integers(1, 3, len(contact["at"])) * DAY
    answers = contact["by_customer"] & (rng.random(len(asked_at)) < 0.65)
    who = np.concatenate([who, contact["who"][answers]])
    csat = np.arange(len(who)) >= len(at)
    at = np.concatenate([at, asked_at[answers]])
    strength = bad[who, week_of(at)]
    nps = customers.satisfaction[who] + rng.normal(0, 1.2, len(who)) - 5.5 * strength
    stars = 4.3 + rng.normal(0, 0.7, len(who)) - 2.8 * strength
    answer = np.where(csat, np.clip(np.round(stars), 1, 5), np.clip(np.round(nps), 0, 10)).astype(np.int64)
    happy = answer >= np.where(csat, 4, 7)
    comment = texts.comment(rng, happy, customers.country[who] == 1)
    stays = here(customers, who, at)
    rows = {"who": who, "at": at, "csat": csat, "answer": answer, "comment": comment}
    return {name: column[stays] for name, column in rows.items()}


def campaigns(rng: np.random.Generator, customers: Customers) -> Columns:
    """One row per mail sent or answered. Campaigns are not aimed: whom they reach has nothing to do with the risk."""
    who, at = scatter(rng, np.full(customers.hazard.shape, 0.12, np.float32), customers)
    n = len(who)
    sent = {"who": who, "at": at, "answered": np.zeros(n, dtype=bool), "kind": rng.integers(0, len(CAMPAIGNS), n)}
    answered_at = at + rng.integers(1, 72 * HOUR, n)
    replies = (rng.random(n) < 0.3 * customers.prefers_app[who]) & here(customers, who, answered_at)
    reply = {name: column[replies] for name, column in sent.items()}
    return together(sent, reply | {"at": answered_at[replies], "answered": ~reply["answered"]})


def cancellations(rng: np.random.Generator, customers: Customers) -> Columns:
    """One row per cancellation or its withdrawal. The last cancellation of those who left is never withdrawn."""
    left = np.flatnonzero(customers.left_at < END)
    who, at = scatter(rng, FALSE_ALARMS * customers.hazard, customers)
    back_at = at + rng.integers(6 * HOUR, LONGEST_DOUBT_DAYS * DAY, len(who))
    # At most one change of mind a customer, and over before the customer leaves or the observation ends.
    over = back_at + DAY < customers.left_at[who]
    who, at, back_at = who[over], at[over], back_at[over]
    who, one = np.unique(who, return_index=True)
    ends, false, true = np.full(len(left), False), np.full(len(who), False), np.full(len(who), True)
    return {
        "who": np.concatenate([left, who, who]), "withdrawn": np.concatenate([ends, false, true]),
        "at": np.concatenate([customers.left_at[left], at[one], back_at[one]]),
    }  # fmt: skip


def together(first: Columns, second: Columns) -> Columns:
    """The rows of both, which have the same columns."""
    return {name: np.concatenate([column, second[name]]) for name, column in first.items()}


def recorded(rows: Columns) -> Columns:
    """The rows that the company knew of when it wrote the files, at the end of the observation."""
    known = rows["recorded_at"] < END
    return {name: column[known] for name, column in rows.items()}


def _delay(rng: np.random.Generator, n: int, *, late: float) -> np.ndarray:
    """Seconds until an event is recorded: under a minute, or an hour to three weeks for the share that is `late`."""
    prompt = rng.integers(0, 60, n)
    hours = np.exp(rng.uniform(0, np.log(21 * 24), n))
    return np.where(rng.random(n) < late, (hours * HOUR).astype(np.int64), prompt)
