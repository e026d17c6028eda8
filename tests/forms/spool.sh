#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# spool.sh MTASIM: the queues of a run as a folder of queue files. As many files
# as series.csv counts, one way; the other way, what Postfix's own qshape and
# postcat read there must be what we say of the same instant. They are used
# when they are installed or in build/tools, where `setup long` puts them.
set -eu
program=$1
here=${0%/*}
suite=forms-spool
# shellcheck source=tests/forms/lib.sh
. "$here/lib.sh"

dir=$scratch/run
spool=$scratch/spool
at=178m
at_s=10680
# Simulated time 0 is 2026-01-05 00:00 UTC (docs/results.md).
now=$((1767571200 + at_s))
"$program" run --quiet --out "$dir" "$here/ages.yaml"
"$program" spool "$dir" --at $at "$spool"

column=2
for queue in maildrop incoming active deferred hold corrupt; do
	wanted=$(awk -F, -v at=$at_s.000000 -v n=$column \
		'$1 == at { print $n }' "$dir/series.csv")
	same "files in $queue" "$wanted" \
		"$(find "$spool/$queue" -type f | wc -l | tr -d ' ')"
	# A queue without mail would test nothing.
	[ $queue = corrupt ] || same "mail in $queue" yes \
		"$([ "$wanted" -gt 0 ] && echo yes)"
	column=$((column + 1))
done

# hash_queue_names is "deferred, defer", hash_queue_depth 2 in this scenario.
same "hashed by the id's first two characters" "" \
	"$(cd "$spool" && find deferred defer -type f | awk -F/ \
		'$2 $3 != substr($4, 1, 2) { print }')"
same "not hashed" "" \
	"$(cd "$spool" && find maildrop incoming active hold -mindepth 2)"

# Modes of F1.2: marked to expire are the mails to other.test, from 2 h on.
mail() {
	find "$spool" -type f ! -path '*/defer/*' ! -path '*/bounce/*' "$@"
}
same "modes" "700 710 744" \
	"$(mail -exec stat -c %a {} + | LC_ALL=C sort -u | xargs)"
same "mail that is marked to expire" yes \
	"$(mail -perm 0710 | grep -q . && echo yes)"
# Whoever waits in deferred is due later than it arrived; R-BACKOFF-AGE gives
# no more than maximal_backoff_time.
same "due times in deferred" "" \
	"$(find "$spool/deferred" -type f -exec stat -c '%Y %n' {} + |
		awk -v now=$now '$1 > now + 4000 || $1 < now - 10800')"
# --now: the clock of this moment instead, give or take the test's own time.
"$program" spool --now "$dir" --at $at "$scratch/now"
same "--now moves file times" yes "$(
	f=$(cd "$spool" && find active -type f | LC_ALL=C sort | head -n 1)
	a=$(stat -c %Y "$spool/$f") b=$(stat -c %Y "$scratch/now/$f")
	late=$(($(date +%s) - now - b + a))
	[ $late -ge 0 ] && [ $late -lt 60 ] && echo yes)"

# --short: the same mails, sizes and tables, in fewer bytes.
"$program" spool --short "$dir" --at $at "$scratch/short"
tree() { (cd "$1" && find . | LC_ALL=C sort | cksum); }
same "--short has the same files" "$(tree "$spool")" "$(tree "$scratch/short")"
lengths() {
	find "$1/deferred" -type f -exec head -c 97 {} \; |
		grep -aoE 'C_ *[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+' |
		awk '{ n += $NF } END { print n }'
}
same "sizes are told" yes "$([ "$(lengths "$spool")" -gt 0 ] && echo yes)"
same "and the same sizes" "$(lengths "$spool")" "$(lengths "$scratch/short")"

# ---- qshape -------------------------------------------------------------------

# The real one at the simulated instant: it asks for the time once. The program
# is perl's own, run as it is.
real() {
	# shellcheck disable=SC2016 # perl's names
	perl -e 'BEGIN { my $t = shift @ARGV; *CORE::GLOBAL::time = sub() { $t } }
		my $s = shift @ARGV; do $s; die $@ if $@;' \
		$now "$qshape" "$@"
}

# The head, then rows by alphabet: it has no order among equals.
rows() { { read -r line && echo "$line" && LC_ALL=C sort; } }
# That the order is right where there is one: totals and lengths of names.
order() { awk 'NR > 1 { print $2, length($1) }'; }

# options, queues
compare() {
	paths=
	for queue in $2; do
		paths="$paths $spool/$queue"
	done
	# shellcheck disable=SC2086 # options and queues are words
	real $1 $paths >"$scratch/real"
	# shellcheck disable=SC2086
	"$program" qshape $1 "$dir" --at $at $2 >"$scratch/ours"
	same "qshape $1 $2" "$(rows <"$scratch/real")" "$(rows <"$scratch/ours")"
	same "order of qshape $1 $2" "$(order <"$scratch/real")" \
		"$(order <"$scratch/ours")"
}

if qshape=$(tool qshape postfix usr/sbin/qshape); then
	same "qshape of short messages" "$(real "$spool/deferred" | rows)" \
		"$(real "$scratch/short/deferred" | rows)"
	for options in "" -p -l "-b 5 -t 10" "-p -m 2" "-w 120" "-l -b 30 -t 7"; do
		for queues in deferred "incoming active" hold \
			"maildrop incoming active deferred hold"; do
			compare "$options" "$queues"
		done
	done
	# Without maildrop: -s counts fresh files there, which it cannot read, as
	# of MAILER-DAEMON and as old as 1970.
	for options in -s "-s -p -m 1" "-s -l" "-s -b 20 -t 1"; do
		for queues in deferred "incoming active" \
			"incoming active deferred hold"; do
			compare "$options" "$queues"
		done
	done
else
	missing
fi

# ---- postcat ------------------------------------------------------------------

# What it says of each file: id, sender, arrival, size, live recipients by
# alphabet. A client's fresh file says no size.
told() {
	mail -exec env MAIL_CONFIG="$scratch" LD_LIBRARY_PATH="$libraries" \
		TZ=UTC0 LC_ALL=C "$postcat" -e {} + | python3 -c '
import calendar, sys, time
mail = {}
for line in sys.stdin:
    word, _, rest = line.rstrip("\n").partition(" ")
    if line.startswith("*** ENVELOPE RECORDS "):
        name = line.split()[3].rpartition("/")[2]
        m = mail.setdefault(name, {"to": [], "size": "-"})
    elif word == "message_size:":
        m["size"] = rest.split()[4]
    elif word == "message_arrival_time:":
        m["arrived"] = calendar.timegm(time.strptime(rest))
    elif word == "sender:":
        m["sender"] = rest or "MAILER-DAEMON"
    elif word == "recipient:":
        m["to"].append(rest)
for name, m in sorted(mail.items()):
    print(name, m["sender"], m["arrived"], m["size"], *sorted(m["to"]))
'
}

# The same from postqueue. fresh: ids of files without a size.
listed() {
	"$program" postqueue -j "$dir" --at $at | python3 -c '
import json, sys
fresh = set(sys.argv[1:])
for m in sorted(map(json.loads, sys.stdin), key=lambda m: m["queue_id"]):
    name = m["queue_id"]
    print(name, m["sender"], m["arrival_time"],
          "-" if name in fresh else m["message_size"],
          *sorted(r["address"] for r in m["recipients"]))
' "$@"
}

if postcat=$(tool postcat postfix usr/sbin/postcat); then
	libraries=${postcat%/sbin/postcat}/lib/postfix
	# It wants accounts of its own that exist, and uses none.
	printf '%s\n' "queue_directory = $spool" "mail_owner = daemon" \
		"setgid_group = mail" "compatibility_level = 3.6" \
		>"$scratch/main.cf"
	# shellcheck disable=SC2046 # ids are words
	listed $(mail -perm 0744 -exec basename {} \;) >"$scratch/listed"
	told >"$scratch/told" 2>"$scratch/complaints"
	same "postcat has no complaints" "" "$(cat "$scratch/complaints")"
	same "postcat tells of every mail" "$(wc -l <"$scratch/listed")" \
		"$(wc -l <"$scratch/told")"
	same "postcat and postqueue" "" \
		"$(diff "$scratch/listed" "$scratch/told" | head)"
	# The words of a message are as many bytes as its size says.
	file=$(mail -path '*/deferred/*' | LC_ALL=C sort | head -n 1)
	same "size of a message" \
		"$(awk -v id="${file##*/}" '$1 == id { print $4 }' \
			"$scratch/listed")" \
		"$(MAIL_CONFIG=$scratch LD_LIBRARY_PATH=$libraries \
			"$postcat" -bh "$file" | wc -c | tr -d ' ')"
else
	missing
fi

# ---- bad input ----------------------------------------------------------------

before=$(cd "$spool" && find . | LC_ALL=C sort | cksum)
refused "a target that exists" 2 "exists and is not an empty folder" \
	"$program" spool "$dir" --at $at "$spool"
same "it is left alone" "$before" "$(cd "$spool" && find . | LC_ALL=C sort |
	cksum)"
refused "the results folder itself" 2 "exists and is not an empty folder" \
	"$program" spool "$dir" --at $at "$dir"
same "which is left alone" yes "$([ -f "$dir/run.json" ] && echo yes)"
: >"$scratch/file"
refused "a target that cannot be made" 1 "cannot create" \
	"$program" spool "$dir" --at $at "$scratch/file/spool"
mkdir "$scratch/late.part"
refused "what was left half written" 1 "late.part' is left from a command" \
	"$program" spool "$dir" --at $at "$scratch/late"
rmdir "$scratch/late.part"
refused "a time outside the run" 3 "ends at 10800.000000 s" \
	"$program" spool "$dir" --at 3d "$scratch/new"
refused "no results folder" 3 "no results folder of a run" \
	"$program" spool "$scratch" --at $at "$scratch/new"
refused "no target" 2 "into which folder" "$program" spool "$dir" --at $at
refused "an empty name" 2 "into which folder" "$program" spool "$dir" --at $at ""
refused "no time" 2 "--at TIME" "$program" spool "$dir" "$scratch/new"
same "nothing was made" "" \
	"$(find "$scratch" -maxdepth 1 -name 'new*' -o -maxdepth 1 -name '*.part')"
mkdir "$scratch/empty"
"$program" spool "$dir" --at $at "$scratch/empty"
same "an empty folder will do" \
	"$(cd "$spool" && find . -type f -exec cksum {} + | LC_ALL=C sort | cksum)" \
	"$(cd "$scratch/empty" && find . -type f -exec cksum {} + |
		LC_ALL=C sort | cksum)"

finish
