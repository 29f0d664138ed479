# Everything here sets up .venv first (once; again only when the dependencies change).
# Needs `make` and a Python 3.11 to 3.14; a certain one: `make test PYTHON=python3.13`.

PYTHON ?= python3
VENV := .venv/bin
setup = $(PYTHON) scripts/setup.py
SPREAD := -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: help demo edit serve doctor test lint format docs clean fuzz test-dependencies \
	test-cluster release extension extension-repository blender test-blender test-blender-all test-blender-window blender-pictures

help:
	@echo "make demo     compose three subjects into a scene on the bundled model"
	@echo "make edit     open the desktop editor (ARGS=FILE.standee for a document)"
	@echo "make serve    run the daemon in this terminal"
	@echo "make doctor   say what this machine can run"
	@echo "make test     run the tests (ARGS='-k geometry' for some of them)"
	@echo "make lint     check style and types"
	@echo "make format   apply the style"
	@echo "make docs     build the documentation as a site, into build/site"
	@echo "make fuzz     read a million broken inputs (ARGS='--seconds 60' for a while)"
	@echo "make test-dependencies     test with the oldest and the newest packages (brings them: 12 GB)"
	@echo "make test-cluster          run the tests of several machines by Ray (brings it: 250 MB)"
	@echo "make extension             build the Blender extension, one zip per platform, into dist/"
	@echo "make extension-repository  the same as a folder to serve, from which Blender updates"
	@echo "make test-blender          run its tests in Blender as a module (brings it: 400 MB)"
	@echo "make test-blender-all      the same in every supported version of Blender"
	@echo "make test-blender-window   drive a real Blender window (Debian, root; brings it: 1.5 GB)"
	@echo "make blender-pictures      make the pictures of docs/blender.md anew (both of the above)"
	@echo "make release              build everything that a release holds into dist/ (ARGS=--dry-run only checks)"
	@echo "make clean    remove .venv and build products"

demo:
	@$(setup) backend
	@$(VENV)/standee demo $(ARGS)

edit:
	@$(setup) backend desktop
	@$(VENV)/python -m standee_desktop $(ARGS)

serve:
	@$(setup) backend
	@$(VENV)/standee serve $(ARGS)

doctor:
	@$(setup) backend
	@$(VENV)/standee doctor $(ARGS)

test:
	@$(setup) backend desktop dev
	@$(VENV)/python -m pytest $(SPREAD) $(ARGS)

lint:
	@$(setup) backend desktop dev
	@$(VENV)/ruff check
	@$(VENV)/ruff format --check
	@$(VENV)/mypy
	@$(VENV)/reuse lint --quiet

format:
	@$(setup) backend dev
	@$(VENV)/ruff check --fix --exit-zero
	@$(VENV)/ruff format

docs:
	@$(setup) docs
	@$(VENV)/python docs/make_reference.py
	@NO_MKDOCS_2_WARNING=1 $(VENV)/python -m mkdocs build --strict

fuzz:
	@$(setup) backend dev
	@$(VENV)/python benchmarks/fuzz.py $(ARGS)

test-dependencies:
	@$(PYTHON) scripts/dependencies.py $(ARGS)

test-cluster:
	@$(setup) backend cluster dev
	@$(VENV)/python -m pytest tests/cluster $(ARGS)

clean:
	@rm -rf .venv .venv-bpy* .venv-lowest .venv-newest build dist protocol/*.egg-info *.egg-info .pytest_cache .mypy_cache .ruff_cache

release:
	@$(setup) backend desktop dev
	@$(VENV)/python scripts/release.py $(ARGS)

extension:
	@$(setup) dev
	@$(VENV)/python scripts/extension.py $(ARGS)

extension-repository: extension
	@$(PYTHON) scripts/blender.py repository dist

blender:
	@$(PYTHON) scripts/blender.py bring

test-blender:
	@$(PYTHON) scripts/blender.py test $(ARGS)

test-blender-all:
	@$(PYTHON) scripts/blender.py test-all $(ARGS)

test-blender-window:
	@$(setup) backend dev
	@$(VENV)/python scripts/blender_window.py $(ARGS)

blender-pictures: blender
	@$(setup) backend dev
	@$(VENV)/python scripts/blender_window.py --pictures docs/blender
	@$(VENV)/python scripts/blender_sheet.py
