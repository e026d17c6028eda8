#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# terminal.sh MTASIM: terminal.py, where there is a python3 to run it.
set -eu
program=$1
here=${0%/*}
suite=terminal
# shellcheck source=tests/forms/lib.sh
. "$here/lib.sh"
if python=$(tool python3 python3 usr/bin/python3); then
	"$python" "$here/terminal.py" "$program"
else
	missing
	finish
fi
