#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# completion.sh MTASIM bash|zsh|fish: completion of commands and options, from
# what the program's own help says.
set -eu
export LC_ALL=C
program=$1
shell=$2

# A program that cannot run, as one for another machine, ends this.
help=$("$program" --help)

commands() {
	printf '%s\n' "$help" |
		sed -n 's/^  \([a-z][a-z]*\)  *\([^ ].*\)$/\1	\2/p' |
		grep -v '^mtasim	'
}

# Long options that a command's help names, each once.
options() {
	{ "$program" "$1" --help </dev/null; echo --help; } |
		grep -oE -e '--[a-z]+' | sort -u
}

words() { tr '\n' ' ' | sed 's/ $//'; }

case $shell in
bash)
	cat <<-'HEAD'
		# bash completion of mtasim; made from its help
		_mtasim() {
			local word=${COMP_WORDS[COMP_CWORD]}
			local options=
			COMPREPLY=()
			if [ "$COMP_CWORD" -eq 1 ]; then
	HEAD
	printf '\t\tmapfile -t COMPREPLY < <(compgen -W "%s --help --version"' \
		"$(commands | cut -f 1 | words)"
	# shellcheck disable=SC2016 # for the other shell
	printf ' -- "$word")\n\t\treturn\n\tfi\n'
	# shellcheck disable=SC2016
	printf '\tcase ${COMP_WORDS[1]} in\n'
	commands | cut -f 1 | while read -r name; do
		printf '\t%s) options="%s" ;;\n' "$name" \
			"$(options "$name" | words)"
	done
	cat <<-'TAIL'
			esac
			if [[ $word == -* ]]; then
				mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
			else
				compopt -o filenames 2>/dev/null
				mapfile -t COMPREPLY < <(compgen -f -- "$word")
			fi
		}
		complete -F _mtasim mtasim
	TAIL
	;;
zsh)
	echo '#compdef mtasim'
	echo '# zsh completion of mtasim; made from its help'
	echo 'local -a commands options'
	echo 'commands=('
	commands | while IFS='	' read -r name line; do
		printf "\t'%s:%s'\n" "$name" "$(echo "$line" | sed "s/'/'\\\\''/g")"
	done
	echo ')'
	# shellcheck disable=SC2016
	printf 'if ((CURRENT == 2)); then\n\t_describe command commands\n\treturn\nfi\n'
	# shellcheck disable=SC2016
	echo 'case $words[2] in'
	commands | cut -f 1 | while read -r name; do
		printf '%s) options=(%s) ;;\n' "$name" "$(options "$name" | words)"
	done
	# shellcheck disable=SC2016
	printf 'esac\nif [[ $PREFIX == -* ]]; then\n\tcompadd -- $options\nelse\n\t_files\nfi\n'
	;;
fish)
	echo '# fish completion of mtasim; made from its help'
	commands | while IFS='	' read -r name line; do
		printf "complete -c mtasim -n __fish_use_subcommand -a %s -d '%s'\n" \
			"$name" "$(echo "$line" | sed "s/'/\\\\'/g")"
		options "$name" | sed 's/^--//' | while read -r option; do
			printf "complete -c mtasim -n '__fish_seen_subcommand_from %s' -l %s\n" \
				"$name" "$option"
		done
	done
	;;
*)
	echo "completion.sh: unknown shell '$shell'; bash, zsh, fish" >&2
	exit 2
	;;
esac
