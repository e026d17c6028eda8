#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# run.sh BIN [NAME...]: every tests/invalid/NAME.yaml is refused with exit code
# 3, nothing on stdout, no folder written, and exactly the words of NAME.err.
# BIN is mtasim; `BIN run FILE` is called from the top of the source tree, so
# that the file's name in a complaint is the same everywhere.
set -u

bin=$1
shift
case $bin in
/*) ;;
*) bin=$PWD/$bin ;;
esac
cd "$(dirname "$0")/../.." || exit 1
unset MTASIM_DATA
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

failed=0
count=0
[ $# -gt 0 ] || set -- tests/invalid/*.yaml
for file; do
	case $file in
	*/*) ;;
	*) file=tests/invalid/$file.yaml ;;
	esac
	expected=${file%.yaml}.err
	"$bin" run "$file" --out "$work/out" >"$work/stdout" 2>"$work/stderr"
	code=$?
	count=$((count + 1))
	if [ $code -ne 3 ]; then
		echo "$file: exit code $code, expected 3" >&2
		failed=$((failed + 1))
	elif [ -s "$work/stdout" ] || [ -e "$work/out" ]; then
		echo "$file: something was written" >&2
		failed=$((failed + 1))
	elif ! diff -u "$expected" "$work/stderr" >&2; then
		failed=$((failed + 1))
	fi
done
echo "invalid: $((count - failed)) passed, $failed failed"
[ $failed -eq 0 ]
