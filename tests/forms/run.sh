#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# run.sh MTASIM: the views of a run from the command line. The operator's
# snapshot and qshape run afterwards must agree, a queue's total must be that of
# series.csv, the log must have as many statuses as summary.json counts. Log
# analysers judge the log when they are installed: pflogsumm, and mtail with
# its shipped program.
set -eu
program=$1
here=${0%/*}
suite=forms
# shellcheck source=tests/forms/lib.sh
. "$here/lib.sh"

dir=$scratch/run
"$program" run --quiet --out "$dir" "$here/lines.yaml"

same "snapshot and qshape" "$(cat "$dir/snapshot-deferred-900.txt")" \
	"$("$program" qshape "$dir" --at 15m deferred)"
# One mail with one live recipient waits from 10 min on: series.csv's column 5.
same "qshape's total and series.csv" \
	"$(awk -F, '$1 == "900.000000" { print $5 }' "$dir/series.csv")" \
	"$("$program" qshape "$dir" --at 15m deferred |
		awk '$1 == "TOTAL" { print $2 }')"
same "postqueue -j, one line a mail" 1 \
	"$("$program" postqueue -j "$dir" --at 15m | wc -l | tr -d ' ')"
same "postqueue before the first mail" "Mail queue is empty" \
	"$("$program" postqueue -p "$dir" --at 0s)"

# summary.json and run.json count recipients; each has one line in the log.
count() { sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" "$dir/run.json" | head -n 1; }
for pair in sent:delivered bounced:bounced deferred:deferrals; do
	same "log and run.json, $pair" "$(count "${pair#*:}")" \
		"$(grep -c "status=${pair%:*} " "$dir/maillog")"
done
if pflogsumm=$(tool pflogsumm pflogsumm usr/sbin/pflogsumm); then
	"$pflogsumm" "$dir/maillog" >"$scratch/sum"
	same "pflogsumm delivered" "$(count delivered)" \
		"$(awk '$2 == "delivered" { print $1; exit }' "$scratch/sum")"
	same "pflogsumm bounced" "$(count bounced)" \
		"$(awk '$2 == "bounced" { print $1; exit }' "$scratch/sum")"
	same "pflogsumm deferrals" "$(count deferrals)" \
		"$(sed -n 's/.*deferred  (\([0-9]*\)  deferrals).*/\1/p' \
			"$scratch/sum")"
else
	missing
fi
mtail_program=/usr/share/doc/mtail/examples/postfix.mtail
if command -v mtail >/dev/null 2>&1 && [ -r "$mtail_program" ]; then
	# It logs where temporary files are.
	TMPDIR=$scratch mtail --one_shot --progs "$mtail_program" --logs "$dir/maillog" \
		>"$scratch/mtail" 2>"$scratch/mtail.log"
	# It prints JSON; the number stands in the innermost "Value".
	same "mtail removed" "$(grep -c 'qmgr.*: removed$' "$dir/maillog")" \
		"$(awk '/"Name": "postfix_qmgr_messages_removed_total"/ { on = 1 }
			on && /"Value": [0-9]/ {
				gsub(/[^0-9]/, ""); print; exit
			}' "$scratch/mtail")"
else
	echo "forms: skipped, no mtail with its programs here" >&2
	missing
fi

# step: mail 0 is submitted, moved, answered, admitted, given to an agent,
# delivered and removed; each event is a line and a sentence.
"$program" step "$here/lines.yaml" --mail 0 >"$scratch/step"
same "step, who and what" "client submits
cleanup moves new -> incoming
cleanup answers
qmgr moves incoming -> active
qmgr admits
qmgr hands to an agent
agent reports sent
qmgr moves active -> gone
qmgr ends" "$(sed -n 's/^[0-9.]* \(.*\) mail 0 .*/\1/p' "$scratch/step")"
same "step, a sentence each" \
	"$(grep -c '^[0-9]' "$scratch/step")" "$(grep -c '^    ' "$scratch/step")"

# Deferred at 2.01 s; R-BACKOFF-AGE: the least back-off, 300 s, in whole seconds.
same "step, due when" "due at 302 s." "$("$program" step "$here/lines.yaml" \
	--to 10s | sed -n 's/.*deferred.*\(due at .*\)/\1/p')"
same "step, pickup is done with its file" "pickup ends mail 3" \
	"$("$program" step "$here/lines.yaml" --to 10s --mail 3 |
		sed -n 's/^[0-9.]* \(.* ends mail 3\) .*/\1/p' | head -n 1)"

# R-SCAN-TURN: when a mail is admitted, its line and its sentence name the queue
# that is looked at first in the next pass: after incoming it is deferred.
same "step, the turn after an admission" "turn deferred" \
	"$("$program" step "$here/lines.yaml" --mail 0 |
		sed -n 's/.* qmgr admits .*\(turn [a-z]*\).*/\1/p')"
# The common options that change a run: no mail comes before 1 s.
same "step --for" 2 "$("$program" step "$here/lines.yaml" --for 1s --mail 0 |
	sed -n '/client submits/p; /qmgr ends/p; /cleanup answers/p' |
	wc -l | tr -d ' ')"
refused "step --seed of no number" 2 "seed" \
	"$program" step "$here/lines.yaml" --seed x
# R-PREEMPT-CREDIT: one selected entry of the large mail, at cost 5, earns no
# slot; the loan of 3 is more than half of the need of 1, and 5 are paid.
same "step, a jump" "before mail 0, whose deliveries have earned a credit of 1: \
at 5 a slot 0, and 3 on loan, are enough for 1 delivery less 50 %; all of it is \
charged, 5, and the credit is -4 now." "$("$program" step "$here/../golden/preemption.yaml" |
	sed -n '/lets jump ahead/{n;s/^ *//p;q}')"

refused "a time outside the run" 3 "ends at 1200.000000 s" \
	"$program" qshape "$dir" --at 2h
refused "a queue behind the target of spool" 2 "name none: deferred" \
	"$program" spool "$dir" --at 2m "$dir/none" deferred
refused "an unknown queue" 2 "no such queue" \
	"$program" qshape "$dir" --at 2m defer
# F12.3: numbers that are not above 0 change nothing, and -n is for terminals.
same "qshape's numbers of 0" "$("$program" qshape "$dir" --at 15m deferred)" \
	"$("$program" qshape -b 0 -t 0 -m 0 -w 0 -n 1 -N 0 -c /etc/postfix \
		"$dir" --at 15m deferred)"
same "qshape -m makes no parents" \
	"$("$program" qshape "$dir" --at 15m deferred)" \
	"$("$program" qshape -m 1 "$dir" --at 15m deferred)"
same "qshape -h" "$("$program" qshape --help)" "$("$program" qshape -h)"
refused "no results folder" 3 "no results folder of a run" \
	"$program" postqueue -p "$scratch" --at 2m
refused "no time" 2 "--at TIME" "$program" qshape "$dir"
refused "neither -p nor -j" 2 "-p or -j" "$program" postqueue "$dir" --at 1m
refused "a mail that is none" 2 "--mail" \
	"$program" step "$here/lines.yaml" --mail x
cp -r "$dir" "$scratch/cut"
head -c 1000 "$dir/scenario.yaml" >"$scratch/cut/scenario.yaml"
refused "a scenario that is cut off" 3 "is not what the run was made from" \
	"$program" qshape "$scratch/cut" --at 2m
printf '{"end_s": ' >"$dir/run.json"
refused "a truncated folder" 3 "no results folder of a run" \
	"$program" qshape "$dir" --at 2m

finish
