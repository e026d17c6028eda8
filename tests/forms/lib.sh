#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What the scripts of this folder share: counting, a scratch folder, and where
# the programs are that setup takes out of their packages (build/tools). To be
# read by a shell that has set `suite`.
: "${suite:?}"
export LC_ALL=C
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' HUP INT TERM
passed=0
failed=0
tools=build/tools

# what, wanted, got
same() {
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf '%s: %s: wanted\n%s\ngot\n%s\n' "$suite" "$1" "$2" "$3"
	fi
}

# what, exit code, words of the message, command...
refused() {
	what=$1 code=$2 words=$3
	shift 3
	got=0
	"$@" >"$scratch/out" 2>&1 || got=$?
	same "$what: exit code" "$code" "$got"
	if grep -qF -e "$words" "$scratch/out"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "$suite: $what: no '$words' in:"
		cat "$scratch/out"
	fi
}

# tool, package, path in it: prints where it is; with FORMS_REQUIRED=1 a tool
# that is missing is a failure, otherwise its tests are left out, aloud.
tool() {
	if command -v "$1" 2>/dev/null; then
		return 0
	fi
	if [ -x "$tools/$2/$3" ]; then
		echo "$PWD/$tools/$2/$3"
		return 0
	fi
	echo "$suite: skipped, no $1 here (Debian's package $2)" >&2
	return 1
}

# A tool is missing: is that a failure?
missing() {
	[ "${FORMS_REQUIRED:-0}" = 0 ] || failed=$((failed + 1))
}

finish() {
	echo "$suite: $passed passed, $failed failed"
	[ "$failed" -eq 0 ]
}
