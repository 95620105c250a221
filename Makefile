# Everything here starts from a fresh checkout with nothing but python3 (3.11 or newer).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= demo-out

.PHONY: demo test bench check nightly lock clean

# A run that was killed leaves no stamp, so the next one installs again.
$(VENV)/.core: constraints.txt pyproject.toml
	tools/new_venv.sh "$(PYTHON)" "$(VENV)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.dev: $(VENV)/.core
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test,dev,diffusion,stylize]"
	touch $@

demo: $(VENV)/.core
	$(BIN)/portraitist demo --out $(OUT)

# Two processes, a file of tests in one: a third would cost as much memory as a whole suite, 2 GB.
test: $(VENV)/.dev
	OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -n 2 --dist loadfile --durations=15

# Timings that need no data of ours; the quality tables are made by the commands above them in docs/.
bench: $(VENV)/.core
	$(BIN)/portraitist bench
	$(BIN)/python benchmarks/compose_speed.py
	$(BIN)/python benchmarks/album_speed.py
	$(if $(DATA),$(BIN)/python -m benchmarks.marks detection --data $(DATA))
	$(if $(DATA),$(BIN)/python -m benchmarks.marks transfer --data $(DATA))
	$(if $(DATA),$(BIN)/python -m benchmarks.stylize --data $(DATA))

check: $(VENV)/.dev
	$(BIN)/ruff check src tests tools benchmarks recipes
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_floors.py tests/surface

nightly: $(VENV)/.dev check
	PORTRAITIST_NIGHTLY=1 $(BIN)/python -m pytest -m "slow or not slow"
	$(MAKE) bench

# Ask the package index again which wheels the pins are.
lock: $(VENV)/.dev
	$(BIN)/python tools/lock.py

clean:
	rm -rf $(VENV) $(OUT) build .mypy_cache .ruff_cache .pytest_cache .hypothesis
