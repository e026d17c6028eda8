#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# run.sh MTASIM: the plot command on a results folder that make-fixture wrote:
# exit codes, messages, the files that appear, that pictures are whole, that
# their scripts run again, that numbers in the tables are those of the results.
# Ends with "plots: N passed, M failed".
#
# shellcheck disable=SC2016 # awk programs
set -u

bin=$(realpath "${1:?usage: run.sh MTASIM}")
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' HUP INT TERM
export TMPDIR="$dir"
export LC_ALL=C
MTASIM_DATA=$(cd "$here/../.." && pwd)
export MTASIM_DATA
unset COLUMNS LINES
passed=0
failed=0
out=$dir/out
err=$dir/err

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

# plot CODE ARGUMENT...: run the command, and check its exit code.
plot() {
	want=$1
	shift
	"$bin" plot "$@" >"$out" 2>"$err"
	code=$?
	check "exit $want of: plot $*" [ $code -eq "$want" ]
}

says() {
	check "stderr says: $1" grep -qF -- "$1" "$err"
}

is_png() {
	# the signature, and the chunk that ends every PNG
	head -c 8 "$1" | od -An -tx1 | grep -q '89 50 4e 47 0d 0a 1a 0a' &&
		tail -c 8 "$1" | od -An -tx1 | grep -q '49 45 4e 44 ae 42 60 82'
}

is_svg() {
	head -n 1 "$1" | grep -q '^<?xml' && grep -q '<path' "$1" &&
		tail -n 2 "$1" | grep -qx '</svg>'
}

fresh() {
	rm -rf "${dir:?}/$1"
	cp -r "$dir/whole" "$dir/$1"
}

"$here/make-fixture" "$dir/whole"

# ---- all that the folder allows
fresh a
plot 0 "$dir/a"
for name in queues window delays attempts inflow; do
	check "$name.png is whole" is_png "$dir/a/plots/$name.png"
	check "$name is named on stdout" \
		grep -qx "$dir/a/plots/$name.png" "$out"
	check "$name.gp is there" [ -s "$dir/a/plots/$name.gp" ]
	check "$name.csv is there" [ -s "$dir/a/plots/$name.csv" ]
done
check "nothing is said" [ ! -s "$err" ]
check "no recorded without a recording" [ ! -e "$dir/a/plots/recorded.png" ]
check "nothing else is left" [ "$(find "$dir/a/plots" -type f | wc -l)" -eq 15 ]

cp "$dir/a/plots/inflow.gp" "$dir/a-inflow.gp"

# ---- a script runs again as it is, from anywhere, and also after a move
mv "$dir/a/plots" "$dir/moved plots"
rm "$dir/moved plots/queues.png"
check "the script runs again" sh -c \
	"cd / && gnuplot '$dir/moved plots/queues.gp'"
check "and draws beside itself" is_png "$dir/moved plots/queues.png"
check "in another kind too" gnuplot -e "terminal='svg'" \
	"$dir/moved plots/window.gp"
check "which is whole" is_svg "$dir/moved plots/window.svg"

# ---- same results, same bytes
fresh b
plot 0 "$dir/b" queues
cp "$dir/b/plots/queues.csv" "$dir/first.csv"
cp "$dir/b/plots/queues.gp" "$dir/first.gp"
cp "$dir/b/plots/queues.png" "$dir/first.png"
plot 0 "$dir/b" queues
check "same table" cmp "$dir/first.csv" "$dir/b/plots/queues.csv"
check "same script" cmp "$dir/first.gp" "$dir/b/plots/queues.gp"
check "same picture" cmp "$dir/first.png" "$dir/b/plots/queues.png"
check "one name, one picture" [ ! -e "$dir/b/plots/window.png" ]

# ---- kinds
fresh c
plot 0 "$dir/c" queues delays --terminal svg
check "queues.svg is whole" is_svg "$dir/c/plots/queues.svg"
check "delays.svg is whole" is_svg "$dir/c/plots/delays.svg"
plot 0 --terminal=gif "$dir/c" attempts
check "attempts.gif is one" sh -c \
	"head -c 3 '$dir/c/plots/attempts.gif' | grep -q GIF"

# ---- in the terminal: stdout, no files
fresh d
plot 0 "$dir/d" --terminal dumb
check "all pictures are drawn" sh -c "grep -c 'dead_destination' '$out' |
	grep -q '^[4-9]'"
check "none is wider than 79" awk 'length > 79 { exit 1 }' "$out"
check "no folder is made" [ ! -e "$dir/d/plots" ]
check "none is left behind" sh -c "! ls -d '$dir'/mtasim-plot.* 2>/dev/null"
COLUMNS=100 LINES=40 plot 0 "$dir/d" queues --terminal dumb
check "it uses the columns" awk 'length > 90 { n++ } END { exit !n }' "$out"
check "it uses the lines" awk 'END { exit !(NR > 34 && NR <= 40) }' "$out"
check "no control characters" sh -c "! grep -q '[[:cntrl:]]' '$out'"

# ---- the tables hold what the results hold
check "no peak is lost" awk -F, '
	FNR == 1 { next }
	NR == FNR { if ($4 + 0 > a) a = $4 + 0; if ($5 + 0 > d) d = $5 + 0; next }
	{ if ($2 + 0 > b) b = $2 + 0; if ($5 + 0 > e) e = $5 + 0 }
	END { exit !(a > 0 && a == b && d == e) }' \
	"$dir/whole/series.csv" "$dir/b/plots/queues.csv"
# Rates times bins give back the totals of the last sample, within rounding.
plot 0 "$dir/b" attempts
check "rates add up to the totals" awk -F, '
	FNR == 1 { next }
	NR == FNR { delivered = $12; deferred = $14; next }
	{ a += $2 * 30; b += $3 * 30 }
	END { exit !(a > 0 && b > 0 && (a - delivered) ^ 2 < 1 &&
		(b - deferred) ^ 2 < 1) }' \
	"$dir/whole/series.csv" "$dir/b/plots/attempts.csv"

# ---- what happened is marked: the fixture kills at 600 s, revives at 2400 s
check "the death is marked" grep -q "_text = 'dead.example dead'" \
	"$dir/b/plots/queues.gp"
check "at its time" grep -q "^event_[0-9]*_at = 600$" "$dir/b/plots/queues.gp"
check "the return is marked" grep -q "_text = 'dead.example back'" \
	"$dir/b/plots/queues.gp"
check "at its time" grep -q "^event_[0-9]*_at = 2400$" "$dir/b/plots/queues.gp"
check "the operator is marked" grep -q "_text = 'release ALL'" \
	"$dir/b/plots/queues.gp"

# ---- delays: shares of all recipients
# Of dead.example 600 have ended and 200 still wait; its curve ends at the share
# of those that were sent. p95 is a lower bound: from p90 on all are.
plot 0 "$dir/b" delays
check "a curve ends at the share delivered" awk -F, '
	FNR == 1 { next }
	NR == FNR { sent += $9 == "dead.example" && $11 == "sent"; next }
	$1 == 2 { share = $3 }
	END { exit !(sent > 500 && (share - sent / 800) ^ 2 < 1e-12) }' \
	"$dir/whole/attempts.csv" "$dir/b/plots/delays.csv"
check "the second busiest" grep -qx "curve_2 = 'smtp:dead.example'" \
	"$dir/b/plots/delays.gp"
check "its percentiles are the summary's" grep -qx \
	"curve_2_text = 'p50 9.1 s, p95 >= 27 min'" "$dir/b/plots/delays.gp"
check "which are told as they are" grep -qx \
	"curve_1_text = 'p50 600 ms, p95 3.7 s'" "$dir/b/plots/delays.gp"
# What ended in the warm-up has no delay.
fresh p
sed 's/"seed": 42,/&  "warmup_s": 1800,/' "$dir/whole/run.json" \
	>"$dir/p/run.json"
plot 0 "$dir/p" delays
check "the warm-up is left out" awk -F, '
	FNR == 1 { next }
	NR == FNR { sent += $9 == "quick.example" && $11 == "sent" &&
		$1 >= 1800; next }
	$1 == 1 { share = $3 }
	END { exit !(sent > 300 && (share - sent / 900) ^ 2 < 1e-12) }' \
	"$dir/whole/attempts.csv" "$dir/p/plots/delays.csv"

# ---- windows between samples, from feedback.csv
fresh q
cat >"$dir/q/feedback.csv" <<'EOF'
time_s,event,transport,destination,limit,window,busy,success,failure,fail_cohorts
101.000000,alive,smtp,slow.example,50,47,1,0,0,0
102.000000,dead,smtp,slow.example,50,0,1,0,1,1
103.000000,revived,smtp,slow.example,50,5,0,0,0,0
104.000000,alive,smtp,nowhere.example,50,99,1,0,0,0
EOF
plot 0 "$dir/q" window
check "a window between two samples is seen" awk -F, '
	$6 == 47 { n++ } END { exit n != 1 }' "$dir/q/plots/window.csv"
check "and a death" awk -F, '$5 == 0 && $2 < 103 && $3 > 102 && $9 == 1 { n++ }
	END { exit n != 1 }' "$dir/q/plots/window.csv"
check "not those of others" sh -c "! grep -q ',99,' '$dir/q/plots/window.csv'"

# ---- few numbers: steps, and counts instead of rates
fresh r
head -n 61 "$dir/whole/series.csv" | awk -F, -v OFS=, 'NR > 1 {
	$9 = 0; $12 = int($1 / 60); $13 = $14 = 0 } 1' >"$dir/r/series.csv"
sed 's/"in_flow_delay": "1s"/"in_flow_delay": "0s"/' "$dir/whole/run.json" \
	>"$dir/r/run.json"
plot 0 "$dir/r" inflow attempts
# 60 samples: each but the first is a step.
check "a level holds until the next sample" awk -F, '
	NR > 1 && $2 != "" { n += $1 "" == t; t = $1 "" }
	END { exit n != 59 }' \
	"$dir/r/plots/inflow.csv"
check "that there is no flow control is told" grep -qx 'flow_is_off = 1' \
	"$dir/r/plots/inflow.gp"
check "where there is none only" grep -qx 'flow_is_off = 0' \
	"$dir/a-inflow.gp"
check "one delivery a minute is one in 5 s" grep -qx "rate_unit = '5 s'" \
	"$dir/r/plots/attempts.gp"
check "at most" grep -qx 'rate_mul = 5' "$dir/r/plots/attempts.gp"

# Samples of 0.5 s are counted as they are.
fresh s
head -n 61 "$dir/whole/series.csv" | awk -F, -v OFS=, 'NR > 1 {
	$1 = $1 / 10; $12 = $1 < 1 ? 0 : 50; $13 = $14 = 0 } 1' \
	>"$dir/s/series.csv"
plot 0 "$dir/s" attempts inflow
check "fifty in half a second are fifty" awk -F, '
	NR > 1 && $2 > 0 { n++; most = $2 } END { exit !(n == 1 && most == 100) }' \
	"$dir/s/plots/attempts.csv"
check "not a hundred" grep -qx "rate_mul = 0.5" "$dir/s/plots/attempts.gp"
check "a second" grep -qx "rate_unit = '500 ms'" "$dir/s/plots/attempts.gp"
# The last sample is of 29.5 s, in the middle of the step that ends the rates.
check "rates reach the end" awk -F, '
	END { exit !($1 == 29.75 && $5 != "") }' "$dir/s/plots/inflow.csv"

# ---- less than all
fresh e
rm "$dir/e/attempts.csv"
plot 0 "$dir/e" delays
check "percentiles instead" grep -q '^bar,p50' "$dir/e/plots/delays.csv"
# the fixture's summary.json gives 14 s as the median of slow.example
check "of the summary" grep -q '^[0-9],14,57,85,181,0$' "$dir/e/plots/delays.csv"
check "a bound is told" grep -q '^[0-9],9.1,1440,1620,1790,1$' \
	"$dir/e/plots/delays.csv"
check "the rest of destinations has no bar" \
	sh -c "! grep -q other '$dir/e/plots/delays.gp'"
rm "$dir/e/summary.json"
plot 3 "$dir/e" delays queues
says "summary.json is missing"
check "the other is drawn" is_png "$dir/e/plots/queues.png"
plot 0 "$dir/e"
plot 3 "$dir/e" recorded
says "recorded_series.csv is missing"

fresh f
gzip "$dir/f/series.csv" "$dir/f/destinations.csv" "$dir/f/attempts.csv"
plot 0 "$dir/f"
check "packed results are drawn" is_png "$dir/f/plots/window.png"

# ---- a recording, of two runs
fresh g
awk -F, 'NR == 1 { print "run,time_s,active,deferred"; next }
	{ print "1," $1 "," $4 + 5 "," $5 }' "$dir/whole/series.csv" \
	>"$dir/g/recorded_series.csv"
awk -F, 'NR > 1 { print "2," $1 "," $4 - 5 "," $5 }' "$dir/whole/series.csv" \
	>>"$dir/g/recorded_series.csv"
plot 0 "$dir/g"
check "the recording is drawn" is_png "$dir/g/plots/recorded.png"
check "two recordings" grep -q '^recordings = 2$' "$dir/g/plots/recorded.gp"
check "two panels" grep -q '^panels = 2$' "$dir/g/plots/recorded.gp"

# ---- jobs: what goes before a large mail
# The fixture has mails of one recipient only.
plot 3 "$dir/b" jobs
says "attempts.csv has no mail that went before a large one"
rm "$dir/b/attempts.csv"
plot 3 "$dir/b" jobs
says "attempts.csv is missing"
# Each number of this scenario is worked out in it, from the rules.
"$bin" run --quiet --out "$dir/jump" \
	"$here/../../scenarios/jump-the-list.yaml" >"$out" 2>"$err"
check "a list that is jumped over runs" [ -s "$dir/jump/attempts.csv" ]
jobs=$dir/jump/plots/jobs.csv
plot 0 "$dir/jump"
check "jobs are drawn" is_png "$dir/jump/plots/jobs.png"
# credit TIME: after all that was handed out then.
credit() {
	awk -F, -v at="$1" '$1 == "credit" && $3 == at { c = $8 } END { print c }' \
		"$jobs"
}
check "four deliveries are charged 20 of 4" [ "$(credit 2)" = -16 ]
check "1 is earned with each delivery" [ "$(credit 11)" = 0 ]
check "one more, and the next one goes: -5" [ "$(credit 12)" = -4 ]
check "12, -5, and one more" [ "$(credit 21)" = 8 ]
check "26, -5 twice" [ "$(credit 31)" = 16 ]
check "the list is named" grep -qx "row_0 = 'list 0 (60)'" \
	"$dir/jump/plots/jobs.gp"
check "five go before it" grep -qx 'ahead = 5' "$dir/jump/plots/jobs.gp"
check "the first has four deliveries" grep -qx "row_1 = 'four 0 (4)'" \
	"$dir/jump/plots/jobs.gp"
check "at once, on a loan" grep -qx 'held,1,2,4,,,,' "$jobs"
check "with both processes" grep -qx 'level,,2,,0,2,0,' "$jobs"
check "the second waits until that is earned back" \
	grep -qx 'wait,2,4.5,12,,,,' "$jobs"
check "and has one process" grep -qx 'level,,12,,1,1,0,' "$jobs"
check "credit is known" grep -qx 'credit_is_known = 1' "$dir/jump/plots/jobs.gp"
plot 0 "$dir/jump" jobs --terminal dumb
check "in the terminal too" grep -q 'credit of list 0' "$out"
# With a loan of 0 a credit of 4 is not enough for four: they must have passed.
cp "$dir/jump/run.json" "$dir/jump.json"
sed 's/"default_delivery_slot_loan": "3"/"default_delivery_slot_loan": "0"/' \
	"$dir/jump.json" >"$dir/jump/run.json"
plot 0 "$dir/jump" jobs
check "what could not pay has passed" grep -qx 'credit_is_known = 0' \
	"$dir/jump/plots/jobs.gp"
check "and no credit is drawn" sh -c "! grep -q ^credit '$jobs'"
plot 0 "$dir/jump" jobs --terminal dumb
# A transport's own parameter comes before the common one.
sed 's/"default_delivery_slot_loan"/"smtp_delivery_slot_cost": "0",&/' \
	"$dir/jump.json" >"$dir/jump/run.json"
plot 3 "$dir/jump" jobs
says "no mail that went before a large one"
cp "$dir/jump.json" "$dir/jump/run.json"
# A recipient more in a delivery is no delivery more.
grep ',list,0,' "$dir/jump/attempts.csv" | head -n 1 >"$dir/one.csv"
cat "$dir/one.csv" >>"$dir/jump/attempts.csv"
plot 0 "$dir/jump" jobs
check "recipients of one delivery are one" grep -qx "row_0 = 'list 0 (60)'" \
	"$dir/jump/plots/jobs.gp"
# A list that may have four deliveries at a time has no more, to the microsecond,
# and who passes it then pays nothing.
cat >"$dir/full.yaml" <<'EOF'
scenario: full
seed: 1
run: {until: drained, at_most: 10m}
output: [attempts]
mta: {smtp_destination_recipient_limit: 2, smtp_destination_concurrency_limit: 4}
receivers: {any: {connect: {exponential: 100ms}, transfer: {exponential: 1s}}}
domains: {"*": {receiver: {each: any}}}
sources:
  list: {arrivals: {times: [0s]}, users: 200, recipients: 200, to: list.example}
  small: {arrivals: {poisson: 5/s}, until: 20s, to: small.example}
EOF
"$bin" run --quiet --out "$dir/full" "$dir/full.yaml" >"$out" 2>"$err"
plot 0 "$dir/full" jobs
check "as many as its limit, no more" awk -F, '
	$1 == "level" && $5 > most { most = $5 } END { exit most != 4 }' \
	"$dir/full/plots/jobs.csv"
check "its credit is not known" grep -qx 'credit_is_known = 0' \
	"$dir/full/plots/jobs.gp"
# Twelve are shown of many: 479 of 1/s in 8 min, and the one of 0 s.
"$bin" run --quiet --out "$dir/many" --output attempts \
	"$here/../../scenarios/list-against-small-mail.yaml" >"$out" 2>"$err"
plot 0 "$dir/many" jobs
check "all are counted" grep -qx 'ahead = 480' "$dir/many/plots/jobs.gp"
check "twelve are shown" grep -qx 'rows = 12' "$dir/many/plots/jobs.gp"

# ---- damage is noticed, and named with its place
fresh h
head -c 20000 "$dir/whole/series.csv" >"$dir/h/series.csv"
plot 3 "$dir/h"
says "cut off"
says "h/series.csv:"
check "what does not need it is drawn" is_png "$dir/h/plots/delays.png"
check "what needs it is not" [ ! -e "$dir/h/plots/queues.png" ]
fresh i
sed '1s/tokens/coins/' "$dir/whole/series.csv" >"$dir/i/series.csv"
plot 3 "$dir/i"
says "series.csv:1: there is no column 'tokens'"
check "the others are drawn" is_png "$dir/i/plots/queues.png"
fresh j
sed '9s/,[0-9]*,/,many,/' "$dir/whole/series.csv" >"$dir/j/series.csv"
plot 3 "$dir/j" queues
says "series.csv:9: "
says "'many' is not a number"
# A row whose time is no number does not end the axis of time.
fresh s
sed '$s/^[0-9.]*/9999999999999999999/' "$dir/whole/series.csv" \
	>"$dir/s/series.csv"
plot 3 "$dir/s"
says "'9999999999999999999' is not a number"
check "gnuplot has nothing to say" sh -c "! grep -q gnuplot '$err'"
fresh k
echo '{"scenario": ' >"$dir/k/run.json"
plot 3 "$dir/k"
says "run.json:"

# ---- hardly any results
fresh l
head -n 1 "$dir/whole/series.csv" >"$dir/l/series.csv"
head -n 1 "$dir/whole/destinations.csv" >"$dir/l/destinations.csv"
head -n 1 "$dir/whole/attempts.csv" >"$dir/l/attempts.csv"
plot 0 "$dir/l"
fresh m
head -n 2 "$dir/whole/series.csv" >"$dir/m/series.csv"
head -n 2 "$dir/whole/destinations.csv" >"$dir/m/destinations.csv"
head -n 2 "$dir/whole/attempts.csv" >"$dir/m/attempts.csv"
plot 0 "$dir/m"
check "one sample is drawn" is_png "$dir/m/plots/queues.png"

# ---- names are text, whatever they hold
fresh n
# quotes of both kinds, a command in backquotes, a macro, markup; in JSON
hostile="a'\\\\\"; system(\\\\\"touch $dir/owned\\\\\") \`touch $dir/owned\` @x {/b}"
sed "s|\"dead_destination\"|\"$hostile\"|; s|release ALL|$hostile|" \
	"$dir/whole/run.json" >"$dir/n/run.json"
sed "s|dead.example|x'y\`touch $dir/owned\`|g" \
	"$dir/whole/destinations.csv" >"$dir/n/destinations.csv"
plot 0 "$dir/n"
check "no name is obeyed" [ ! -e "$dir/owned" ]
check "they are drawn" is_png "$dir/n/plots/queues.png"

# ---- a long name loses its middle, so that it has a place
fresh t
long=a-domain-whose-name-is-longer-than-any-place-for-it.department.example
sed "s/slow.example/$long/" "$dir/whole/summary.json" >"$dir/t/summary.json"
sed "s/slow.example/$long/" "$dir/whole/destinations.csv" \
	>"$dir/t/destinations.csv"
sed "s/slow.example/$long/" "$dir/whole/attempts.csv" >"$dir/t/attempts.csv"
plot 0 "$dir/t" delays --terminal svg
check "the key has all four" sh -c \
	"grep -c 'p50.*p95' '$dir/t/plots/delays.svg' | grep -qx 4"
rm "$dir/t/attempts.csv"
plot 0 "$dir/t" delays window --terminal svg
for name in delays window; do
	check "$name shows its ends" grep -q '[a-z][.][.][.][a-z.]*example' \
		"$dir/t/plots/$name.svg"
	check "$name not all of it" sh -c \
		"! grep -q '$long' '$dir/t/plots/$name.svg'"
done
plot 0 "$dir/t" delays --terminal dumb
check "in the terminal too" awk 'length > 79 { exit 1 }' "$out"

# ---- usage
plot 2
says "usage"
plot 2 "$dir/a" quueues
says "did you mean queues?"
plot 2 "$dir/a" nonsense
says "queues, window, delays, attempts, inflow, jobs, recorded"
plot 2 "$dir/a" --terminal pdf
says "use png, svg, gif or dumb"
plot 2 "$dir/a" --terminal
plot 2 "$dir/a" --colour
says "--help"
plot 0 --help
check "help is on stdout" grep -q 'usage: mtasim plot' "$out"
plot 3 "$dir/none"
says "no such folder"
mkdir "$dir/empty"
plot 3 "$dir/empty"
says "holds no run.json"
check "nothing is written" [ -z "$(ls -A "$dir/empty")" ]

# ---- without gnuplot, and with one that fails
mkdir "$dir/bin"
PATH=$dir/bin "$bin" plot "$dir/b" >"$out" 2>"$err"
check "exit 1 without gnuplot" [ $? -eq 1 ]
says "gnuplot-nox"
printf '#!/bin/sh\necho broken >&2\nexit 1\n' >"$dir/bin/gnuplot"
chmod +x "$dir/bin/gnuplot"
PATH=$dir/bin:$PATH "$bin" plot "$dir/b" queues >"$out" 2>"$err"
check "exit 1 when gnuplot fails" [ $? -eq 1 ]
says "broken"

# ---- a folder that cannot be written to
fresh o
chmod 555 "$dir/o"
if [ "$(id -u)" -ne 0 ]; then
	plot 1 "$dir/o" queues
	says "cannot write"
else
	echo "plots: skipped, a folder that cannot be written to: root can" >&2
fi
# Nor one that takes no more than 2 KiB of a file.
fresh t
(
	trap '' XFSZ
	ulimit -f 4
	exec "$bin" plot "$dir/t" queues
) >"$out" 2>"$err"
check "exit 1 with a full disk" [ $? -eq 1 ]
says "cannot write"
check "nothing is half written" [ -z "$(find "$dir/t/plots" -type f)" ]
chmod 755 "$dir/o"

echo "plots: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
