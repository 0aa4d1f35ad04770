# Everything runs in .venv, which these commands make and fill from pinned, hashed requirements.
PYTHON ?= $(shell for p in python3.12 python3.13 python3.11 python3; do $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
TRIALS ?=
IMAGES ?=
PLAN ?=
WORKERS ?= 3
PIN = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links
# Without what these packages depend on: the function uses none of it.
PIN_FOR_LAMBDA = $(subst --universal --python-version 3.11,--no-deps --python-version 3.13 --python-platform x86_64-manylinux_2_28,$(PIN))
LAPTOP := pyproject.toml --extra laptop
AS_TESTED := --constraints requirements/dev.txt

.PHONY: demo test check architecture screenshots openapi bench-labels bench-search notebook bench-tuner bench-peers bench-endpoint bench-invocations bench-load bench-uploads bench-training bench-predictions bench-changes bench-scale cost-page processors-page scale-page chaos guards requirements clean
.DELETE_ON_ERROR:

demo: $(VENV)/laptop  ## the whole flow on this machine: make demo [IMAGES=folder] [TRIALS=n] [PLAN=full]
	@$(BIN)/seedbed demo $(if $(IMAGES),--images "$(IMAGES)") $(if $(TRIALS),--trials $(TRIALS)) $(if $(PLAN),--plan $(PLAN))

test: $(VENV)/dev $(VENV)/sam/ready $(VENV)/aws/ready $(VENV)/lint/ready $(VENV)/sdk2/kernel check  ## all tests: make test [WORKERS=n]
	@$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

check: $(VENV)/dev  ## types and style
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

architecture: $(VENV)/laptop  ## draw the pictures of docs/architecture.md from the code and the template
	@$(BIN)/python -m tools.architecture

screenshots: $(VENV)/dev  ## pictures of the page for the docs, of a real run; needs Chromium
	@$(BIN)/python -m tools.screenshots

openapi: $(VENV)/laptop  ## write functions/openapi.json from the types of the API's answers
	@PYTHONPATH=functions:training_container:. $(BIN)/python -m tools.openapi

notebook: $(VENV)/dev $(VENV)/sdk2/kernel  ## run the notebooks of examples/founding_article, and keep what they print and draw
	@$(BIN)/python -m tools.notebook tuning.ipynb && $(BIN)/python -m tools.notebook tuning_sdk2.ipynb

bench-tuner: $(VENV)/bench/ready  ## how well Bayesian tuning finds good settings, beside other libraries
	@$(VENV)/bench/bin/python -c "import torch" 2>/dev/null || echo "Without torch in $(VENV)/bench, Optuna's GP sampler is left out."
	@for name in smac ax hebo; do test -x $(VENV)/bench-$$name/bin/python || echo "Without $(VENV)/bench-$$name, which make bench-peers installs, $$name is left out."; done
	@PYTHONPATH=. $(VENV)/bench/bin/python -m benchmarks.bench_tuner --out docs/bench-tuner.md

bench-peers: $(VENV)/bench-smac/ready $(VENV)/bench-ax/ready $(VENV)/bench-hebo/ready  ## SMAC3, Ax and HEBO for bench-tuner: 12 GB on disk; HEBO needs Python 3.11

bench-labels: $(VENV)/laptop  ## how well likely wrong labels are found: make bench-labels IMAGES=folder [CLEANLAB=an interpreter with cleanlab]
	@PYTHONPATH=training_container:. $(BIN)/python -m benchmarks.bench_labels --images "$(IMAGES)" $(if $(CLEANLAB),--cleanlab "$(CLEANLAB)") --out docs/bench-labels.md

bench-search: $(VENV)/laptop  ## what searching the heads' hyperparameters is worth on unlike data sets: make bench-search [IMAGES=folder]
	@PYTHONPATH=functions:training_container:. $(BIN)/python -m benchmarks.bench_search $(if $(IMAGES),--images "$(IMAGES)") --out docs/bench-search.md

bench-endpoint: $(VENV)/laptop  ## what the local SageMaker endpoint adds to a training job
	@$(BIN)/python -m benchmarks.bench_endpoint | tee docs/bench-endpoint.md

bench-invocations: $(VENV)/laptop  ## what the local SageMaker endpoint adds to an invocation
	@$(BIN)/python -m benchmarks.bench_invocations > docs/bench-invocations.md.new && mv docs/bench-invocations.md.new docs/bench-invocations.md

bench-load: $(VENV)/dev  ## what many uploads cost: calls, memory, US dollars
	@PYTHONPATH=functions:. $(BIN)/python -m benchmarks.bench_load > docs/bench-load.md.new && mv docs/bench-load.md.new docs/bench-load.md

cost-page: $(VENV)/laptop  ## what runs of several sizes are expected to cost on AWS
	@PYTHONPATH=functions:. $(BIN)/python -m benchmarks.cost_page > docs/cost.md.new && mv docs/cost.md.new docs/cost.md

processors-page: $(VENV)/laptop  ## how fast whole networks train on measured processors, and what a GPU may cost
	@PYTHONPATH=functions:. $(BIN)/python -m benchmarks.processors_page > docs/cpu-or-gpu.md.new && mv docs/cpu-or-gpu.md.new docs/cpu-or-gpu.md

scale-page: $(VENV)/laptop  ## what runs of up to a million images are expected to take and cost on AWS, and what limits them
	@PYTHONPATH=functions:. $(BIN)/python -m benchmarks.scale_page > docs/scale.md.new && mv docs/scale.md.new docs/scale.md

bench-uploads: $(VENV)/laptop  ## ten thousand real uploads through the local cloud, and the run that follows
	@$(BIN)/python -m benchmarks.bench_uploads --out docs/bench-uploads.md

chaos: $(VENV)/dev  ## the manager under faults, with many more stories than the tests tell: make chaos [EXAMPLES=n]
	@CHAOS_EXAMPLES=$(or $(EXAMPLES),50000) $(BIN)/pytest tests/chaos/test_chaos.py

guards: $(VENV)/dev  ## takes each guard away and shows which test misses it
	@$(BIN)/python -m tests.chaos.mutations

bench-training: $(VENV)/laptop  ## training beside the founding recipe and plain Keras: make bench-training [IMAGES=folder]
	@$(BIN)/python -m benchmarks.bench_training $(if $(IMAGES),--images "$(IMAGES)") --out docs/bench-training.md

bench-changes: $(VENV)/laptop  ## how a run's model holds on changed photographs: make bench-changes RUN=folder
	@PYTHONPATH=training_container:. $(BIN)/python -m benchmarks.bench_changes --run "$(RUN)" --out docs/bench-changes.md

bench-scale: $(VENV)/laptop  ## what an image costs in a hundred times as many: make bench-scale [IMAGES=folder] [SIZES="10000 100000"] [IMAGE_SIZE=224]
	@PYTHONPATH=training_container:. $(BIN)/python -m benchmarks.bench_scale $(if $(IMAGES),--images "$(IMAGES)") $(if $(SIZES),--sizes $(SIZES)) $(if $(IMAGE_SIZE),--image-size $(IMAGE_SIZE)) --out docs/bench-scale.md

bench-predictions: $(VENV)/laptop  ## how fast POST /predictions answers, beside Keras: make bench-predictions [IMAGES=folder]
	@PYTHONPATH=predictions:functions:training_container:. $(BIN)/python -m benchmarks.bench_predictions $(if $(IMAGES),--images "$(IMAGES)") --out docs/bench-predictions.md

$(UV): requirements/uv.txt
	@test -n "$(PYTHON)" || { echo "Seedbed needs Python 3.11, 3.12 or 3.13 (TensorFlow has no wheels for others). Install one, or name it: make PYTHON=/path/to/python3.12"; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/laptop: $(UV) requirements/laptop.txt pyproject.toml
	@echo "Installing packages: once, about 2 GB on disk, a minute or two"
	@$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/laptop.txt
	@$(UV) pip install --python $(BIN)/python --no-deps --quiet --editable .
	@touch $@

$(VENV)/dev: $(VENV)/laptop requirements/dev.txt
	@echo "Installing packages for the tests: once"
	@$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@

# The SAM and AWS CLIs and checkov pin packages that MiniStack pins otherwise: each has an environment of its own, as SageMaker's SDK 2, the search
# benchmark and its peers have.
$(VENV)/sam/ready $(VENV)/aws/ready $(VENV)/lint/ready $(VENV)/sdk2/ready $(VENV)/bench/ready $(VENV)/bench-smac/ready $(VENV)/bench-ax/ready $(VENV)/bench-hebo/ready: $(VENV)/%/ready: $(UV) requirements/%.txt
	@$(UV) venv --quiet --clear --python $(BIN)/python $(VENV)/$*
	@$(UV) pip install --quiet --compile-bytecode --python $(VENV)/$*/bin/python --require-hashes -r requirements/$*.txt
	@touch $@

# A notebook with SDK 2 draws Seedbed's photographs.
$(VENV)/sdk2/kernel: $(VENV)/sdk2/ready
	@$(UV) pip install --python $(VENV)/sdk2/bin/python --no-deps --quiet --editable .
	@touch $@

requirements: $(UV)  ## pin what pyproject.toml and the .in files ask for
	@$(PIN) $(LAPTOP) requirements/dev.in --output-file requirements/dev.txt
	@$(PIN) $(LAPTOP) $(AS_TESTED) --output-file requirements/laptop.txt
	@for name in functions/requirements training_container/requirements training_container/requirements-gpu; do \
		$(PIN) $$name.in $(AS_TESTED) --output-file $$name.txt || exit 1; done
	@$(PIN_FOR_LAMBDA) predictions/requirements.in $(AS_TESTED) --output-file predictions/requirements.txt
	@$(PIN) $(LAPTOP) requirements/bench.in --output-file requirements/bench.txt
	@for name in sam aws lint sdk2 uv bench-smac bench-ax bench-hebo; do $(PIN) requirements/$$name.in --output-file requirements/$$name.txt || exit 1; done

clean:  ## the environment and all local data
	rm -rf $(VENV) .seedbed .seedbed-demo .aws-sam
