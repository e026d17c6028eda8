#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# run.sh MTASIM: `check` and `diff` as CI uses them: exit codes, replications,
# the four forms of report, recorded runs, damaged folders, an interrupt and a
# crash. Ends with "check: N passed, M failed".
#
# Expected numbers follow from the scenario: one agent, 4 mails at 0 s, a second
# each (so 4 s until drained), at most 4 in active.
#
# shellcheck disable=SC2012,SC2016 # our own names; inner shells
set -u

bin=$(realpath "${1:?usage: run.sh MTASIM}")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' HUP INT TERM
export LC_ALL=C
export TMPDIR="$dir"
cd "$dir" || exit 1
# For tools that take a command as words: its folder may have blanks.
ln -s "$bin" mtasim
passed=0
failed=0

# check WHAT COMMAND...: count whether the command succeeds.
check() {
	what=$1
	shift
	if "$@" >said 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: $what"
		head -n 20 said out err | sed 's/^/	/'
	fi
}

# mtasim CODE ARGUMENT...: run it, and check its exit code.
mtasim() {
	want=$1
	shift
	"$bin" "$@" >out 2>err
	code=$?
	check "exit $want, not $code, of: $*" [ $code -eq "$want" ]
}

says() {
	check "says: $1" grep -qF -- "$1" out err
}

# scenario NAME TRANSFER UNTIL EXPECT...
scenario() {
	cat >"$1.yaml" <<-YAML
		scenario: $1
		seed: 3
		run: {until: drained, at_most: $3, sample: 1s}
		mta: {smtp_destination_concurrency_limit: 1, in_flow_delay: 0,
		  initial_destination_concurrency: 1}
		receivers:
		  door: {connect: 0s, transfer: $2}
		domains:
		  a.example: {receiver: door}
		sources:
		  s:
		    arrivals: {times: [0s, 0s, 0s, 0s]}
		    sender: "s{n}@b.example"
		    to: {a.example: 1}
		    size: 1KB
		expect:
	YAML
	name=$1
	shift 3
	for line; do
		echo "  - \"$line\"" >>"$name.yaml"
	done
}

scenario good 1s 1h "max(active) <= 4" "drained == 4s"
scenario bad 1s 1h "max(active) <= 4" "drained < 3s"
echo 'scenario: {' >broken.yaml
scenario luck "{values: {list: [1s, 1s, 1s, 1s], by: delivery}}" 1h \
	"drained == 4s in 95% of runs"
# Each run draws its own: all four within a second with probability 1/4, so of
# 40 runs far from all and far from none.
scenario chance "{uniform: [0s, 1s]}" 1h "drained < 2s in 5% of runs" \
	"drained < 2s in 95% of runs" "drained < 2s"

# ---- verdicts and exit codes
mtasim 0 check good.yaml
says "max(active) <= 4: 4, 0 to spare"
says "drained == 4s: 4 s"
says "check: 1 scenario, 2 held, 0 did not, 0 errors"
mtasim 99 check good.yaml bad.yaml
says "drained < 3s: 4 s, 1 s too far"
says "check: 2 scenarios, 3 held, 1 did not, 0 errors"
mtasim 3 check bad.yaml broken.yaml good.yaml
says "check: 3 scenarios, 3 held, 1 did not, 1 error"
mtasim 0 run bad.yaml
mtasim 99 check --quiet good.yaml bad.yaml
check "quiet: nothing of what holds" sh -c '! grep -q "active\|good" out'
mtasim 2 check good.yaml good.yaml
says "both called 'good'"
mkdir -p mine/good && : >mine/good/letter
mtasim 2 check --out mine good.yaml bad.yaml
check "others' folders stay" [ -f mine/good/letter ]
check "and nothing was run" [ ! -e mine/bad ]
mtasim 2 check --tap --json good.yaml
mtasim 2 check --update good.yaml
mtasim 2 check --jobs 0 good.yaml
mtasim 2 check --replications x good.yaml
mtasim 2 run --junit x good.yaml

# ---- replications
mtasim 99 check chance.yaml --replications 40 --out many
says "drained < 2s in 5% of runs: in "
says "of 40 runs, 2 needed"
says "of 40 runs, 38 needed"
says "check: 1 scenario, 1 held, 2 did not, 0 errors"
check "a folder each" [ "$(ls -d many/r* | wc -l)" -eq 41 ]
check "and nothing beside them" [ -z "$(find . -name '.many.*')" ]
check "luck of their own" sh -c '[ "$(grep -h \"fingerprint many/r[0-9]*/run.json |
	sort -u | wc -l)" -eq 40 ]'
check "told in replications.json" sh -c \
	'[ "$(grep -c "\"whole\": true" many/replications.json)" -eq 40 ]'
mv many first
cp out first.out
mtasim 99 check chance.yaml --replications 40 --jobs 7 --out many
check "same words for any --jobs" cmp out first.out
check "same bytes for any --jobs" diff -r many first
mtasim 0 run chance.yaml --replications 3 --jobs 2 --out many
check "fewer replace more" [ "$(ls -d many/r[0-9]* | wc -l)" -eq 3 ]
# Each folder can be run again, alone or as the first of several.
mtasim 0 run many/r1/scenario.yaml --quiet --out alone
check "r1 again" diff -r many/r1 alone
mtasim 0 run alone/scenario.yaml --replications 2 --out two
check "r1 and r2 again" sh -c 'diff -r many/r1 two/r0 && diff -r many/r2 two/r1'
mtasim 0 run chance.yaml --quiet --set replication=2 --out alone
check "r2 alone" diff -r many/r2 alone
mtasim 0 check luck.yaml --replications 20
says "in 20 of 20 runs, 19 needed"
mtasim 0 run good.yaml --out many
check "one replaces several" [ ! -e many/r0 ]

# ---- forms
mtasim 99 check --tap good.yaml bad.yaml
check "TAP" sh -c 'printf "%s\n" "TAP version 13" \
	"ok 1 - good: max(active) <= 4: 4, 0 to spare" \
	"ok 2 - good: drained == 4s: 4 s" \
	"ok 3 - bad: max(active) <= 4: 4, 0 to spare" \
	"not ok 4 - bad: drained < 3s: 4 s, 1 s too far" \
	"1..4" "# check: 2 scenarios, 3 held, 1 did not, 0 errors" | cmp - out'
if command -v prove >/dev/null; then
	check "prove is content" prove -e "./mtasim check --tap" good.yaml
	check "prove finds what is not so" sh -c \
		"! prove -e './mtasim check --tap' good.yaml bad.yaml"
else
	echo "check: skipped, no prove here (Debian's package perl)" >&2
fi
mtasim 3 check --junit junit.xml good.yaml bad.yaml broken.yaml
check "JUnit: counts" grep -q \
	'<testsuites name="mtasim" tests="5" failures="1" errors="1">' junit.xml
check "JUnit: entities" grep -q \
	'<testcase classname="bad" name="drained &lt; 3s"><failure message=' \
	junit.xml
if command -v python3 >/dev/null; then
	check "JUnit is XML" python3 -c 'import sys, xml.dom.minidom
xml.dom.minidom.parse("junit.xml")'
	mtasim 99 check --json good.yaml bad.yaml
	check "JSON" python3 -c 'import json
d = json.load(open("out"))
assert [d["held"], d["not_held"], d["errors"], d["code"]] == [3, 1, 0, 99]
l = d["scenarios"][1]["lines"][1]
assert (l["name"], l["passed"], l["value"], l["margin"]) == \
    ("drained < 3s", False, 4, -1), l'
else
	echo "check: skipped, no python3 here" >&2
fi
# What a reader of such files makes of it, where there is one.
python=python3
$python -c 'import junitparser' 2>/dev/null || python=/usr/bin/python3
if $python -c 'import junitparser' 2>/dev/null; then
	check "junitparser reads it" $python -c 'import junitparser
x = junitparser.JUnitXml.fromfile("junit.xml")
assert (x.tests, x.failures, x.errors) == (5, 1, 1)
s = list(x)
assert [i.name for i in s] == ["good", "bad", "broken.yaml"]
r = [t.result for t in s[1]]
assert not r[0] and isinstance(r[1][0], junitparser.Failure)
assert isinstance(list(s[2])[0].result[0], junitparser.Error)'
elif [ -n "${JUNITPARSER_REQUIRED:-}" ]; then
	check "python3-junitparser is there" false
else
	echo "check: skipped, no python3-junitparser here" >&2
fi
# What is wrong with a scenario, and where, stands in each report.
check "JUnit says what is wrong" grep -q \
	'<error message="run: broken.yaml:[0-9]*:[0-9]*: [^"]*">broken.yaml:' \
	junit.xml
mtasim 3 check --tap broken.yaml
check "TAP says what is wrong" grep -q '^# broken.yaml:[0-9]*:[0-9]*: ' out
mtasim 3 check --json broken.yaml
check "JSON says what is wrong" grep -q \
	'"more": "broken.yaml:[0-9]*:[0-9]*: ' out
mtasim 3 check missing.yaml
says "run: missing.yaml: cannot open: No such file or directory"
echo mine >junit.xml.part
mtasim 0 check --junit junit.xml good.yaml
check "what is beside the file stays" [ "$(cat junit.xml.part)" = mine ]
check "and nothing else is there" [ "$(ls junit.xml*)" = "junit.xml
junit.xml.part" ]
ln -s /dev/null nowhere.xml
mtasim 0 check --junit nowhere.xml good.yaml
check "a device is not renamed away" [ -h nowhere.xml ]
mtasim 1 check --junit nowhere/junit.xml good.yaml
says "nowhere/junit.xml"

# ---- recorded runs
mtasim 3 check --golden kept good.yaml
says "no recorded run in 'kept/good'"
mtasim 0 check --golden kept --update good.yaml
mtasim 0 check --golden kept good.yaml
says "golden: as recorded"
cp -r kept again
mtasim 0 check --golden kept --update good.yaml
check "the same is not recorded anew" diff -r kept again
# Two at a time: mails 0 and 1 both end at 1 s; the first row that differs is
# the second delivery, at 2 s when one at a time.
mtasim 99 check --golden kept good.yaml --out two --set \
	mta.smtp_destination_concurrency_limit=2 \
	--set mta.initial_destination_concurrency=2
says "golden: differs from the recorded run, first at 1.000000 s"
says 'note: parameter smtp_destination_concurrency_limit: recorded "1", now "2"'
says 'total end_s: recorded 4, now 2'
says "series active: from "
check "nothing is recorded without --update" diff -r kept again
sed -i 's/"version": "[^"]*"/"version": "0.0.0"/' again/good/run.json
mtasim 0 check --golden again good.yaml
says 'note: version: recorded "0.0.0"'
sed -i 's/"format": [0-9]*/"format": 99/' again/good/run.json
cp -r again aside
mtasim 3 check --golden again good.yaml
says "results format 99"
check "and is left as it was" diff -r again aside
mtasim 3 diff kept/good again/good
says "results format 99"
cp -r kept torn
head -c 200 kept/good/run.json >torn/good/run.json
cp -r torn aside-torn
mtasim 3 check --golden torn good.yaml
says "torn/good"
check "a torn record is left as it was" diff -r torn aside-torn
cp -r kept cut
head -c 60 kept/good/moves.csv.gz >cut/good/moves.csv.gz
mtasim 3 check --golden cut good.yaml
says "cut/good/moves.csv.gz"
mkdir -p theirs/good && : >theirs/good/letter
mtasim 2 check --golden theirs --update good.yaml
check "others' folders stay" [ -f theirs/good/letter ]
# A record in the place of the results would be compared with itself.
cp -r kept inner && mkdir inner/good/results && ln -s kept linked
for places in "kept kept" "kept ./kept/../kept/" "kept linked" \
	"linked kept" "kept kept/good/below"; do
	# shellcheck disable=SC2086 # two words
	set -- $places
	mtasim 2 check --golden "$1" --out "$2" good.yaml bad.yaml
	says "would be one in the other"
done
mtasim 2 check --golden kept --out kept/good good.yaml
mtasim 2 check --golden runs --update good.yaml
mtasim 2 check --golden runs/good/golden --update good.yaml
check "and the record is as it was" [ ! -e kept/good/summary.json ]
for suffix in old part; do
	mkdir -p "again2/good.$suffix" && : >"again2/good.$suffix/letter"
done
mtasim 0 check --golden again2 --update good.yaml
mtasim 0 check --golden again2 --update good.yaml --seed 4
check "and folders beside the recording" [ "$(cat again2/good.*/letter)" = "" ]

# ---- diff
mtasim 0 diff runs/good runs/good
says "the runs did the same"
mtasim 99 diff kept/good two
says "first event that differs"
says "in smtp:a.example: sent at end"
# The runs differ in the limit alone until the second mail is tried.
mtasim 0 run --out one --output feedback good.yaml
mtasim 0 run --out nine --output feedback --set \
	mta.smtp_destination_concurrency_limit=9 good.yaml
mtasim 99 diff one nine
says "limit: 1, 9"
mtasim 3 diff kept/good broken.yaml
says "holds no run.json"
cp -r two half
head -c 150 two/series.csv >half/series.csv
mtasim 3 diff two half
says "half/series.csv"
says "cut off"
mtasim 2 diff two
# Who sends is in no event, and is told all the same: line 2 is the first mail.
rm -rf one other
mtasim 0 run good.yaml --quiet --out one --output messages,maillog
mtasim 0 run good.yaml --quiet --out other --output messages,maillog \
	--set 'sources.s.sender=t{n}@b.example'
mtasim 99 diff one other
says "messages.csv line 2:"
says "maillog line"
says "note: scenario.yaml line"
says 'sender: "t{n}@b.example"'
mtasim 0 run good.yaml --quiet --out other --output messages \
	--set 'expect=["max(active) <= 5"]'
mtasim 0 diff one other
says "note: only 'one' has maillog"
says "note: scenario.yaml line"
mtasim 0 check --golden kept good.yaml --set 'sources.s.sender=t{n}@b.example'
says "note: scenario.yaml line"
mtasim 0 diff one one
check "nothing is noted of the same" sh -c '! grep -q "line\|only" out'

# ---- an interrupt and a crash: what is done stays
scenario endless 1s 200000h "drained == 4s"
sed -i 's/times: .*/even: 900\/s}/; s/until: drained, at_most/for/
	s/transfer: 1s/transfer: 1ms/; s/_limit: 1/_limit: 20/' endless.yaml

# begin COMMAND...: start it, wait until the first scenario is told
begin() {
	"$@" >out 2>err &
	pid=$!
	tries=0
	while ! grep -q '^good' out && [ $tries -lt 100 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	# and the second has opened its tables
	while ! ls live/.endless.*/*.part >/dev/null 2>&1 &&
		[ $tries -lt 100 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
}
begin "$bin" check --out live good.yaml endless.yaml bad.yaml
kill -INT $pid
wait $pid
code=$?
check "exit 130 when interrupted" [ $code -eq 130 ]
says "interrupted at "
check "the finished one is there" [ -f live/good/summary.json ]
check "the interrupted one is marked" grep -q '"partial": true' \
	live/endless/run.json
check "the third was not begun" [ ! -e live/bad ]
rm -rf live
begin "$bin" check --out live good.yaml endless.yaml bad.yaml
kill -KILL "$(pgrep -P $pid | head -n 1)"
wait $pid
code=$?
check "exit 1 after a crash" [ $code -eq 1 ]
says "crashed by signal 9"
check "the one before is there" [ -f live/good/summary.json ]
check "the one behind it too" [ -f live/bad/summary.json ]

echo "check: $passed passed, $failed failed"
[ $failed -eq 0 ]
