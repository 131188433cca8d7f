# make book    build the pages (and the environment, if needed)
# make test    run every test in the same environment
# make run     execute all chapters anew and write their outputs
# make serve   build, then show the pages on http://127.0.0.1:8000
# make offline the pages as a zip that needs no network: _build/lnn-tutorial-offline.zip
# make pdf     the book as _build/lnn-tutorial.pdf, where TeX is installed
# make assignments             the students' copies, in _build/assignments
# make grade SUBMITTED=FOLDER  grade what students handed in; the marks come to graded/DATE-TIME
# make clean   remove what was built; .venv stays
# make pins    write requirements.txt anew, with uv; UPGRADE="--upgrade-package jax" raises one pin
#
# Another interpreter: make book PYTHON=python3.12. More test workers than two: make test JOBS=4.

PYTHON ?= python3
JOBS ?= 2
BIN := .venv/bin

# The thread count changes the last bits of a sum, and training amplifies them.
export JAX_PLATFORMS = cpu
export PJRT_NPROC = 1
export OPENBLAS_NUM_THREADS = 1
export PYTHONHASHSEED = 0
export TQDM_DISABLE = 1

# Measured motions that others have published are looked for here before they are downloaded.
ifneq ($(wildcard ../shared/data),)
export LNN_TUTORIAL_DATA ?= $(abspath ../shared/data)
endif

.PHONY: assignments book clean grade install offline pdf pins run serve test

book: install
	$(BIN)/jupyter-book build . -W -n --keep-going
	@printf '\nThe book is built. Open this file in a browser:\n  %s\n' '$(CURDIR)/_build/html/index.html'

test: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder --nbval chapters tests lnn_tutorial

run: install
	$(BIN)/python scripts/run_notebooks.py

offline: book
	$(BIN)/python scripts/offline.py

pdf: install
	$(BIN)/python scripts/pdf.py

serve: book
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 8000

assignments: install
	$(BIN)/python scripts/coursework.py generate

grade: install
	$(if $(SUBMITTED),,$(error Name the folder of submissions: make grade SUBMITTED=FOLDER))
	$(BIN)/python scripts/coursework.py grade '$(SUBMITTED)'

clean:
	rm -rf _build .pytest_cache .ruff_cache .hypothesis
	find assignments chapters lnn_tutorial scripts tests -name __pycache__ -prune -exec rm -rf {} +

# Versions that requirements.txt has already stay, unless UPGRADE says otherwise.
pins:
	echo '-e .[book,motion,test,teach]' | UV_CUSTOM_COMPILE_COMMAND='make pins' uv pip compile --quiet --universal --python-version 3.11 $(UPGRADE) - --output-file requirements.txt

install: .venv/installed

.venv/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("This book needs Python 3.11 or newer; $(PYTHON) is %d.%d. Name another one: make book PYTHON=python3.12" % v[:2])'
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -r requirements.txt
	@touch $@
