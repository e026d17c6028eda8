# SPDX-License-Identifier: GPL-3.0-or-later
#
# mtasim. One Makefile, not recursive: it calls itself only to build another
# variant or to run the stages of `make check` one after the other.
#
#   make VARIANT=release|debug|asan|cov CC=gcc|clang [TARGET]
#
# Objects go to build/VARIANT/COMPILER/, results of runs to runs/. Sources are
# found, not listed: a new .c file in src/mta, model, sim or a tests folder is
# built without an edit here.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

# Tools match, sort and print alike wherever it is built. Who looks at the demo
# has a language.
LANGUAGE_OF_USER := $(LC_ALL)
export LC_ALL := C

# ---------------------------------------------------------------- settings

VARIANT ?= release
ifeq ($(origin CC),default)
CC := gcc
endif
PREFIX ?= /usr/local
DESTDIR ?=
WERROR ?=
FUZZ_SECONDS ?= 60

COMPILER := $(notdir $(firstword $(CC)))
B := build/$(VARIANT)/$(COMPILER)
MTASIM := $(B)/mtasim

# Two cores or sixteen: use what is there; -j on the command line wins.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 1)
endif

# ---------------------------------------------------------------- flags

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wcast-qual \
	-Wwrite-strings -Wformat=2 -Wundef -Wvla -Wswitch-enum \
	-Wimplicit-fallthrough -Wdouble-promotion -Wnull-dereference

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer

OPT_release := -O2
OPT_dist := -O2 -ffile-prefix-map='$(CURDIR)'=.
OPT_debug := -O0 -DMTASIM_DEBUG=1
OPT_asan := -O1 -DMTASIM_DEBUG=1 $(SANITIZE)
OPT_cov := -O0 --coverage
OPT_fuzz := -O1 $(SANITIZE) -fsanitize=fuzzer-no-link
ifeq ($(filter $(VARIANT),release dist debug asan cov fuzz),)
$(error VARIANT=$(VARIANT) is unknown; use release, debug, asan or cov)
endif

# What users run is optimised as a whole: a message passes many small functions
# of many files. The objects can be linked either way, and tests, which are
# linked a dozen times, are linked apart. Clang would need tools of its own.
# The two do not go together: with both, gcc links apart and says nothing.
# Functions are taken into their callers far more readily than by -O2: a fifth
# of a message's instructions were calls and the registers that they save. Two
# fields are not put together to be written as one.
, := ,
ifneq ($(filter release dist,$(VARIANT)),)
ifneq ($(filter gcc%,$(COMPILER)),)
# The assembler writes the folder's name on its own account in such objects.
MAPPED := $(if $(filter dist,$(VARIANT)),-Wa$(,)--debug-prefix-map='$(CURDIR)'=.)
INLINED := --param=max-inline-insns-auto=60 --param=inline-min-speedup=5 \
	--param=inline-unit-growth=100 -fno-tree-slp-vectorize
WHOLE_OBJECTS := -flto -ffat-lto-objects $(INLINED) $(MAPPED)
WHOLE := -flto=auto $(MAPPED)
APART := -fno-lto
endif
endif

# -ffp-contract=off: a fused multiply-add rounds once where two operations
# round twice, and results must not depend on the machine. What the user says
# comes last.
CFLAGS_ALL := -std=c17 -g -ffp-contract=off $(OPT_$(VARIANT)) $(WARN) \
	$(if $(WERROR),-Werror) $(CPPFLAGS) $(CFLAGS)
LDFLAGS_ALL := $(OPT_$(VARIANT)) $(CFLAGS) $(LDFLAGS)

# pkg-config is asked on first use, not when this file is read: on a bare
# system it is `make setup` that installs it.
once = $(eval $(1) := $(2))$($(1))
GSL_CFLAGS = $(call once,GSL_CFLAGS,$(shell pkg-config --cflags gsl))
LIB_CFLAGS = $(call once,LIB_CFLAGS,$(shell \
	pkg-config --cflags gsl yaml-0.1 jansson zlib))
LIBS = $(call once,LIBS,$(shell \
	pkg-config --libs gsl yaml-0.1 jansson zlib) -lm)
CHECK_CFLAGS = $(call once,CHECK_CFLAGS,$(shell pkg-config --cflags check))
CHECK_LIBS = $(call once,CHECK_LIBS,$(shell pkg-config --libs check))

# Shipped files are looked for in $MTASIM_DATA, in the source tree, and where
# they were installed. What is installed knows nothing of the source tree.
DATADIR := $(PREFIX)/share/mtasim
SRCDIR := $(if $(filter dist,$(VARIANT)),,$(CURDIR))

POSIX := -D_POSIX_C_SOURCE=200809L
FLAGS_mta = -Isrc
FLAGS_model = -I. $(GSL_CFLAGS)
# The core's headers ban what asks the system; only the core obeys.
FLAGS_sim = $(POSIX) -DMTA_ALLOW_IMPURE -I. -Isrc $(LIB_CFLAGS)
# A suite function is called from a generated list and needs no declaration.
FLAGS_tests = $(FLAGS_sim) $(CHECK_CFLAGS) -Wno-missing-prototypes
FOLDERS := -DMTASIM_DATADIR='"$(DATADIR)"' -DMTASIM_SRCDIR='"$(SRCDIR)"'

# ---------------------------------------------------------------- sources

SRC_mta := $(sort $(wildcard src/mta/*.c))
SRC_model := $(sort $(wildcard model/*.c))
SRC_sim := $(sort $(wildcard sim/*/*.c))

# Three kinds of C files in the folders of tests. A file that defines
# NAME_suite(void) belongs to the program of its folder. A file that defines
# main() is a program of its own; if it is called NAME_test.c it is run as a
# test that says with its exit code whether it passed. All else, as the naive
# references, is a library that all may link.
ALL_KINDS := unit contract reference theory swarm
FILES_tests := $(sort $(wildcard tests/*.c $(ALL_KINDS:%=tests/%/*.c) \
	tests/oracle/*.c tests/bench/*.c))
SRC_suites := $(shell LC_ALL=C grep -lE '^(Suite \*)?[a-z0-9_]+_suite\(void\)$$' \
	$(FILES_tests) /dev/null)
SRC_programs := $(filter-out tests/main.c,\
	$(shell LC_ALL=C grep -lE '^main\b' $(FILES_tests) /dev/null))
SRC_support := $(filter-out tests/main.c $(SRC_suites) $(SRC_programs),\
	$(FILES_tests))
suites_of = $(filter tests/$(1)/%,$(SRC_suites))
KINDS := $(foreach k,$(ALL_KINDS),$(if $(call suites_of,$(k)),$(k)))
PROGRAMS := $(SRC_programs:%.c=$(B)/%)
BENCHES := $(filter $(B)/tests/bench/%,$(PROGRAMS))
PLAIN_TESTS := $(filter %_test,$(PROGRAMS))

SRC_fuzz := $(wildcard tests/fuzz/*.c)
FUZZERS := $(SRC_fuzz:tests/fuzz/%.c=%)

ALL_SOURCES := $(SRC_mta) $(SRC_model) $(SRC_sim) sim/main.c tests/main.c \
	$(SRC_suites) $(SRC_support) $(SRC_programs) $(SRC_fuzz)

obj = $(patsubst %.c,$(B)/%.o,$(1))
LIB_mta := $(B)/libmta.a
LIB_model := $(B)/libmodel.a
LIB_sim := $(B)/libsim.a
LIB_support := $(B)/libsupport.a
# From the dependent to what it depends on: the order the linker wants.
ARCHIVES := $(LIB_sim) $(LIB_model) $(LIB_mta)

TESTS := $(KINDS:%=$(B)/tests/%-tests)

# ---------------------------------------------------------------- targets

.PHONY: all help setup libs tests
all: $(MTASIM) ## build the program (build/release/gcc/mtasim)

libs: $(ARCHIVES) ## build the three libraries only

tests: $(TESTS) ## build the test programs

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / \
		{ printf "  make %-14s %s\n", $$1, $$2 }' Makefile
	@echo "variables: VARIANT=release|debug|asan|cov CC=gcc|clang" \
		"WERROR=1 V=1 PREFIX=/usr/local DESTDIR= FUZZ_SECONDS=60"

setup: ## install what is missing (Debian packages, with apt-get)
	@.ci/setup build check

# ---------------------------------------------------------------- building

# One short line a step; V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),,@echo "  $(1) $@")

$(MTASIM): $(call obj,sim/main.c) $(ARCHIVES)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS_ALL) $(WHOLE) -o $@ $^ $(LIBS)

$(LIB_mta): $(call obj,$(SRC_mta))
$(LIB_model): $(call obj,$(SRC_model))
$(LIB_sim): $(call obj,$(SRC_sim))
$(LIB_support): $(call obj,$(SRC_support))
$(ARCHIVES) $(LIB_support): $(B)/sources
	@mkdir -p $(@D)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $(filter %.o,$^)

# Two texts are kept, to be compared when this file is read: archives and lists
# of suites are made anew when a source appears or goes, all objects when what
# they and the programs are made with changes.
SOURCES_NOW := $(strip $(SRC_mta) $(SRC_model) $(SRC_sim) $(SRC_support) \
	$(SRC_suites))
FLAGS_NOW := $(strip $(CC) $(CFLAGS_ALL) $(WHOLE_OBJECTS) $(FOLDERS) \
	$(LDFLAGS_ALL) $(WHOLE) $(APART) \
	$(foreach f,mta model sim tests,$(value FLAGS_$(f))))
define kept
ifneq ($$(file <$(B)/$(1)),$$($(2)))
$(B)/$(1): always
endif
$(B)/$(1): | build/tools.ok
	@mkdir -p $$(@D)
	@printf '%s\n' '$$(subst ','\'',$$($(2)))' >$$@
endef
$(eval $(call kept,sources,SOURCES_NOW))
$(eval $(call kept,flags,FLAGS_NOW))
.PHONY: always

define compile
@mkdir -p $(@D)
$(call say,CC)
$(Q)$(CC) $(CFLAGS_ALL) $(1) -MMD -MP -c -o $@ $<
endef

$(B)/src/mta/%.o: src/mta/%.c $(B)/flags
	$(call compile,$(FLAGS_mta) $(WHOLE_OBJECTS))
$(B)/model/%.o: model/%.c $(B)/flags
	$(call compile,$(FLAGS_model) $(WHOLE_OBJECTS))
$(B)/sim/%.o: sim/%.c $(B)/flags
	$(call compile,$(FLAGS_sim) $(FOLDERS) $(WHOLE_OBJECTS))
$(B)/tests/%.o: tests/%.c $(B)/flags
	$(call compile,$(FLAGS_tests) $(FOLDERS))
$(B)/tests/%/suites.o: $(B)/tests/%/suites.c
	$(call compile,$(FLAGS_tests))

# Targets that may install packages do so before the first compiler call; all
# others stop with the list of what is missing.
.PHONY: lint-tools long-tools
lint-tools long-tools:
	@.ci/setup --dry-run $(@:-tools=)

MAY_INSTALL := demo check check-long setup
build/tools.ok: .ci/setup $(if $(filter $(MAY_INSTALL),$(MAKECMDGOALS)),| setup)
	@mkdir -p $(@D)
	@.ci/setup --dry-run build check
	@touch $@

# ---------------------------------------------------------------- tests

define kind_rules
# The list of suites: every function NAME_suite(void) of the folder.
$(B)/tests/$(1)/suites.c: $(call suites_of,$(1)) $(B)/sources
	@mkdir -p $$(@D)
	@tests/list-suites $(call suites_of,$(1)) >$$@

$(B)/tests/$(1)-tests: $(call obj,tests/main.c) \
	$(call obj,$(call suites_of,$(1))) \
	$(B)/tests/$(1)/suites.o $(LIB_support) $(ARCHIVES)
	$$(call say,LD)
	$(Q)$(CC) $(LDFLAGS_ALL) $(APART) -o $$@ $$^ $$(LIBS) $$(CHECK_LIBS)

.PHONY: $(1)
$(1): $(B)/tests/$(1)-tests
	@$(RUN_TESTS) $(B)/tests/$(1)-tests $(1)
endef
# A sanitizer reports best from the process that it started in.
RUN_TESTS := MTASIM=$(MTASIM) $(if $(filter asan,$(VARIANT)),CK_FORK=no)
$(foreach k,$(KINDS),$(eval $(call kind_rules,$(k))))

$(PROGRAMS): $(B)/%: $(B)/%.o $(LIB_support) $(ARCHIVES)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS_ALL) $(APART) -o $@ $^ $(LIBS) $(CHECK_LIBS)

.PHONY: suites plain invalid plots scenarios
suites: $(TESTS) $(PLAIN_TESTS) $(MTASIM) ## run all suites: unit contract reference theory swarm
	@bad=0; for k in $(KINDS); do \
		$(RUN_TESTS) $(B)/tests/$$k-tests \
			$$k-$(VARIANT)-$(COMPILER) || bad=1; \
	done; \
	$(plain_tests); exit $$bad

plain_tests = for t in $(PLAIN_TESTS); do \
		if $(RUN_TESTS) $$t; then \
			echo "$${t\#\#*/}: 1 passed, 0 failed"; \
		else echo "$${t\#\#*/}: 0 passed, 1 failed"; bad=1; fi; \
	done
plain: $(PLAIN_TESTS) $(MTASIM)
	@bad=0; $(plain_tests); exit $$bad

invalid: $(MTASIM) ## wrong scenarios: each with its exact message and place
	@MTASIM=$(MTASIM) tests/invalid/run.sh $(MTASIM)

.PHONY: forms forms-long
FORMS = bad=0; for t in run spool metrics terminal; do \
		tests/forms/$$t.sh $(MTASIM) || bad=1; done; exit $$bad
forms: $(MTASIM) ## the forms that people use: qshape, spool, mail log, metrics, step
	@$(FORMS)

# The same with the tools of others, none of which may be missing.
forms-long: $(MTASIM) long-tools
	@export FORMS_REQUIRED=1; $(FORMS)

plots: $(MTASIM) ## the plot command on a made-up results folder
	@tests/plots/run.sh $(MTASIM)

.PHONY: cli
cli: $(MTASIM) ## the run command as scripts meet it: places, signals, streams
	@tests/cli/run.sh $(MTASIM)

.PHONY: check-command check-command-long
check-command: $(MTASIM) ## the check and diff commands as CI uses them
	@tests/check/run.sh $(MTASIM)

# The same with a reader of JUnit files, which may not be missing.
check-command-long: $(MTASIM) long-tools
	@JUNITPARSER_REQUIRED=1 tests/check/run.sh $(MTASIM)

scenarios: $(MTASIM) ## judge the expectations of every shipped scenario
	@tests/scenarios $(MTASIM) $(wildcard scenarios/*.yaml)

.PHONY: schema
schema: $(MTASIM) long-tools ## shipped scenarios against the schema, by python3-jsonschema
	@tests/schema/run $(MTASIM)

# Same scenario, same bytes: two builds in check, all of them in check-long.
# Short forms of the scenarios, since -O0 and sanitizers are slow.
SAME_BYTES := $(wildcard scenarios/*.yaml)
.PHONY: fingerprints fingerprints-long
fingerprints: $(MTASIM) ## same bytes from -O2 and -O0
	@$(MAKE) VARIANT=debug all
	@tests/fingerprints "$(MTASIM) build/debug/$(COMPILER)/mtasim" \
		$(SAME_BYTES)

BUILDS := $(foreach v,release debug asan,$(foreach c,gcc clang,$(v)/$(c)))
fingerprints-long: build-long
	@tests/fingerprints --tunables "$(BUILDS:%=build/%/mtasim)" \
		$(SAME_BYTES)

.PHONY: oracle oracle-exact
oracle: $(MTASIM) $(PROGRAMS) ## compare with the recordings of a real Postfix, all tiers
	@MTASIM=$(MTASIM) BUILD=$(B) tests/oracle/run

oracle-exact: $(MTASIM) $(PROGRAMS)
	@MTASIM=$(MTASIM) BUILD=$(B) tests/oracle/run --exact

.PHONY: golden
golden: $(MTASIM) ## compare full traces with the kept ones; UPDATE=1 keeps ours
	@tests/golden/run $(if $(UPDATE),--update) $(MTASIM)

.PHONY: mutation
mutation: $(MTASIM) ## change each rule in turn: recorded runs must notice
	@tests/mutation/run $(B) "$(CC)" "$(CFLAGS_ALL) $(APART) \
		$(filter-out -DMTASIM_%,$(FLAGS_sim)) -w" "$(LIBS)"

# ---------------------------------------------------------------- lint

# Documents that are made from tables in the sources.
DOCS_MADE := parameters.md trace.md scenario.schema.json profile.schema.json

# Each check by itself, so that one failure does not hide the next.
define lint_run
@bad=0; try() { \
	if tests/lint/"$$@"; then echo "lint $$1: 1 passed, 0 failed"; \
	else echo "lint $$1: 0 passed, 1 failed"; bad=1; fi; }; \
	$(1) \
	exit $$bad
endef
LINT_FAST = tests/self-test || bad=1; tests/lint/self-test || bad=1; \
	tests/building $(MTASIM) || bad=1; \
	try includes; try words; try tags; try params; try mutations; try layout; \
	try scenarios; \
	try files-built . $(ALL_SOURCES); \
	try symbols $(call obj,$(SRC_mta)); \
	try same $(foreach d,$(DOCS_MADE),build/docs/$(d) docs/$(d));
LINT_MORE = try format; try scripts;
LINT_OBJECTS = $(call obj,$(SRC_mta)) $(DOCS_MADE:%=build/docs/%)

.PHONY: lint lint-fast analyze format
lint: $(LINT_OBJECTS) lint-tools ## all checks of the sources that take seconds
	$(call lint_run,$(LINT_FAST) $(LINT_MORE))

lint-fast: $(LINT_OBJECTS)
	$(call lint_run,$(LINT_FAST))

format: ## bring all C files into the form of .clang-format
	clang-format -i $(wildcard src/mta/*.[ch] model/*.[ch] sim/*.[ch] sim/*/*.[ch] \
		tests/*.[ch] tests/*/*.[ch])

analyze: lint-tools ## clang-tidy and cppcheck over the sources (minutes)
	@tests/analyze "$(filter-out -DMTASIM_%,$(FLAGS_tests)) -std=c17" \
		$(SRC_mta) $(SRC_model) \
		$(SRC_sim) sim/main.c

# ---------------------------------------------------------------- documents

.PHONY: docs figures
docs: $(DOCS_MADE:%=build/docs/%) ## make the documents anew that are made from tables
	cp $^ docs/

build/docs/parameters.md: $(MTASIM)
	@mkdir -p $(@D)
	$(Q)$(MTASIM) params --markdown >$@

build/docs/scenario.schema.json: $(MTASIM)
	@mkdir -p $(@D)
	$(Q)$(MTASIM) schema >$@

build/docs/profile.schema.json: $(MTASIM)
	@mkdir -p $(@D)
	$(Q)$(MTASIM) schema --profile >$@

build/docs/trace.md: src/mta/trace.def docs/trace.awk
	@mkdir -p $(@D)
	$(Q)awk -f docs/trace.awk $< >$@

figures: $(MTASIM) $(B)/tests/oracle/replay ## run every scenario, draw every picture, renew docs/images
	@MTASIM=$(MTASIM) BUILD=$(B) tests/figures $(MTASIM) $(wildcard scenarios/*.yaml)

# ---------------------------------------------------------------- demo

.PHONY: demo
demo: setup $(MTASIM) ## install what is missing, build, run one scenario, draw it
	LC_ALL=$(LANGUAGE_OF_USER) $(MTASIM) run --for 3d scenarios/congestion.yaml
	$(MTASIM) plot runs/congestion
	@echo
	@echo "Look at:"
	@ls runs/congestion/plots/*.png | sed 's/^/  /'
	@echo "The numbers are beside them: runs/congestion/summary.json," \
		"series.csv, destinations.csv."
	@echo "The question it answers, and what to change: scenarios/congestion.yaml"

# ---------------------------------------------------------------- all checks

# make check: at most three minutes on two cores.
CHECK_STAGES = build $(ALL_KINDS) plain lint-fast invalid forms plots \
	cli check-command scenarios oracle-exact fingerprints

# make check-long: full counts, at most 35 minutes on two cores.
LONG_STAGES = build-long suites-long suites-clang asan lint analyze forms-long plots \
	cli check-command-long scenarios schema golden mutation oracle \
	fingerprints-long coverage fuzz demo install-check deb-check

.PHONY: check check-long build build-long suites-long suites-clang
check: setup ## set up, build, all tests in three minutes
	+@MAKE="$(MAKE)" tests/run check $(CHECK_STAGES)

check-long: setup ## the same and more with full counts, half an hour
	@.ci/setup lint long
	+@MAKE="$(MAKE)" WERROR=1 tests/run check-long $(LONG_STAGES)

build: $(MTASIM) $(TESTS) $(PROGRAMS)

build-long:
	@for b in $(BUILDS); do $(MAKE) VARIANT=$${b%/*} CC=$${b#*/} WERROR=1 \
		build || exit; done

suites-long:
	@MTASIM_TEST_SCALE=20 $(MAKE) suites

suites-clang:
	@$(MAKE) CC=clang suites

.PHONY: asan coverage fuzz bench
asan: ## all suites, error tests and forms under address and UB sanitizer
	@bad=0; for c in gcc clang; do \
		$(MAKE) VARIANT=asan CC=$$c suites || bad=1; \
		$(MAKE) VARIANT=asan CC=$$c invalid || bad=1; \
	done; \
	$(MAKE) VARIANT=asan CC=gcc forms || bad=1; exit $$bad

coverage: ## which lines no test reaches; fails for the rules and the scheduler
	@rm -rf build/coverage
	@find build/cov -name '*.gcda' -delete 2>/dev/null || true
	@$(MAKE) VARIANT=cov CC=gcc suites
	@tests/coverage build/cov/gcc $(SRC_mta) $(SRC_model) $(SRC_sim)

# ---------------------------------------------------------------- fuzzing

fuzz: lint-tools ## feed random input to the readers, FUZZ_SECONDS each (clang)
	@$(MAKE) VARIANT=fuzz CC=clang fuzzers
	@tests/fuzz/run build/fuzz/clang/tests/fuzz $(FUZZ_SECONDS) $(FUZZERS)

.PHONY: fuzzers
fuzzers: $(FUZZERS:%=$(B)/tests/fuzz/%)
$(FUZZERS:%=$(B)/tests/fuzz/%): $(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o \
	$(ARCHIVES)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $^ $(LIBS)

bench: $(BENCHES) $(MTASIM) ## measure speed against plain references
	@for b in $(BENCHES); do echo "== $$b"; \
		MTASIM=$(MTASIM) $$b || exit; done

# ---------------------------------------------------------------- installing

# What is installed is built apart: it knows where its files were installed and
# nothing of this folder.
.PHONY: install install-files uninstall install-check
install: build/tools.ok ## install under DESTDIR and PREFIX (/usr/local)
	@$(MAKE) VARIANT=dist install-files

ROOT := $(DESTDIR)$(PREFIX)
SHARE := $(ROOT)/share
# Files as they are, into the folder of data or of documents.
put = for f in $(2); do \
	install -D -m 644 "$$f" "$(SHARE)/$(1)/mtasim/$$f" || exit; done
# What a command prints, as a file. (A shell's > would obey the umask.)
print = $(2) >$(B)/printed && \
	install -D -m 644 $(B)/printed "$(SHARE)/$(1)"
install-files: $(MTASIM)
	install -D -m 755 $(MTASIM) "$(ROOT)/bin/mtasim"
	$(call put,.,$$(find scenarios plots docs/*.schema.json -type f))
	$(call put,doc,README.md CONTRIBUTING.md LICENSE \
		$(wildcard docs/*.md docs/images/*))
	$(call print,man/man1/mtasim.1,docs/man.sh $(MTASIM) 1)
	$(call print,man/man5/mtasim-scenario.5,docs/man.sh $(MTASIM) 5)
	$(call print,bash-completion/completions/mtasim,\
		docs/completion.sh $(MTASIM) bash)
	$(call print,zsh/site-functions/_mtasim,docs/completion.sh $(MTASIM) zsh)
	$(call print,fish/vendor_completions.d/mtasim.fish,\
		docs/completion.sh $(MTASIM) fish)

uninstall: ## remove what install has put under DESTDIR and PREFIX
	rm -rf $(foreach f,bin/mtasim $(addprefix share/,mtasim doc/mtasim \
		man/man1/mtasim.1 man/man5/mtasim-scenario.5 \
		bash-completion/completions/mtasim zsh/site-functions/_mtasim \
		fish/vendor_completions.d/mtasim.fish),"$(ROOT)/$(f)")

.PHONY: deb deb-check
deb: ## a Debian package, build/mtasim_VERSION_ARCH.deb
	@rm -rf build/deb build/mtasim_*.deb
	@$(MAKE) --no-print-directory install DESTDIR='$(CURDIR)/build/deb' \
		PREFIX=/usr >/dev/null
	@tests/deb build/deb build

deb-check: deb ## unpack the package; its program must run its scenario
	@tests/deb --check build

install-check: ## install to a scratch folder; the installed program must work
	@tests/install "$(MAKE)"

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build
# Before the other goals, not beside them.
ifneq ($(filter clean,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

DEPS := $(shell find $(B) -name '*.d' 2>/dev/null)
-include $(DEPS)
