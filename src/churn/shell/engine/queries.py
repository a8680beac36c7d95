# ruff: noqa: S608 - columns and tables are named by this package or quoted by `named`
"""The SQL of the engine. Instants are microseconds as whole numbers: DuckDB's time zones never come into play."""

from churn.shell.engine.formats import named

NUMBERS = ("amount_minor", "discount_minor", "quantity_milli")
_EVENT = """
    customer_id VARCHAR, occurred_at BIGINT, recorded_at BIGINT, kind SMALLINT,
    amount_minor BIGINT, discount_minor BIGINT, quantity_milli BIGINT,
    channel VARCHAR, category VARCHAR, text VARCHAR, event_id VARCHAR
"""
_VALUES = ", ".join(NUMBERS)
_PAYLOAD = f"occurred_at, kind, customer_id, {_VALUES}, channel, category, text"
TABLES = f"""
CREATE OR REPLACE TABLE merged ({_EVENT}, superseded_at BIGINT);
CREATE OR REPLACE TABLE statements (
    customer_id VARCHAR, name VARCHAR, valid_from BIGINT, recorded_at BIGINT, value VARCHAR
);
CREATE OR REPLACE TABLE quarantine (
    source VARCHAR, file VARCHAR, line BIGINT, reason VARCHAR, "column" VARCHAR, raw VARCHAR
);
"""
LINES = f"CREATE OR REPLACE TABLE lines ({_EVENT}, superseded_at BIGINT, merge_by VARCHAR)"
"""The valid rows of one source, before they are deduplicated and merged."""
INSERT_LINES = f"""
INSERT INTO lines
SELECT customer_id, occurred_at, recorded_at, kind, {_VALUES}, channel, category, text,
       coalesce(event_id, left(sha256(identity), 32)), NULL, merge_by
FROM piece
"""
"""128 bits of digest: among a billion rows, two different ones meet with a probability of 1e-21."""
INSERT_STATEMENTS = "INSERT INTO statements SELECT * FROM piece"
REJECTED = "CREATE OR REPLACE TABLE rejected AS FROM quarantine LIMIT 0"
"""Rejected rows of the file that is being read; in a CSV or JSON file, with numbers that count readable lines only."""
INSERT_REJECTED = "INSERT INTO rejected SELECT * FROM piece"
UNREADABLE = """
SELECT line, min_by(error_type::VARCHAR, byte_position) AS kind, any_value(csv_line) AS row
FROM reject_errors GROUP BY line ORDER BY line
"""
"""One row a line: a line with three columns too many is told of three times."""
QUARANTINE_REJECTED = """
INSERT INTO quarantine
SELECT source, file, line + {header_lines} + (SELECT count(*) FROM before WHERE n < rejected.line),
       reason, "column", raw
FROM rejected
"""
"""`before`: for each unreadable line, how many readable ones stand before it."""
QUARANTINE_UNREADABLE = "INSERT INTO quarantine SELECT * FROM piece"
REPEATED = """
CREATE OR REPLACE TABLE repeated AS
WITH likely AS (SELECT hash(event_id) AS digest FROM lines GROUP BY 1 HAVING count(*) > 1)
SELECT event_id FROM lines WHERE hash(event_id) IN (SELECT digest FROM likely) GROUP BY 1 HAVING count(*) > 1
"""
"""Ids that more than one row has. Most rows are put aside by eight bytes each, which are counted much faster than
texts and need less room."""
TWINS = f"""
CREATE OR REPLACE TABLE twins AS
SELECT rowid AS line, event_id, recorded_at, {_PAYLOAD}, merge_by FROM lines SEMI JOIN repeated USING (event_id)
"""
N_CONFLICT_IDS = 1000
"""A thousand show what is wrong with an id."""
CONFLICTS = f"""
SELECT count(*) - count(DISTINCT event_id) FROM (SELECT DISTINCT event_id, {_PAYLOAD}, merge_by FROM twins)
"""
"""How many times the id of a row came again and said something else."""
CONFLICT_IDS = f"""
SELECT event_id FROM (SELECT DISTINCT event_id, {_PAYLOAD}, merge_by FROM twins)
GROUP BY 1 HAVING count(*) > 1 ORDER BY 1 LIMIT {N_CONFLICT_IDS}
"""
"""The first ids of such rows, in their order."""
VERSIONS = f"""
CREATE OR REPLACE TABLE versions AS
WITH one AS (
         SELECT line, event_id, recorded_at, row({_PAYLOAD}, merge_by) AS said FROM twins
         QUALIFY row_number() OVER (PARTITION BY event_id, recorded_at ORDER BY {_PAYLOAD}, merge_by) = 1
     ),
     told AS (
         SELECT * FROM one
         WINDOW w AS (PARTITION BY event_id ORDER BY recorded_at)
         QUALIFY row_number() OVER w = 1 OR said IS DISTINCT FROM lag(said) OVER w
     )
SELECT line, lead(recorded_at) OVER (PARTITION BY event_id ORDER BY recorded_at) AS superseded_at FROM told
"""
"""Of rows with one id, each that says something else than the one recorded before it: it is in force from then until
the next one. A row that is delivered again says nothing new, so the first one stands. Of several recorded at once, the
first by what they say."""
DROP_OTHERS = "DELETE FROM lines WHERE rowid IN (SELECT line FROM twins) AND rowid NOT IN (SELECT line FROM versions)"
SUPERSEDE = """
UPDATE lines SET superseded_at = versions.superseded_at
FROM versions WHERE lines.rowid = versions.line AND versions.superseded_at IS NOT NULL
"""
DROP_SUPERSEDED = "DELETE FROM lines WHERE superseded_at IS NOT NULL"
"""Lines that are merged into one event have no versions of their own: the one that stands in the end counts."""
FORGET_TWINS = "DROP TABLE IF EXISTS repeated; DROP TABLE IF EXISTS twins; DROP TABLE IF EXISTS versions"
NUMBER_EQUAL_ROWS = """
CREATE OR REPLACE TABLE lines AS
SELECT * REPLACE (event_id || '-' || row_number() OVER (PARTITION BY event_id) AS event_id) FROM lines
"""
"""Equal rows that are separate events get numbers; as they are equal, it does not matter which gets which."""
INSERT_MERGED = """
INSERT INTO merged
WITH parts AS (
    SELECT customer_id, kind, merge_by, category, min(occurred_at) AS occurred_at, max(recorded_at) AS recorded_at,
           sum(amount_minor) AS amount_minor, sum(discount_minor) AS discount_minor,
           sum(quantity_milli) AS quantity_milli, min(channel) AS channel
    FROM lines GROUP BY ALL
)
SELECT customer_id, min(occurred_at), max(recorded_at), kind,
       sum(amount_minor)::BIGINT, sum(discount_minor)::BIGINT, sum(quantity_milli)::BIGINT, min(channel),
       (min({'rank': -abs(coalesce(amount_minor, 0)), 'name': category}) FILTER (WHERE category IS NOT NULL)).name,
       NULL, merge_by, NULL
FROM parts GROUP BY customer_id, kind, merge_by
"""
"""One event a customer, type and `merge_by`. It is known once its last line is; its category is the one with the most
money, of equal ones the first by name."""
BOUNDS = """
SELECT quantile_disc(customer_id, $places) FROM (SELECT customer_id FROM events USING SAMPLE 100000 ROWS)
"""
"""Customers that divide the events into parts of about the same size."""
CONTRADICTIONS = """
SELECT DISTINCT name, customer_id, (SELECT count(DISTINCT customer_id) FROM statements)
FROM (
    SELECT name, customer_id FROM statements
    GROUP BY name, customer_id, valid_from, recorded_at HAVING count(DISTINCT value) > 1
)
ORDER BY 1, 2
"""
"""Customers of whom two things are said at once: nobody can tell which holds."""
SORTED_STATEMENTS = """
WITH one AS (SELECT customer_id, name, valid_from, recorded_at, max(value) AS value FROM statements GROUP BY ALL),
     beside AS (
         SELECT *, lag(value) OVER w AS value_before, lag(recorded_at) OVER w AS recorded_before
         FROM one WINDOW w AS (PARTITION BY customer_id, name ORDER BY valid_from, recorded_at)
     )
SELECT customer_id, name, valid_from, recorded_at, value FROM beside
WHERE value_before IS DISTINCT FROM value OR recorded_before > recorded_at
ORDER BY customer_id, name, valid_from, recorded_at
"""
"""A value that repeats the one before says nothing new, if that one was known at least as early."""
SORTED_QUARANTINE = 'SELECT * FROM quarantine ORDER BY source, file, line, reason, "column", raw'


def all_events(tables: list[str]) -> str:
    """The events of the tables, and merged ones, under one name; nothing is copied."""
    columns = f"customer_id, occurred_at, recorded_at, kind, {_VALUES}, channel, category, text, event_id"
    columns += ", superseded_at"
    parts = [f"SELECT {columns} FROM {named(table)}" for table in ["merged", *tables]]
    return f"CREATE OR REPLACE VIEW events AS {' UNION ALL '.join(parts)}"


def text(column: str, kind: str, of: str = "") -> str:
    """A key as text: whole numbers that a tool stored as floating point lose their `.0`."""
    name = f"{of}.{named(column)}" if of else named(column)
    if kind in ("DOUBLE", "FLOAT"):
        whole = f"CAST(CAST({name} AS HUGEINT) AS VARCHAR)"
        return f"CASE WHEN {name} = trunc({name}) THEN {whole} ELSE CAST({name} AS VARCHAR) END"
    return f"trim(CAST({name} AS VARCHAR))"


def sorted_events(since: str | None = None, before: str | None = None) -> str:
    """The events of the customers from `since` to before `before`, by customer and time."""
    bounds = [f"customer_id >= {_quoted(since)}"] if since is not None else []
    bounds += [f"customer_id < {_quoted(before)}"] if before is not None else []
    return f"""
SELECT * FROM events {"WHERE " if bounds else ""}{" AND ".join(bounds)}
ORDER BY customer_id, occurred_at, recorded_at, event_id, kind, {_VALUES}, channel, category, text, superseded_at
"""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
