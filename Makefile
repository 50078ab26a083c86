# make app     set everything up and open the application on the demo run
# make test    set everything up and run the checks
# make lint    style and import floors only
# make env     set everything up

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RUN ?= checkpoints/demo

# The app decodes small batches for one person: two threads are as fast as many. Tests work on tiny tensors, where a
# second thread only costs; a second process, each with whole test files, does not.
APP_THREADS ?= 2
TEST_THREADS ?= 1
TEST_PROCESSES ?= 2

# Asked for by name before anything else asks for any torch, so that the installer never fetches a second build.
TORCH := torch>=2.11,<2.14

# Python compiles a module when it is first imported. Compiling all that is installed, most of which nothing imports,
# takes a minute or more.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile

.PHONY: app test lint env

app: $(READY)
	OMP_NUM_THREADS=$(APP_THREADS) $(BIN)/reg4rec app --run $(RUN)

test: lint
	OMP_NUM_THREADS=$(TEST_THREADS) HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/lint-imports

env: $(READY)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed, $(PYTHON) is older; name another: make PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) "$(TORCH)"
	$(INSTALL) "$(TORCH)" -e ".[dev]"
	@touch $@
