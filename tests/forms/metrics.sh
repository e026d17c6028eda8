#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# metrics.sh MTASIM: metrics.om of a run beside series.csv and the mail log of
# the same run. promtool (Debian's prometheus) checks it and makes blocks of it,
# the parser of python3-prometheus-client reads it, when they are here.
set -eu
program=$1
here=${0%/*}
suite=forms-metrics
# shellcheck source=tests/forms/lib.sh
. "$here/lib.sh"

dir=$scratch/run
om=$dir/metrics.om
log=$dir/maillog
"$program" run --quiet --out "$dir" --output metrics,maillog "$here/ages.yaml"

# The queues at every sample are those of series.csv. Time 0 of a run is
# 2026-01-05 00:00 UTC.
column=2
for queue in maildrop incoming active deferred hold corrupt; do
	same "queue_depth of $queue" \
		"$(awk -F, -v n=$column 'NR > 1 {
			printf "%d %d\n", $n, $1 + 1767571200 }' \
			"$dir/series.csv" | cksum)" \
		"$(sed -n "s/^postfix_showq_queue_depth{queue=\"$queue\"} //p" \
			"$om" | cksum)"
	column=$((column + 1))
done

# The last number of a series.
last() { grep -F "$1 " "$om" | awk 'END { print $(NF - 1) }'; }
# Lines of the log.
lines() { grep -c "$1" "$log"; }

# name, what an exporter counts for it in the log
counted() {
	same "$1 and the log" "$(lines "$2")" "$(last "$1")"
}
for status in sent deferred bounced; do
	counted "postfix_smtp_messages_processed_total{status=\"$status\"}" \
		"postfix/smtp\[.* status=$status "
done
counted postfix_smtp_status_deferred 'postfix/smtp\[.* status=deferred '
counted postfix_cleanup_messages_processed_total 'cleanup\[.*: message-id=<'
counted postfix_qmgr_messages_removed_total 'qmgr\[.*: removed$'
counted postfix_qmgr_messages_expired_total \
	'qmgr\[.* status=\(force-\)\{0,1\}expired, returned'
counted postfix_bounce_non_delivery_notification_total \
	': sender non-delivery notification: '
for name in receipients recipients size_bytes; do
	counted postfix_qmgr_messages_inserted_${name}_count \
		'(queue active)$'
done
inserted=$(sed -n 's/.*, size=\([0-9]*\), nrcpt=\([0-9]*\) (queue active)$/\1 \2/p' \
	"$log")
same "sum of sizes" "$(echo "$inserted" | awk '{ n += $1 } END { print n }')" \
	"$(last postfix_qmgr_messages_inserted_size_bytes_sum)"
same "sum of recipients" \
	"$(echo "$inserted" | awk '{ n += $2 } END { print n }')" \
	"$(last postfix_qmgr_messages_inserted_recipients_sum)"
# The log rounds to two digits or to 10 ms, so what is near to a bound may be on
# its other side there: bounds that no delay here comes near to.
for stage in before_queue_manager:1 queue_manager:2 connection_setup:3 \
	transmission:4; do
	n=${stage#*:} stage=${stage%:*}
	same "$stage, number" "$(lines 'postfix/smtp\[.* status=')" \
		"$(last "postfix_smtp_delivery_delay_seconds_count{stage=\"$stage\"}")"
	same "$stage, up to 3600 s" \
		"$(sed -n 's|.*postfix/smtp\[.* delays=\([0-9./]*\),.*|\1|p' \
			"$log" | awk -F/ -v n="$n" '$n <= 3600 { k++ }
				END { print k + 0 }')" \
		"$(last "postfix_smtp_delivery_delay_seconds_bucket{stage=\"$stage\",le=\"3600.0\"}")"
done
# What waits at the end, as postqueue has it.
"$program" postqueue -j "$dir" --at 3h >"$scratch/waits"
same "message_size_bytes of deferred" \
	"$(sed -n 's/.*"deferred".*"message_size": \([0-9]*\).*/\1/p' \
		"$scratch/waits" | awk '{ n += $1 } END { print n }')" \
	"$(last 'postfix_showq_message_size_bytes_sum{queue="deferred"}')"
same "message_age_seconds of deferred, up to 1000 s" \
	"$(sed -n 's/.*"deferred".*"arrival_time": \([0-9]*\).*/\1/p' \
		"$scratch/waits" |
		awk '1767571200 + 10800 - $1 <= 1000 { n++ } END { print n }')" \
	"$(last 'postfix_showq_message_age_seconds_bucket{queue="deferred",le="1000.0"}')"
same "it ends as it should" "# EOF" "$(tail -n 1 "$om")"
same "no series comes twice, times rise" "" "$(awk '
	/^#/ { next }
	{ sub(/ [^ ]+ [^ ]+$/, " &"); name = $1 }
	name != before && !/_(bucket|sum|count)/ && name in seen
	!/_(bucket|sum|count)/ && name == before && $NF <= at
	{ seen[name] = 1; before = name; at = $NF }' "$om" | head -n 3)"

if promtool=$(tool promtool prometheus usr/bin/promtool); then
	same "promtool check metrics" "" "$("$promtool" check metrics <"$om" 2>&1)"
	"$promtool" tsdb create-blocks-from openmetrics "$om" "$scratch/tsdb" \
		>/dev/null
	same "samples in the blocks" "$(grep -vc '^#' "$om")" \
		"$("$promtool" tsdb list "$scratch/tsdb" |
			awk 'NR > 1 { n += $5 } END { print n }')"
else
	missing
fi

# The strict reading of OpenMetrics. That parser takes a distribution of a later
# time for a repetition, so it is given one time of each: the last.
python=
for p in python3 /usr/bin/python3; do
	[ -n "$python" ] || ! $p -c 'import prometheus_client' 2>/dev/null ||
		python=$p
done
if [ -n "$python" ]; then
	awk '/^#/ || $NF == 1767571200 + 10800' "$om" >"$scratch/last.om"
	same "families, by python3-prometheus-client" "13" "$($python -c '
import sys
from prometheus_client.openmetrics.parser import text_fd_to_metric_families
print(len(list(text_fd_to_metric_families(open(sys.argv[1])))))
' "$scratch/last.om" 2>&1 | tail -n 1)"
else
	echo "$suite: skipped, no python3-prometheus-client here" >&2
	missing
fi
finish
