# make run: from nothing to a list in deliveries/. make test: everything that must hold. Both set up .venv first.
PYTHON ?= python3
BIN := .venv/bin
SET_UP := .venv/set-up
SPARK := .venv/spark
export PYTHON
# Without compiled files in .venv every command would compile its libraries again, which takes longer than its work.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test test-long lint types imports bench-quality bench-speed spark lock clean

help:
	@echo "make run            set up, then make the list and publish it under deliveries/"
	@echo "make test           set up, then lint, types, import rules and tests"
	@echo "make test-long      the tests that take minutes, and many more examples of each property"
	@echo "make lint           style and format only"
	@echo "make bench-quality  prediction quality beside time rules and peers, on all data at hand"
	@echo "make bench-speed    seconds and memory of features, contributions, the whole line and export, beside peers"
	@echo "make spark          add PySpark to .venv, for engine=spark (needs Java 17); make test does it, too"
	@echo "make lock           write requirements.lock anew from pyproject.toml"
	@echo "make clean          remove .venv; data, models and deliveries stay"
	@echo "PYTHON=python3.12   before or after any of them: the Python to use (3.11 to 3.13)"

run: $(SET_UP)
	@$(BIN)/churn run

test: lint types imports $(SPARK)
	$(BIN)/python -m pytest

test-long: $(SPARK)
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -m "long or not long"

lint: $(SET_UP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(SET_UP)
	$(BIN)/mypy

imports: $(SET_UP)
	$(BIN)/lint-imports --no-cache

bench-quality: $(SET_UP)
	$(BIN)/python -m benchmarks.quality

bench-speed: $(SET_UP)
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.speed.contributions
	$(BIN)/python -m benchmarks.speed.line
	$(BIN)/python -m benchmarks.speed.export

lock: $(SET_UP)
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --upgrade --quiet --output-file requirements.lock
	$(BIN)/uv pip compile --group spark --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --upgrade --quiet --output-file requirements-spark.lock

spark: $(SPARK)

clean:
	rm -rf .venv

# Touched last: a set-up that was interrupted is done again.
$(SET_UP): requirements.lock pyproject.toml scripts/set-up
	@bash scripts/set-up
	@touch $@

# Half a gigabyte that only engine=spark needs, so `make run` goes without. Where it cannot be had, its tests skip.
# It comes as source: a shared cache would keep four copies (2.2 GB), and mirrors make uv build and keep them each time.
$(SPARK): $(SET_UP) requirements-spark.lock
	@echo "Adding PySpark to .venv"
	@rm -rf .venv/spark-cache
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --cache-dir .venv/spark-cache --no-build-isolation \
	  --require-hashes --requirement requirements-spark.lock && touch $@ || \
	  echo "PySpark could not be installed; tests of engine=spark will skip" >&2
	@rm -rf .venv/spark-cache
