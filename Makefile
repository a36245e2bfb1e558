# make run, make test: each sets up .venv when it must, and does nothing about it when it need not.

# The first of these that runs and is new enough; PYTHON=... on the command line overrides it.
CANDIDATES := python3.11 python3 python3.12 python3.13 python3.14
PYTHON ?= $(shell for p in $(CANDIDATES); do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
PYTHON := $(PYTHON)
VERSION := $(if $(PYTHON),$(shell "$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null))

VENV := .venv
BIN := $(VENV)/bin
# Named after the Python that made it: another version finds no stamp of its own and begins anew.
STAMP := $(VENV)/.ready-$(VERSION)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
UV_VERSION := 0.13.9
# There is no wheel of solara-assets: it is built when all else of the lock is there, by the backend that the lock pins.
NO_WHEEL := '/^solara-assets==/,/^    . via/d'
UPGRADE :=

.DELETE_ON_ERROR:
.PHONY: run test test-model test-pages validate chromium lint bench setup lock clean

run: $(STAMP)
	$(BIN)/tightrope run takeover-2021 --runs 200

# In two parts side by side, as most tests keep one core busy; make holds back what each says until it is done.
test: $(STAMP) chromium
	@echo 'Testing the pages in a browser and all the rest side by side; each part tells what came of it when it ends.'
	@$(MAKE) --no-print-directory -j2 --output-sync test-model test-pages

test-model:
	$(BIN)/python -m pytest --ignore=tests/browser

test-pages:
	$(BIN)/python -m pytest tests/browser

# docs/validation.md and its figures, from what the code measures; BUDGET='--points 1000 --runs 200' makes it quicker.
validate: $(STAMP)
	$(BIN)/tightrope validate $(BUDGET)

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy sim
	$(BIN)/lint-imports

# The browser tests want a Chromium: that of CHROMIUM or of the machine, else Debian's. Without one they are skipped, or
# under CI=true fail.
chromium:
	@{ [ -x "$$CHROMIUM" ] || command -v chromium || command -v chromium-browser || command -v google-chrome || \
		command -v google-chrome-stable; } >/dev/null 2>&1 || { \
		as=; [ "$$(id -u)" = 0 ] || as='sudo -n'; \
		echo 'No Chromium here: installing the package of that name for the browser tests.'; \
		{ $$as apt-get update -qq && $$as apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1 || \
		echo 'It could not be installed: the browser tests will be skipped (with CI=true they fail).'; }

bench: $(STAMP)
	$(BIN)/python -m benchmarks

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo 'Tightrope needs Python 3.11 or newer; $(if $(PYTHON),"$(PYTHON)" is $(or $(VERSION),not one that runs),none was found).' >&2; \
		echo 'Name another: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)' >&2; exit 1; }
	@echo 'Setting up $(VENV) with Python $(VERSION); the first time takes about a minute.'
	test -e $@ || "$(PYTHON)" -m venv --clear $(VENV)
	sed $(NO_WHEEL) requirements.lock | $(PIP) install --require-hashes --only-binary :all: -r /dev/stdin
	$(PIP) install --require-hashes --only-binary :all: --no-binary solara-assets --no-build-isolation -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --no-index -e .
	@touch $@

# Keeps the pins that still fit; make lock UPGRADE=--upgrade moves them all to the newest.
lock:
	test -x build/uv-$(UV_VERSION)/bin/uv || { "$(PYTHON)" -m venv --clear build/uv-$(UV_VERSION) && \
		build/uv-$(UV_VERSION)/bin/python -m pip --disable-pip-version-check --quiet install uv==$(UV_VERSION); }
	build/uv-$(UV_VERSION)/bin/uv pip compile pyproject.toml --group dev --group build \
		--universal --python-version 3.11 --only-binary :all: --no-binary solara-assets --generate-hashes \
		--no-emit-index-url --custom-compile-command 'make lock' --quiet $(UPGRADE) --output-file requirements.lock

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find sim tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
