# SPDX-License-Identifier: GPL-3.0-or-later
#
# Makes docs/trace.md from src/mta/trace.def: each kind of record with its
# fields, types and meaning. Run by `make docs`.

# The n-th argument of a macro call; quoted text may hold commas.
function argument(text, n,    rest, value) {
	rest = text
	sub(/^[A-Z_]*\(/, "", rest)
	sub(/\)[ \t]*$/, "", rest)
	while (n-- > 0) {
		sub(/^[ \t]+/, "", rest)
		if (rest ~ /^"/) {
			value = ""
			while (match(rest, /^"[^"]*"[ \t]*/)) {
				value = value substr(rest, 2, index(substr(rest, 2), "\"") - 1)
				rest = substr(rest, RLENGTH + 1)
			}
		} else {
			match(rest, /^[^,]*/)
			value = substr(rest, 1, RLENGTH)
			rest = substr(rest, RLENGTH + 1)
		}
		sub(/^,/, "", rest)
	}
	return value
}

BEGIN {
	print "# The trace"
	print ""
	print "Made from `src/mta/trace.def` by `make docs`; do not edit."
	print ""
	print "Everything that is counted, tabulated, drawn or checked is a fold over"
	print "these records. Times are microseconds since the start of the scenario."
}
/^[ \t]*(\/\*|\*|#)/ { next }
{ call = call $0 }
# A call ends where its parentheses do; no text in the table holds them alone.
call ~ /^TRACE_[A-Z]+\(/ && gsub(/\(/, "(", call) == gsub(/\)/, ")", call) {
	if (call ~ /^TRACE_KIND/) {
		printf "\n## %s\n\n%s.\n\n", argument(call, 1), argument(call, 3)
		print "| field | type | meaning |"
		print "|---|---|---|"
	} else if (call ~ /^TRACE_FIELD/) {
		printf "| %s | `%s` | %s |\n", argument(call, 2),
			argument(call, 1), argument(call, 3)
	} else if (call !~ /^TRACE_END/) {
		print "trace.awk: unknown: " call >"/dev/stderr"
		exit 1
	}
	call = ""
}
call !~ /^TRACE_/ { call = "" }
