# make demo    the whole path on this machine, with a synthetic camera and a local "YouTube"
# make run     the service with your settings, and nginx-rtmp beside it when none runs
# make test    lint and all tests
# make contact-sheet    everything the overlay can show, as docs/contact-sheet.png
# make bench-overlay    what drawing and decoding the overlay costs
PYTHON := .venv/bin/python
export DEMO_SECONDS DEMO_BALL_S

.PHONY: demo run test lint unit contact-sheet bench-overlay setup setup-dev

demo: setup
	@exec $(PYTHON) -m demo.run

run: setup
	@exec $(PYTHON) -m deploy.run

test: lint
	@$(PYTHON) -m pytest

unit: setup-dev
	@$(PYTHON) -m pytest tests/unit

contact-sheet: setup
	@$(PYTHON) -m demo.contact_sheet

bench-overlay: setup
	@$(PYTHON) -m bench.overlay

lint: setup-dev
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

setup:
	@deploy/setup.sh

setup-dev:
	@deploy/setup.sh dev
