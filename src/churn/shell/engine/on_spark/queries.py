# ruff: noqa: S608 - columns are named by this package
"""The SQL of Spark, for all sources at once. It says what `engine.queries` says.

Where nulls stand is written out here.
"""

from churn.shell.engine.queries import N_CONFLICT_IDS, NUMBERS

WIDE = """
what string, source string, separate boolean, told string,
customer_id string, occurred_at bigint, recorded_at bigint, kind smallint,
amount_minor bigint, discount_minor bigint, quantity_milli bigint,
channel string, category string, text string, event_id string, merge_by string,
name string, valid_from bigint, value string,
file string, line bigint, reason string, `column` string, raw string
"""
"""All that reading a file gives, one kind of row each: `what` is line, statement, rejected, counts or fault."""
_EVENT = ("customer_id", "occurred_at", "recorded_at", "kind", *NUMBERS, "channel", "category", "text")
_PAYLOAD = ("occurred_at", "kind", "customer_id", *NUMBERS, "channel", "category", "text", "merge_by")
PLACED = f"""
SELECT source, separate, {", ".join(_EVENT)}, event_id, merge_by, struct({", ".join(_PAYLOAD)}) AS said,
       row_number() OVER w AS place, row_number() OVER at_once AS once
FROM found WHERE what = 'line'
WINDOW w AS (
    PARTITION BY source, event_id ORDER BY recorded_at DESC, {", ".join(f"{c} NULLS LAST" for c in _PAYLOAD)}
), at_once AS (
    PARTITION BY source, event_id, recorded_at ORDER BY {", ".join(f"{c} NULLS LAST" for c in _PAYLOAD)}
)
"""
"""Rows with their place among those of one id, and among those of one id that were recorded at once."""
VERSIONS = f"""
WITH told AS (
    SELECT *, row_number() OVER v AS turn, lag(said) OVER v AS before FROM placed WHERE once = 1 AND NOT separate
    WINDOW v AS (PARTITION BY source, event_id ORDER BY recorded_at)
),
versions AS (
    SELECT *, lead(recorded_at) OVER (PARTITION BY source, event_id ORDER BY recorded_at) AS superseded_at
    FROM told WHERE turn = 1 OR NOT said <=> before
)
SELECT source, {", ".join(_EVENT)}, event_id, superseded_at, merge_by FROM versions
WHERE merge_by IS NULL OR superseded_at IS NULL
UNION ALL
SELECT source, {", ".join(_EVENT)}, event_id || '-' || place, CAST(NULL AS bigint), merge_by FROM placed WHERE separate
"""
COUNTS = f"""
WITH different AS (
    SELECT source, event_id, count(DISTINCT said) - 1 AS conflicts,
           row_number() OVER (PARTITION BY source ORDER BY event_id) AS place
    FROM placed WHERE NOT separate GROUP BY source, event_id HAVING count(DISTINCT said) > 1
),
conflicts AS (
    SELECT source, sum(conflicts) AS conflicts,
           array_sort(collect_list(event_id) FILTER (WHERE place <= {N_CONFLICT_IDS})) AS conflict_ids
    FROM different GROUP BY source
),
kept AS (SELECT source, count(*) AS kept FROM versions WHERE superseded_at IS NULL GROUP BY source)
SELECT p.source, any_value(kept) AS kept, count(*) - any_value(kept) AS duplicates,
       coalesce(any_value(conflicts), 0) AS conflicts, coalesce(any_value(conflict_ids), array()) AS conflict_ids
FROM placed p LEFT JOIN kept USING (source) LEFT JOIN conflicts USING (source) GROUP BY p.source
"""
EVENTS = f"""
WITH parts AS (
    SELECT source, customer_id, kind, merge_by, category, min(occurred_at) AS occurred_at,
           max(recorded_at) AS recorded_at, sum(amount_minor) AS amount_minor, sum(discount_minor) AS discount_minor,
           sum(quantity_milli) AS quantity_milli, min(channel) AS channel
    FROM versions WHERE merge_by IS NOT NULL GROUP BY source, customer_id, kind, merge_by, category
)
SELECT source, {", ".join(_EVENT)}, event_id, superseded_at FROM versions WHERE merge_by IS NULL
UNION ALL
SELECT source, customer_id, min(occurred_at), max(recorded_at), kind,
       sum(amount_minor), sum(discount_minor), sum(quantity_milli), min(channel),
       (min(struct(-abs(coalesce(amount_minor, 0)) AS rank, category AS name))
           FILTER (WHERE category IS NOT NULL)).name,
       CAST(NULL AS string), merge_by, CAST(NULL AS bigint)
FROM parts GROUP BY source, customer_id, kind, merge_by
"""
SORTED_EVENTS = f"""
SELECT {", ".join(_EVENT)}, event_id, superseded_at FROM events
ORDER BY customer_id, occurred_at, recorded_at, event_id NULLS LAST, kind,
         {", ".join(f"{c} NULLS LAST" for c in (*NUMBERS, "channel", "category", "text", "superseded_at"))}
"""
SORTED_STATEMENTS = """
WITH one AS (
    SELECT customer_id, name, valid_from, recorded_at, max(value) AS value FROM found WHERE what = 'statement'
    GROUP BY customer_id, name, valid_from, recorded_at
),
beside AS (
    SELECT *, lag(value) OVER w AS value_before, lag(recorded_at) OVER w AS recorded_before
    FROM one WINDOW w AS (PARTITION BY customer_id, name ORDER BY valid_from, recorded_at)
)
SELECT customer_id, name, valid_from, recorded_at, value FROM beside
WHERE value_before IS DISTINCT FROM value OR recorded_before > recorded_at
ORDER BY customer_id, name, valid_from, recorded_at
"""
SORTED_QUARANTINE = """
SELECT source, file, line, reason, `column`, raw FROM found WHERE what = 'rejected'
ORDER BY source, file, line NULLS LAST, reason, `column` NULLS LAST, raw
"""
CONTRADICTIONS = """
WITH statements AS (SELECT * FROM found WHERE what = 'statement')
SELECT DISTINCT name, customer_id, (SELECT count(DISTINCT customer_id) FROM statements)
FROM (
    SELECT name, customer_id FROM statements
    GROUP BY name, customer_id, valid_from, recorded_at HAVING count(DISTINCT value) > 1
)
ORDER BY 1, 2
"""
"""Customers of whom two things are said at once."""
