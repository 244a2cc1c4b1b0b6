# make demo    everything on this machine, with a synthetic camera and a local "YouTube"
# make demo-cluster     three streams on three nodes of a Ray cluster on this machine; one node is killed
# make run     the service with your settings, and nginx-rtmp if no RTMP server runs
# make test    lint and all tests
# make drills  every fault with real FFmpeg and nginx-rtmp, measured; writes docs/drills.md (20 minutes)
# make soak    random faults for SOAK_MINUTES (10), then a check of what grew; adds to docs/drills.md
# make contact-sheet    everything the overlay can show, as docs/contact-sheet.png
# make screenshots      the dashboard with real streams, as docs/dashboard.png and docs/dashboard-phone.png
# make bench            a short run of each bench (45 minutes); writes docs/benchmarks.md
# make bench-NAME       one bench: freshness, scores, cost, capacity, many, picture, overlay, preview, cluster
PYTHON := .venv/bin/python
CLUSTER := $(wildcard tests/integration/test_*cluster*.py)
SIDE_BY_SIDE := -n 3
export DEMO_SECONDS DEMO_BALL_S SOAK_MINUTES SOAK_SEED

.PHONY: demo demo-cluster run test drills soak lint unit contact-sheet screenshots bench
.PHONY: setup setup-cluster setup-dev setup-bench

demo: setup
	@exec $(PYTHON) -m demo.run

demo-cluster: setup-cluster
	@exec $(PYTHON) -m demo.cluster

run: setup
	@exec $(PYTHON) -m deploy.run

# Most tests run side by side, because they wait more than they compute. Drills measure, so they run alone.
test: lint
	@$(PYTHON) -m pytest tests/api tests/unit $(SIDE_BY_SIDE)
	@$(PYTHON) -m pytest tests/integration $(CLUSTER:%=--ignore %) -n 2 --dist loadfile
	@$(PYTHON) -m pytest $(CLUSTER) -n 2 --dist loadfile
	@$(PYTHON) -m pytest tests/drills

drills: setup-dev
	@$(PYTHON) -m pytest tests/drills -m "not soak" -vv --drills-report docs/drills.md

soak: setup-dev
	@$(PYTHON) -m pytest tests/drills/test_soak.py -m soak -s --drills-report docs/drills.md

unit: setup-dev
	@$(PYTHON) -m pytest tests/unit $(SIDE_BY_SIDE)

contact-sheet: setup
	@$(PYTHON) -m demo.contact_sheet

screenshots: setup-dev
	@$(PYTHON) -m demo.screenshots

bench: setup-bench
	@$(PYTHON) -m bench.run --document docs/benchmarks.md

bench-%: setup-bench
	@$(PYTHON) -m bench.$*

lint: setup-dev
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

setup:
	@deploy/setup.sh

setup-cluster:
	@deploy/setup.sh cluster

setup-dev:
	@deploy/setup.sh dev

setup-bench:
	@deploy/setup.sh bench
