# SPDX-License-Identifier: GPL-3.0-or-later
#
# What all pictures share: the terminal, the look, the head, the time axis and
# the marks of events. It expects these to be set: picture, terminal, run_name,
# and where there is a time axis time_unit, time_div, time_step, time_from,
# time_to; with events: events, event_rows, event_N_at, event_N_text,
# event_N_row, event_N_left. The settings of a run say them, and `-e` may say
# them before: width, height, output_file.
#
# Meant to be told apart without colour too: what is in one picture differs in
# line style, in fill, or in lightness. Colours are those of Okabe and Ito.

set encoding utf8
set datafile separator comma
set datafile missing ''

# The folder of this script, so that it runs from anywhere.
folder = ''
if (exists('ARG0')) {
	cut = strlen(ARG0)
	while (cut > 0 && ARG0[cut:cut] ne '/') { cut = cut - 1 }
	folder = ARG0[1:cut]
}
data = folder . picture . '.csv'

if (!exists('width')) width = 1200
if (!exists('height')) height = 700
if (!exists('text_columns')) text_columns = 79
if (!exists('text_lines')) text_lines = 24
text = terminal eq 'dumb'
if (text) {
	set terminal dumb size text_columns, text_lines noenhanced
} else {
	if (terminal eq 'svg') {
		set terminal svg size width, height font 'Sans,15' noenhanced \
			linewidth 1.2 background rgb 'white'
	}
	if (terminal eq 'gif') {
		set terminal gif size width, height font 'Sans,11' noenhanced \
			linewidth 2
	}
	if (terminal eq 'png') {
		set terminal pngcairo size width, height font 'Sans,12' \
			noenhanced linewidth 1.4 background rgb 'white'
	}
	if (!exists('output_file')) { output_file = picture . '.' . terminal }
}
if (exists('output_file')) { set output folder . output_file }

blue = '#0072B2'
orange = '#E69F00'
green = '#009E73'
vermilion = '#D55E00'
sky = '#56B4E9'
yellow = '#F0E442'
purple = '#CC79A7'
black = '#000000'
ink = '#404040'
grey = '#999999'
pale = '#DDDDDD'

# Heights in pixels are made shares of the picture.
up(pixels) = pixels / (1.0 * height)
across(pixels) = pixels / (1.0 * width)

if (!exists('events')) events = 0
if (!exists('event_rows')) event_rows = 0
event_pixels = 19
head_pixels = 76 + (event_rows > 0 ? event_rows * event_pixels : 0)

set style line 101 lc rgb ink lw 0.8
set style line 102 lc rgb pale lw 0.6
if (text) {
	unset grid
	set tics nomirror
} else {
	set border 3 ls 101
	set tics out nomirror textcolor rgb ink
	set grid back ls 102
	set bmargin at screen up(74)
	set tmargin at screen 1 - up(head_pixels)
	set lmargin at screen across(100)
	set rmargin at screen 1 - across(160)
	set key at screen 1 - across(148), screen 1 - up(head_pixels) \
		left top Left reverse samplen 2 spacing 1.35 textcolor rgb ink
}

# A name that is too long loses its middle: what it begins and what it ends with
# tells most.
short(s, n) = strlen(s) <= n ? s : s[1:(n - 2) / 2] . '...' . \
	s[strlen(s) - (n - 3) / 2 + 1:strlen(s)]
# So many letters fit in so many pixels.
letters(pixels) = int(pixels / 8.4)

# Head: what is shown, and of which run. A script sets what_shown and calls
# this with `eval`.
what_shown = picture
text_head = ''
run_pixels = width - 48
head = "text_head = run_name . ': ' . what_shown; " . \
	"if (text) { set title text_head[1:text_columns - 8] } else { " . \
	"set label 9001 what_shown at screen across(24), " . \
	"screen 1 - up(24) font ',17'; " . \
	"set label 9002 short(run_name, letters(run_pixels)) " . \
	"at screen across(24), " . \
	"screen 1 - up(48) textcolor rgb ink }"

# The time axis.
if (exists('time_div')) {
	t(x) = x / (1.0 * time_div)
	set xrange [time_from:time_to]
	set format x '%g'
	if (text) {
		set xlabel time_unit
	} else {
		set xtics time_step
		set xlabel 'time since the start (' . time_unit . ')' \
			textcolor rgb ink
	}
} else {
	t(x) = x
}

# The name of the y axis at a fixed place: gnuplot's own moves with the width
# of the numbers, out of the picture if need be. A script sets side_name.
side_name = ''
side = "if (!text) { set label 9003 side_name at screen across(24), " . \
	"graph 0.5 center rotate by 90 textcolor rgb ink }"

# Marks of events in all panels; their names stand above the topmost.
event_y(i) = 1 - up(head_pixels) + \
	up(12 + event_pixels * value(sprintf('event_%d_row', i)))
event_x(i) = t(value(sprintf('event_%d_at', i)))
event_text(i) = value(sprintf('event_%d_text', i))
event_ends(i) = value(sprintf('event_%d_left', i))
mark_lines = "do for [i = 1:(text ? 0 : events)] { " . \
	"set arrow 9000 + i from first event_x(i), graph 0 " . \
	"to first event_x(i), graph 1 nohead front " . \
	"lc rgb ink lw 1 dashtype (6, 4) }"
mark_names = "do for [i = 1:(text ? 0 : events)] { " . \
	"set arrow 9100 + i from first event_x(i), graph 1 " . \
	"to first event_x(i), screen event_y(i) nohead front " . \
	"lc rgb ink lw 1 dashtype (6, 4); " . \
	"if (event_ends(i)) { " . \
	"set label 9100 + i event_text(i) right front at first event_x(i), " . \
	"screen event_y(i) offset -0.5, 0 textcolor rgb ink } else { " . \
	"set label 9100 + i event_text(i) left front at first event_x(i), " . \
	"screen event_y(i) offset 0.5, 0 textcolor rgb ink } }"
unmark_names = "do for [i = 1:events] { " . \
	"unset arrow 9100 + i; unset label 9100 + i }"
in_unit(unit) = unit eq '' ? '' : ' (' . unit . ')'
