"""The tables between the rooms: what one row is, its key, its columns with their units and the meaning of null.

A table is checked against its declaration when it is written and when it is read.
"""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from churn.words.errors import Fault

INSTANT = pa.timestamp("us", tz="UTC")
SUPERSEDED = "superseded_at"
"""The column of EVENTS that says until when a version of an event was in force."""
CODE = pa.dictionary(pa.int32(), pa.string())
MINOR_PER_UNIT = 100
"""Money is whole hundredths: sums of integers do not depend on order and leave no dust in differences."""
MILLI_PER_UNIT = 1000
"""Quantities are whole thousandths, for the same reason."""

ROLES: dict[str, tuple[str, ...]] = {
    "purchase": ("made", "returned"),
    "usage": ("used",),
    "complaint": ("opened", "closed"),
    "contact": ("by_customer", "by_company"),
    "payment": ("paid", "failed"),
    "survey": ("nps", "csat"),
    "cancel": ("cancelled", "undone"),
    "campaign": ("sent", "answered"),
    "presence": ("listed",),
}
"""What an event type means to us: its role, and the states that a role knows. The first state is the default."""
OWN_STATES: dict[str, tuple[str, ...]] = {
    "purchase": ("made",),
    "usage": ("used",),
    "complaint": ("opened",),
    "contact": ("by_customer",),
    "payment": ("paid",),
    "survey": ("nps", "csat"),
    "campaign": ("answered",),
    "presence": ("listed",),
}
"""The states in which a role shows that a customer is there. A campaign that was sent, a call by the company or a
failed payment says nothing of the customer; a cancellation says the contrary."""


@dataclass(frozen=True)
class Column:
    """One column: its Arrow type, its meaning with unit, and what null says (empty: never null)."""

    name: str
    type: pa.DataType
    meaning: str
    null: str = ""


@dataclass(frozen=True)
class Table:
    """A declared table. `open_type`: the type that further, undeclared columns must have; None forbids them."""

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    open_types: tuple[pa.DataType, ...] = ()

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the declared columns."""
        return pa.schema([pa.field(c.name, c.type, nullable=bool(c.null)) for c in self.columns])

    def check(self, table: pa.Table) -> pa.Table:
        """The same table, once its columns, types, nulls and the order of its key are as declared.

        Raises
        ------
        Fault
            Naming table, column and what differs: this is a bug of ours, never of the data.
        """
        declared = [c.name for c in self.columns]
        if table.column_names[: len(declared)] != declared:
            raise Fault(f"table {self.name} starts with {table.column_names[: len(declared)]}, wanted {declared}")
        for column in self.columns:
            found = table.schema.field(column.name).type
            if found != column.type:
                raise Fault(f"table {self.name}, column {column.name}: type {found}, wanted {column.type}")
            if not column.null and table[column.name].null_count:
                raise Fault(f"table {self.name}, column {column.name}: null, which has no meaning here")
        for name in table.column_names[len(declared) :]:
            if table.schema.field(name).type not in self.open_types:
                raise Fault(f"table {self.name} does not declare column {name} of {table.schema.field(name).type}")
        self._check_key(table)
        return table

    def _check_key(self, table: pa.Table) -> None:
        """The key is ascending and unique. Texts are compared by bytes, as DuckDB and Arrow sort them."""
        if table.num_rows < 2:
            return
        equal_so_far = None
        for name in self.key:
            column = table[name].combine_chunks()
            if pa.types.is_dictionary(column.type):
                column = column.cast(pa.string())
            before, after = column[:-1], column[1:]
            falls = pc.greater(before, after)
            if equal_so_far is not None:
                falls = pc.and_(equal_so_far, falls)
            if pc.any(falls).as_py():
                raise Fault(f"table {self.name} is not sorted by {', '.join(self.key)}")
            equal = pc.equal(before, after)
            equal_so_far = equal if equal_so_far is None else pc.and_(equal_so_far, equal)
        if self.key and pc.any(equal_so_far).as_py():
            raise Fault(f"table {self.name} has two rows with the same {', '.join(self.key)}")


_CUSTOMER = Column("customer_id", pa.string(), "customer, as the source writes the id, trimmed and NFC-normalised")
_AS_OF = Column("as_of", INSTANT, "instant of the prediction; nothing recorded at it or later is known")

EVENTS = Table(
    "events",
    "one thing that a customer did, or that happened to the customer",
    (),  # sorted by customer_id, occurred_at, recorded_at, event_id; held by a test, since text sorting costs a pass
    (
        _CUSTOMER,
        Column("occurred_at", INSTANT, "when it happened"),
        Column("recorded_at", INSTANT, "when the company knew of it; occurred_at where the source does not say"),
        Column("event_type", CODE, "the source's own word for what happened"),
        Column("role", CODE, "what that means to us, a key of ROLES"),
        Column("state", CODE, "which kind of it, a state of that role in ROLES"),
        Column("amount_minor", pa.int64(), "money, in hundredths of the currency unit", "no money moved"),
        Column("discount_minor", pa.int64(), "price reduction given, in hundredths", "not said by the source"),
        Column(
            "quantity_milli",
            pa.int64(),
            "thousandths of what the role counts: items bought, how much was used, the survey's answer",
            "nothing to count",
        ),
        Column("channel", CODE, "where it happened: shop, web, app, phone, mail", "not said"),
        Column("category", CODE, "product group, ticket topic, campaign type", "not said"),
        Column("text", pa.string(), "the customer's own words", "none"),
        Column("event_id", pa.string(), "the source's id of the event, or a digest of the row where it has none"),
        Column(
            SUPERSEDED,
            INSTANT,
            "when a correction of it was recorded: what is known before then is this version, and after it the other",
            "it stands",
        ),
    ),
)

ATTRIBUTES = Table(
    "attributes",
    "one value of one attribute of a customer, from valid_from until the next value",
    ("customer_id", "name", "valid_from", "recorded_at"),
    (
        _CUSTOMER,
        Column("name", pa.string(), "attribute, such as plan or country"),
        Column("valid_from", INSTANT, "since when the value holds"),
        Column("recorded_at", INSTANT, "when the company knew of it"),
        Column("value", pa.string(), "the value as text"),
    ),
)

QUARANTINE = Table(
    "quarantine",
    "one input row that breaks the contract, with the reason",
    (),
    (
        Column("source", pa.string(), "name of the source in conf/data"),
        Column("file", pa.string(), "file name, without its folder"),
        Column("line", pa.int64(), "line or row number in the file, from 1, the header included", "not known"),
        Column("reason", pa.string(), "short code of the rule that was broken, such as occurred_at_unreadable"),
        Column("column", pa.string(), "column of the file that broke it", "the row as a whole"),
        Column("raw", pa.string(), "the row as JSON text, as it was read"),
    ),
)

SNAPSHOTS = Table(
    "snapshots",
    "one customer who was eligible at one as_of",
    ("customer_id", "as_of"),
    (
        _CUSTOMER,
        _AS_OF,
        Column(
            "churned", pa.bool_(), "whether the customer churned within the horizon", "the outcome is not known yet"
        ),
    ),
)

SPLIT = Table(
    "split",
    "one as_of and the part that its snapshots play",
    ("as_of",),
    (
        _AS_OF,
        Column("part", pa.string(), "train, validation, calibration, test, score, or embargo (not used)"),
        Column("outcome_from", INSTANT, "start of the outcome window, as_of + gap"),
        Column("outcome_until", INSTANT, "end of the outcome window: the first instant that no label of it sees"),
        Column("n_snapshots", pa.int64(), "eligible customers"),
        Column("n_churned", pa.int64(), "churners among them", "the outcome is not known yet"),
    ),
)

FEATURES = Table(
    "features",
    "one snapshot: what was known of the customer at as_of",
    ("customer_id", "as_of"),
    (_CUSTOMER, _AS_OF),
    open_types=(pa.float32(), CODE),
)

SCORES = Table(
    "scores",
    "one customer at the newest as_of",
    ("customer_id", "as_of"),
    (
        _CUSTOMER,
        _AS_OF,
        Column("margin", pa.float64(), "log-odds of churned, before calibration"),
        Column("score", pa.float64(), "calibrated probability of churned"),
        Column("score_low", pa.float64(), "low end of its 90 % interval (docs/evaluation.md)"),
        Column("score_high", pa.float64(), "high end of it"),
        Column("percentile", pa.float64(), "share of customers with a lower score, times 100"),
    ),
)

CONTRIBUTIONS = Table(
    "contributions",
    "one customer at the newest as_of: one column per feature; with base they add up to the margin",
    ("customer_id", "as_of"),
    (_CUSTOMER, _AS_OF, Column("base", pa.float64(), "margin of the average training snapshot, in log-odds")),
    open_types=(pa.float64(),),
)

REASONS = Table(
    "reasons",
    "one sentence about one customer at the newest as_of",
    ("customer_id", "as_of", "direction", "position"),
    (
        _CUSTOMER,
        _AS_OF,
        Column("direction", pa.string(), "leaving: speaks for churn; staying: speaks against it"),
        Column("position", pa.int64(), "1 is the weightiest of its direction"),
        Column("group", pa.string(), "name of the group of related features"),
        Column("contribution", pa.float64(), "sum of the group's contributions, in log-odds"),
        Column("en", pa.string(), "the sentence in English"),
        Column("zh", pa.string(), "the sentence in Chinese"),
    ),
)

RISK_LIST = Table(
    "risk_list",
    "one customer, the most money at risk first",
    ("rank",),
    (
        Column("rank", pa.int64(), "1 is to be called first"),
        _CUSTOMER,
        Column("score", pa.float64(), "calibrated probability of leaving within the horizon"),
        Column("score_low", pa.float64(), "low end of its 90 % interval (docs/evaluation.md)"),
        Column("score_high", pa.float64(), "high end of it"),
        Column("percentile", pa.float64(), "share of customers with a lower probability, times 100"),
        Column("expected_value", pa.float64(), "money expected in the next horizon if the customer stays"),
        Column("value_at_risk", pa.float64(), "expected_value times score"),
        Column("currency", pa.string(), "ISO 4217 code of the two columns of money"),
        Column("reason_1_en", pa.string(), "weightiest reason to leave, or that there is none in particular"),
        Column("reason_2_en", pa.string(), "second reason", "no second reason"),
        Column("reason_3_en", pa.string(), "third reason", "no third reason"),
        Column("staying_en", pa.string(), "what speaks for staying", "nothing speaks for staying"),
        Column("reason_1_zh", pa.string(), "the same in Chinese"),
        Column("reason_2_zh", pa.string(), "second reason, in Chinese", "no second reason"),
        Column("reason_3_zh", pa.string(), "third reason, in Chinese", "no third reason"),
        Column("staying_zh", pa.string(), "what speaks for staying, in Chinese", "nothing speaks for staying"),
        _AS_OF,
        Column("model_version", pa.string(), "first 12 hexadecimal digits of the model's digest"),
    ),
)

TABLES = {
    t.name: t
    for t in (
        EVENTS,
        ATTRIBUTES,
        QUARANTINE,
        SNAPSHOTS,
        SPLIT,
        FEATURES,
        SCORES,
        CONTRIBUTIONS,
        REASONS,
        RISK_LIST,
    )
}
"""Every table by name."""
