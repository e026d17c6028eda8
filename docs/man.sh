#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# man.sh MTASIM 1|5: the man pages, from what the program says of itself
# (mtasim.1) and from the reference tables of docs/scenario.md, which are made
# from the table of keys (mtasim-scenario.5).
set -eu
export LC_ALL=C
program=$1
section=$2
here=${0%/*}

# Text as roff: backslashes, and lines that would be requests.
roff() { sed -e 's/\\/\\e/g' -e "s/^\([.']\)/\\\\\&\1/" -e 's/-/\\-/g'; }

# A block that keeps its lines.
block() {
	echo .nf
	roff
	echo .fi
}

# A program that cannot run, as one for another machine, ends this.
help=$("$program" --help)

# The commands, as --help lists them: a name and a line.
commands() {
	printf '%s\n' "$help" |
		sed -n 's/^  \([a-z][a-z]*\)  *\([^ ].*\)$/\1	\2/p' |
		grep -v '^mtasim	'
}

page_1() {
	echo '.TH MTASIM 1 "" "mtasim" "User Commands"'
	echo '.SH NAME'
	echo 'mtasim \- discrete\-event simulator of mail\-queue behaviour'
	echo '.SH SYNOPSIS'
	echo '.B mtasim'
	echo '.I COMMAND'
	printf '%s\n' '[\fIOPTION\fR]... [\fIARGUMENT\fR]...'
	echo '.SH COMMANDS'
	commands | while IFS='	' read -r name line; do
		echo '.TP'
		echo ".B $name"
		echo "$line" | roff
	done
	commands | while IFS='	' read -r name line; do
		text=$("$program" "$name" --help </dev/null)
		echo ".SH MTASIM $name" | tr '[:lower:]' '[:upper:]'
		printf '%s\n' "$text" | block
	done
	cat <<-'ROFF'
		.SH ENVIRONMENT
		.TP
		.B MTASIM_DATA
		The folder that has
		.I scenarios
		and
		.IR plots ,
		looked in before the installed one.
		.TP
		.B NO_COLOR
		Set and not empty: no colours on a terminal.
		.TP
		.B TMPDIR
		Where pictures for the terminal are drawn.
		.SH SEE ALSO
		.BR mtasim\-scenario (5)
	ROFF
}

page_5() {
	echo '.TH MTASIM-SCENARIO 5 "" "mtasim" "File Formats"'
	echo '.SH NAME'
	echo 'mtasim\-scenario \- scenario file of mtasim'
	echo '.SH DESCRIPTION'
	echo 'A scenario is a YAML file. These are its keys, map by map: what'
	echo 'a key takes, its default in brackets, and what it means.'
	# Sections that hold a table of keys, and nothing else.
	awk -F ' *[|] *' '
		function plain(s) {
			gsub(/`/, "", s); gsub(/\\/, "\\e", s)
			gsub(/-/, "\\-", s); return s
		}
		/^### / { title = substr($0, 5); next }
		/^[|] key [|] value [|] default [|] meaning [|]/ {
			print ".SH " toupper(plain(title)); next
		}
		/^[|]---/ { next }
		/^[|] `/ && title != "" && NF >= 6 {
			print ".TP"
			print ".B " plain($2)
			print plain($3) ($4 == "" ? "" : " [" plain($4) "]") "."
			print plain($5)
		}' "$here/scenario.md"
	echo '.SH SEE ALSO'
	echo '.BR mtasim (1)'
}

case $section in
1) page_1 ;;
5) page_5 ;;
*)
	echo "man.sh: section '$section' is neither 1 nor 5" >&2
	exit 2
	;;
esac
