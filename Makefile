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

# Two cores or sixteen: use what is there, unless -j says otherwise.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
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
OPT_dist := -O2
OPT_debug := -O0 -DMTASIM_DEBUG=1
OPT_asan := -O1 -DMTASIM_DEBUG=1 $(SANITIZE)
OPT_cov := -O0 --coverage
OPT_fuzz := -O1 $(SANITIZE) -fsanitize=fuzzer-no-link
ifeq ($(filter $(VARIANT),release dist debug asan cov fuzz),)
$(error VARIANT=$(VARIANT) is unknown; use release, debug, asan or cov)
endif

# -ffp-contract=off: a fused multiply-add rounds once where two operations
# round twice, and results must not depend on the machine.
CFLAGS_ALL := -std=c17 -g -ffp-contract=off $(OPT_$(VARIANT)) $(WARN) \
	$(if $(WERROR),-Werror) $(CFLAGS)
LDFLAGS_ALL := $(OPT_$(VARIANT)) $(LDFLAGS)

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
FLAGS_sim = $(POSIX) -I. -Isrc $(LIB_CFLAGS) \
	-DMTASIM_DATADIR='"$(DATADIR)"' -DMTASIM_SRCDIR='"$(SRCDIR)"'
# A suite function is called from a generated list and needs no declaration.
FLAGS_tests = $(POSIX) -I. -Isrc $(LIB_CFLAGS) $(CHECK_CFLAGS) \
	-Wno-missing-prototypes -DMTASIM_SRCDIR='"$(CURDIR)"'

# ---------------------------------------------------------------- sources

SRC_mta := $(wildcard src/mta/*.c)
SRC_model := $(wildcard model/*.c)
SRC_sim := $(filter-out sim/main.c,$(wildcard sim/*.c))

# Tests that are made of suites: a .c file that defines NAME_suite(void) belongs
# to the program of its folder. What lies beside it, as the naive references, is
# a library that all may link.
ALL_KINDS := unit contract reference theory swarm
SRC_suites := $(shell grep -lE '^(Suite \*)?[a-z0-9_]+_suite\(void\)$$' \
	$(wildcard $(ALL_KINDS:%=tests/%/*.c)) /dev/null)
SRC_support := $(filter-out tests/main.c $(SRC_suites),\
	$(wildcard tests/*.c $(ALL_KINDS:%=tests/%/*.c)))
suites_of = $(filter tests/$(1)/%,$(SRC_suites))
KINDS := $(foreach k,$(ALL_KINDS),$(if $(call suites_of,$(k)),$(k)))
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
BENCHES := $(patsubst tests/bench/%.c,%,$(wildcard tests/bench/*.c))

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
		{ printf "  make %-12s %s\n", $$1, $$2 }' Makefile
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
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(LIB_mta): $(call obj,$(SRC_mta))
$(LIB_model): $(call obj,$(SRC_model))
$(LIB_sim): $(call obj,$(SRC_sim))
$(LIB_support): $(call obj,$(SRC_support))
$(ARCHIVES) $(LIB_support): $(B)/sources
	@mkdir -p $(@D)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $(filter %.o,$^)

# Archives are made anew when a source appears or goes.
$(B)/sources: always | build/tools.ok
	@mkdir -p $(@D)
	@printf '%s\n' $(SRC_mta) $(SRC_model) $(SRC_sim) $(SRC_support) \
		>$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

define compile
@mkdir -p $(@D)
$(call say,CC)
$(Q)$(CC) $(CFLAGS_ALL) $(1) -MMD -MP -c -o $@ $<
endef

$(B)/src/mta/%.o: src/mta/%.c $(B)/flags
	$(call compile,$(FLAGS_mta))
$(B)/model/%.o: model/%.c $(B)/flags
	$(call compile,$(FLAGS_model))
$(B)/sim/%.o: sim/%.c $(B)/flags
	$(call compile,$(FLAGS_sim))
$(B)/tests/%.o: tests/%.c $(B)/flags
	$(call compile,$(FLAGS_tests))
$(B)/tests/%/suites.o: $(B)/tests/%/suites.c
	$(call compile,$(FLAGS_tests))

# Objects are made anew when the flags that make them change.
.PHONY: always
$(B)/flags: always | build/tools.ok
	@mkdir -p $(@D)
	@printf '%s\n' '$(CC) $(CFLAGS_ALL)' \
		"$(if $(filter dist,$(VARIANT)),$(PREFIX))" >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# Targets that may install packages do so before the first compiler call; all
# others stop with the list of what is missing.
MAY_INSTALL := demo check check-long setup
build/tools.ok: $(if $(filter $(MAY_INSTALL),$(MAKECMDGOALS)),| setup)
	@mkdir -p $(@D)
	@.ci/setup --dry-run build check
	@touch $@

# ---------------------------------------------------------------- tests

# The list of suites of a kind: every function NAME_suite(void) in its folder.
$(B)/tests/%/suites.c: always | build/tools.ok
	@mkdir -p $(@D)
	@tests/list-suites $(call suites_of,$*) >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

define kind_rules
$(B)/tests/$(1)-tests: $(call obj,tests/main.c) \
	$(call obj,$(call suites_of,$(1))) \
	$(B)/tests/$(1)/suites.o $(LIB_support) $(ARCHIVES)
	$$(call say,LD)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $$@ $$^ $$(LIBS) $$(CHECK_LIBS)

.PHONY: $(1)
$(1): $(B)/tests/$(1)-tests
	@$(RUN_TESTS) $(B)/tests/$(1)-tests $(1)
endef
RUN_TESTS := $(if $(filter asan fuzz,$(VARIANT)),CK_FORK=no)
$(foreach k,$(KINDS),$(eval $(call kind_rules,$(k))))

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build

DEPS := $(shell find $(B) -name '*.d' 2>/dev/null)
-include $(DEPS)
