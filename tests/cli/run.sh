#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# run.sh MTASIM: the run command as users and their scripts meet it: wrong
# usage, places that are taken, full disks, signals, closed streams, results
# that can be run again. What is expected is the contract: exit codes, what is
# written and what is not. Ends with "cli: N passed, M failed".
#
# shellcheck disable=SC2016 # programs of other shells
set -u

bin=$(realpath "${1:?usage: run.sh MTASIM}")
readme=$(cd "$(dirname "$0")/../.." && pwd)/README.md
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' HUP INT TERM
export LC_ALL=C
unset MTASIM_DATA NO_COLOR
passed=0
failed=0
out=$dir/out
err=$dir/err
cd "$dir" || exit 1
# For tools that take a command as words: its folder may have blanks.
ln -s "$bin" mtasim

# skipped WHY: said aloud, as a check that is left out shows nothing.
skipped() {
	echo "cli: skipped, $1" >&2
}

# check WHAT COMMAND...: count whether the command succeeds.
check() {
	what=$1
	shift
	if "$@" >"$dir/said" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: $what"
		sed 's/^/	/' "$dir/said" "$err" | head -n 20
	fi
}

# mtasim CODE ARGUMENT...: run the program, and check its exit code.
mtasim() {
	want=$1
	shift
	"$bin" "$@" >"$out" 2>"$err"
	code=$?
	check "exit $want, not $code, of: $*" [ $code -eq "$want" ]
}

says() {
	check "stderr says: $1" grep -qF -- "$1" "$err"
}

has() {
	check "$1 holds: $2" grep -qF -- "$2" "$1"
}

fingerprint() {
	sed -n 's/.*"fingerprint": //p' "$1/run.json"
}

# same DIR DIR: the folders hold the same bytes.
same() {
	check "$1 and $2 are the same" diff -r "$1" "$2"
}

# hidden NAME: what stands beside it while it is written.
hidden() {
	find . -maxdepth 1 -name ".$1.??????"
}

gone() {
	check "nothing is left of $1" [ ! -e "$1" ]
	check "nothing is left beside $1" [ -z "$(hidden "$1")" ]
}

cat >plain.yaml <<'EOF'
scenario: plain
run: {for: 2m, sample: 1s}
receivers: {r: {transfer: 100ms}}
domains: {a.example: {receiver: r}}
sources:
  web: {arrivals: {even: 5/s}, sender: "x@b.example", to: a.example}
EOF
sed 's/for: 2m/until: drained, at_most: 12h/; s/to: a/messages: 500, to: a/' \
	plain.yaml >drained.yaml
sed 's/for: 2m/for: 10000d/' plain.yaml >endless.yaml

# ---- wrong usage

mtasim 2
mtasim 0 --help
mtasim 0 -h
mtasim 0 --version
mtasim 2 frobnicate
says "no command 'frobnicate'"
mtasim 2 run
mtasim 2 run --frob plain.yaml
says "--frob"
mtasim 2 run plain.yaml plain.yaml
mtasim 2 run plain.yaml --output nonsense
says "messages, attempts, moves, feedback, maillog"
mtasim 2 run plain.yaml --for 5
mtasim 2 run plain.yaml --set mta
mtasim 2 run plain.yaml --seed abc
says "--seed takes a whole number from 0: abc"
mtasim 3 run plain.yaml --set mta.in_flow_dely=5s
says "did you mean in_flow_delay?"
mtasim 3 run plain.yaml --set 'domains[c.example].transport=bulk'
says "there is no transport 'bulk'"
mtasim 3 run missing.yaml
says "missing.yaml: cannot open"
mtasim 3 run .
mtasim 3 run plain.yaml --set 'scenario=""'
says "scenario: must not be empty"
mtasim 2 run plain.yaml --out ""
says "--out takes a folder"
mtasim 3 run plain.yaml --set "$(printf 'question=\377')"
says "not UTF-8 text"
gone runs

# ---- places

mkdir foreign && echo mine >foreign/note
mtasim 2 run plain.yaml --out foreign
says "'foreign' is there already"
check "a folder of others is left alone" [ "$(cat foreign/note)" = mine ]
mtasim 2 run plain.yaml --out plain.yaml
mtasim 0 run plain.yaml --quiet --out mine
check "--quiet is quiet" [ ! -s "$out" ]
mtasim 0 run plain.yaml --quiet --seed 2 --out mine/
has mine/run.json '"seed": 2'
for f in scenario.yaml run.json summary.json series.csv destinations.csv \
	transports.csv; do
	check "$f is always written" [ -f "mine/$f" ]
done
# Names that others may use are not ours: what is beside the place stays.
for suffix in old part; do
	mkdir "mine.$suffix" && echo mine >"mine.$suffix/note"
	mtasim 0 run plain.yaml --quiet --out mine
	check "mine.$suffix is left alone" [ "$(cat mine.$suffix/note)" = mine ]
done
check "nothing is left beside mine" [ -z "$(hidden mine)" ]
check "a folder is open to whom mkdir opens it" \
	[ "$(stat -c %a mine)" = "$(stat -c %a foreign)" ]
# A run.json of others is not ours: ours says its format and scenario.
for text in '{}' 'not json' '{"format": 1}' '["format", "scenario"]'; do
	echo "$text" >foreign/run.json
	mtasim 2 run plain.yaml --out foreign
	check "nor with: $text" [ "$(cat foreign/note foreign/run.json)" = "mine
$text" ]
done
rm foreign/run.json && mkdir foreign/run.json
mtasim 2 run plain.yaml --out foreign
check "nor with a folder run.json" [ -d foreign/run.json ]
# What cannot be removed is told. The new results are in their place.
if [ "$(id -u)" -ne 0 ]; then
	mkdir mine/locked && : >mine/locked/x && chmod a-w mine/locked
	mtasim 1 run plain.yaml --quiet --out mine
	says "cannot remove"
	check "the new results stand" [ ! -e mine/locked ]
	chmod -R u+w .mine.* && rm -r .mine.*
else
	skipped "what cannot be removed: root can"
fi
# Two to one place: each writes for itself, the last one stands, whole.
for seed in 1 2 3 4 5 6; do
	"$bin" run plain.yaml --quiet --for 20s --seed $seed --out one \
		--output attempts >/dev/null 2>"err.$seed" &
	eval "pid$seed=$!"
done
for seed in 1 2 3 4 5 6; do
	eval "wait \$pid$seed"
	check "run $seed of six to one place: exit 0, not $?" [ ! -s "err.$seed" ]
done
seed=$(sed -n 's/.*"seed": \([0-9]\).*/\1/p' one/run.json)
mtasim 0 run plain.yaml --quiet --for 20s --seed "$seed" --out alone \
	--output attempts
same one alone
check "nothing is left beside one" [ -z "$(hidden one)" ]
if [ "$(id -u)" -ne 0 ]; then
	mkdir locked && chmod a-w locked
	mtasim 1 run plain.yaml --out locked/x
	says "Permission denied"
else
	skipped "a folder that cannot be written to: root can"
fi

# ---- results can be run again

mtasim 0 run plain.yaml --quiet --for 30s --out short
has short/scenario.yaml 'for: 30s'
mtasim 0 run short/scenario.yaml --quiet --out again
same short again
mtasim 0 run drained.yaml --quiet --for 20s --out bounded
has bounded/scenario.yaml 'at_most: 20s'
has bounded/run.json '"end_s": 20,'
mtasim 0 run bounded/scenario.yaml --quiet --out again
same bounded again
mtasim 0 run drained.yaml --quiet --out drained
check "500 messages at 5/s take 100 s" \
	grep -qE '"end_s": (99|100)\.' drained/run.json
sed 's/, at_most: 12h//' drained.yaml >unbounded.yaml
mtasim 0 run unbounded.yaml --quiet --out unbounded
check "the bound of a run that drains before it does nothing" \
	cmp drained/series.csv unbounded/series.csv
check "and tells nothing" cmp drained/summary.json unbounded/summary.json

# Files that the scenario names go with it.
mkdir data
printf '%s\n' time_s,sender,recipients,size_bytes \
	'0,x@b.example,u@a.example,1000' \
	'1,x@b.example,u@a.example v@a.example,2000' >data/series.csv
sed 's/{arrivals.*/{trace: data\/series.csv}/' plain.yaml >traced.yaml
mtasim 0 run traced.yaml --quiet --out traced
mkdir elsewhere && mv traced elsewhere/ && mv data data.away
mtasim 0 run elsewhere/traced/scenario.yaml --quiet --out again
same elsewhere/traced again
mtasim 0 run again/scenario.yaml --quiet --out again
same elsewhere/traced again
mtasim 0 postqueue -p elsewhere/traced --at 1.05s
for f in again/files/*; do echo '2,x@b.example,u@a.example,1' >>"$f"; done
mtasim 3 run again/scenario.yaml
says "has changed since"

# ---- headers as documented

mtasim 0 run plain.yaml --quiet --out full \
	--output messages,attempts,moves,feedback,maillog
header() {
	check "the header of $1" [ "$(head -n 1 "full/$1.csv")" = "$2" ]
}
header series time_s,maildrop,incoming,active,deferred,hold,corrupt,busy,tokens,submitted,accepted,delivered,bounced,deferrals,expired,deleted
header destinations time_s,transport,destination,state,window,busy,todo,deferred,delivered,failed
header transports time_s,transport,processes,busy,pending,todo,state
header messages message,source,index,queue_id,sender,arrived_s,accepted_s,first_active_s,ended_s,size_bytes,recipients,attempts,outcome
header attempts time_s,message,source,index,recipient,address,domain,transport,destination,relay,outcome,dsn,code,step,delay_s,before_queue_manager_s,queue_manager_s,connection_setup_s,transmission_s,batch,conn_use,reason
header moves time_s,message,source,index,from,to,reason
header feedback time_s,event,transport,destination,limit,window,busy,success,failure,fail_cohorts

check "--output is kept in the scenario" [ "$(sed -n '/^output:/,/^[a-z]/p' \
	full/scenario.yaml | grep -c '^  - ')" = 5 ]
mtasim 0 run full/scenario.yaml --quiet --out full-again
check "so that the folder can be made again" diff -r full full-again

# ---- what is counted

# Local mail of who may not submit is submitted and refused, each of the three.
sed 's/{arrivals.*/{arrivals: {times: [0s, 1s, 2s]}, to: a.example, via: {sendmail: mallory}}/
	s/^scenario/mta: {authorized_submit_users: "!mallory, static:all"}\n&/' \
	plain.yaml >mallory.yaml
mtasim 0 run mallory.yaml --quiet --out mallory
has mallory/run.json '"submitted": 3, "notices": 0, "refused": 3,'
check "in the series too" [ "$(tail -n 1 mallory/series.csv | cut -d, -f 10,11)" \
	= 3,0 ]

# ---- what waits at the client has not arrived

# One process takes 5 s for each of four mails: the fourth would begin at 15 s.
cat >four.yaml <<'EOF'
scenario: four
run: {for: 12s}
services: {smtpd: {maxproc: 1}, cleanup: {maxproc: 1}}
costs: {cleanup: 5s}
receivers: {r: {transfer: 100ms}}
domains: {a.example: {receiver: r}}
sources:
  web: {arrivals: {times: [0s, 0s, 0s, 0s]}, to: a.example}
EOF
mtasim 0 run four.yaml --output messages
has "$out" ' 1 not yet submitted: waiting at the client'
has runs/four/run.json '"submitted": 3,'
has runs/four/run.json '"waiting_at_client": 1,'
check "mail arrives when a process takes it" [ "$(cut -d, -f6 \
	runs/four/messages.csv | tr '\n' ' ')" = \
	"arrived_s 0.000000 5.000000 10.000000 " ]
mtasim 0 run four.yaml --for 1m
check "none waits at the end" sh -c '! grep -q waiting "$1"' - "$out"

# ---- the example of README does what it predicts

awk '/^```yaml/ { on = 1; next } /^```/ { on = 0 } on' "$readme" >readme.yaml
mtasim 0 check --quiet readme.yaml
has "$out" '4 held, 0 did not'

# ---- profiles: a line of each, or all of some

mtasim 0 profiles
check "the list has no limits" sh -c '! grep -q "^receiver:" "$1"' - "$out"
mtasim 0 profiles google postgrey
has "$out" 'messages_per_connection: 50'
has "$out" 'profile: postgrey'
check "two receivers" [ "$(grep -c '^receiver:' "$out")" = 2 ]
check "nothing for editors" sh -c '! grep -q yaml-language "$1"' - "$out"
mtasim 2 profiles gogle
says "did you mean google?"

# ---- pictures

mtasim 0 run plain.yaml --quiet --out drawn --output plots
check "--output plots draws" [ -s drawn/plots/queues.png ]
check "nothing is said of it" [ ! -s "$out" ]
mkdir bare
PATH=$dir/bare "$bin" run plain.yaml --out undrawn --output plots \
	>"$out" 2>"$err"
check "exit 1 without gnuplot" [ $? -eq 1 ]
says "gnuplot is not installed"
check "results are kept" [ -f undrawn/run.json ]

# A data folder of one's own serves profiles and plots; that of the scenarios
# alone serves profiles as well.
mkdir -p own/scenarios/profiles own/plots
cat >own/scenarios/profiles/mine.yaml <<'EOF'
profile: mine
as_of: "2020"
source: nobody
receiver: {transfer: 1s}
EOF
sed 's/receivers: .*/receivers: {r: {profile: mine}}/' plain.yaml >profiled.yaml
mtasim 3 run profiled.yaml --quiet --out profiled
for folder in own own/scenarios; do
	MTASIM_DATA=$dir/$folder "$bin" run profiled.yaml --quiet \
		--out profiled >"$out" 2>"$err"
	check "a profile in $folder, exit 0, not $?" [ ! -s "$err" ]
done
for script in common queues; do
	echo "print 'drawn by ours'" >own/plots/$script.gp
done
MTASIM_DATA=$dir/own "$bin" plot mine queues >"$out" 2>"$err"
check "plots in own" grep -q "drawn by ours" mine/plots/queues.gp

# ---- streams

if [ -c /dev/full ]; then
	for a in --help --version "run plain.yaml" "check plain.yaml" params \
		schema profiles "diff mine mine" "qshape mine --at 1s" \
		"postqueue -p mine --at 1s" "step plain.yaml" \
		"plot mine queues --terminal dumb"; do
		# shellcheck disable=SC2086 # words
		"$bin" $a >/dev/full 2>"$err"
		check "exit 1 with a full disk of: $a" [ $? -eq 1 ]
		says "cannot write"
	done
fi
"$bin" run plain.yaml --out closed >&- 2>&- <&-
check "closed streams do no harm" [ $? -eq 0 ]
mtasim 0 run plain.yaml --quiet --out open
same closed open
"$bin" params 2>"$err" | head -n 1 >"$out"
check "a reader that goes is no reason for words" [ ! -s "$err" ]
# Nor for half of the runs, or a folder half written.
for i in 1 2 3; do
	sed "s/scenario: plain/scenario: piped$i/" plain.yaml >piped$i.yaml
done
{
	"$bin" check piped?.yaml --out piped --replications 2 2>"$err"
	echo $? >"$out"
} | true
check "check goes on without a reader" [ "$(cat "$out")" = 0 ]
check "and says nothing of it" [ ! -s "$err" ]
check "all runs are there" [ "$(find piped -name summary.json | wc -l)" = 6 ]
check "and nothing else" [ "$(find piped -name '.*' | wc -l)" = 0 ]

# ---- signals: partial results, whole files

# interrupt NAME CODE
interrupt() {
	"$bin" run endless.yaml --out cut --output messages \
		--set 'expect=["max(active) <= 20000"]' >"$out" 2>"$err" &
	pid=$!
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -n "$(hidden cut)" ] && break
		sleep 0.2
	done
	sleep 0.3
	kill "-$1" $pid
	wait $pid
	code=$?
	check "exit $2, not $code, after $1" [ $code -eq "$2" ]
	check "no part is left after $1" [ -z "$(hidden cut)" ]
	has cut/run.json '"partial": true'
	has "$out" partial
	has "$out" 'not judged: max(active)'
	has cut/summary.json '"passed": null'
	check "the last row is whole" [ "$(tail -c 1 cut/series.csv | wc -l)" = 1 ]
	rm -rf cut
}
interrupt INT 130
interrupt TERM 143
interrupt HUP 129

# Much mail of the beginning does not hold up an interrupt: a run of so many
# would take minutes, and more memory than there is.
sed 's/^sources:/start: [{queue: hold, messages: 100000000, to: a.example}]\n&/' \
	plain.yaml >much.yaml
timeout --preserve-status -s INT -k 20 1 \
	"$bin" run much.yaml --quiet --out much >"$out" 2>"$err"
code=$?
check "exit 130, not $code, of one that begins" [ $code -eq 130 ]
has much/run.json '"partial": true'
# Nor do samples without end, many tables of many domains, a long trace. Of a run
# that has not begun nothing is written.
sed 's/sample: 1s/sample: 1us/; s/even: 5.s/times: [0s]/' plain.yaml >fine.yaml
timeout --preserve-status -s INT -k 20 1 \
	"$bin" run fine.yaml --quiet --out fine >"$out" 2>"$err"
code=$?
check "exit 130, not $code, of one with many samples" [ $code -eq 130 ]
has fine/run.json '"partial": true'
rm -r fine
sed '/web:/d; s/a.example: /"*": /' plain.yaml >many.yaml
for i in 1 2 3 4 5 6 7 8 9; do
	echo "  s$i: {arrivals: {even: 1/s}, to: {zipf: {domains: 10000000}}}"
done >>many.yaml
sed 's/{arrivals.*/{trace: long.csv.gz}/' plain.yaml >long.yaml
{
	echo time_s,sender,recipients,size_bytes
	yes '1,x@b.example,u@a.example,1000' | head -n 5000000
} | gzip -1 >long.csv.gz
for name in many long; do
	timeout --preserve-status -s TERM -k 20 1 \
		"$bin" run $name.yaml --quiet --out $name >"$out" 2>"$err"
	code=$?
	check "exit 143, not $code, of $name" [ $code -eq 143 ]
	says "interrupted"
	gone $name
done
# Where memory ends, a sentence and exit 1, and nothing half written.
if command -v prlimit >/dev/null; then
	prlimit --as=1400000000 \
		"$bin" run much.yaml --quiet --out less >"$out" 2>"$err"
	code=$?
	check "exit 1, not $code, without memory" [ $code -eq 1 ]
	says "out of memory"
	gone less
else
	skipped "no prlimit here (Debian's package util-linux)"
fi

# ---- a terminal, or none

mtasim 0 run plain.yaml --out mine
check "no colours in a file" sh -c '! grep -q "$(printf "\033")" "$1"' - "$out"
if command -v script >/dev/null; then
	sed '$a expect: [max(active) < 1000]' plain.yaml >e.yaml
	script -qec "./mtasim run e.yaml --out mine" /dev/null >"$out" </dev/null
	check "colours on a terminal" grep -q "$(printf '\033')" "$out"
	NO_COLOR=1 script -qec "./mtasim run e.yaml --out mine" /dev/null \
		>"$out" </dev/null
	check "no colours with NO_COLOR" \
		sh -c '! grep -qF "$(printf "\033[3")" "$1"' - "$out"
else
	skipped "no script here (Debian's package bsdutils)"
fi

echo "cli: $passed passed, $failed failed"
[ $failed -eq 0 ]
