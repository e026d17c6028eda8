# SPDX-License-Identifier: GPL-3.0-or-later
#
# The concurrency window of a few destinations and the deliveries under way,
# one panel each: those that kept most agents busy, and those that died.
# A panel is hatched while its destination is dead. A destination that is idle
# has no window. In a long run a row is a slice of time: the line is the mean
# of the window, the band its range, the area the mean of the deliveries and
# the thin line above it their peak. Windows are those of feedback.csv, each
# change, where it was written, else those of the samples.
# Table: panel,time_s,end_s,window,window_low,window_high,busy,busy_most,dead.

what_shown = 'Window and deliveries under way'
if (destinations > panels && !text) {
	run_name = run_name . sprintf(', %d of %d destinations', \
		panels, destinations)
}
if (destinations == 0 && !text) {
	run_name = run_name . sprintf(', %d of many destinations', panels)
}
run_pixels = any_dead || any_range ? 430 : 960
eval head
rows = panels > 4 ? 3 : panels > 2 ? 2 : panels
cols = panels > 2 ? 2 : 1
if (text) { rows = panels; cols = 1 }

# 1, 2 or 5 times a power of ten, 1 at least
power(x) = 10.0 ** floor(log10(x))
round_step(x) = x <= 1 ? 1 : x <= 2 * power(x) ? 2 * power(x) : \
	x <= 5 * power(x) ? 5 * power(x) : 10 * power(x)
name_of(i) = short(value(sprintf('panel_%d', i)), \
	text ? text_columns - 30 : letters(panel_width))
most_of(i) = value(sprintf('panel_%d_most', i))
of(i, name) = column('panel') == i ? column(name) : NaN

# Panels stand in a grid, in pixels from the top and the left.
left_edge = 84
gap = 64
key_width = 24
panel_width = (width - left_edge - key_width - (cols - 1) * gap) / (1.0 * cols)
panel_height = (height - head_pixels - 24 - 66 - (rows - 1) * 62) / (1.0 * rows)
column_of(i) = (i - 1) % cols
row_of(i) = (i - 1) / cols
x_of(i) = left_edge + column_of(i) * (panel_width + gap)
y_of(i) = height - head_pixels - 24 - row_of(i) * (panel_height + 62)
is_lowest(i) = i + cols > panels

# The name of the y axis, once for each row of panels.
panel_side = "if (!text) { set label 9003 side_name at screen across(16), " . \
	"graph 0.5 center rotate by 90 textcolor rgb ink }"

set ylabel ''
unset key
set multiplot
do for [i = 1:panels] {
	if (text) {
		set size 1, 1.0 / rows
		set origin 0, 1 - i * 1.0 / rows
		set title name_of(i) . '   * window  # busy'
		if (is_lowest(i)) { set xlabel time_unit } else { set xlabel '' }
	} else {
		set lmargin at screen across(x_of(i))
		set rmargin at screen across(x_of(i) + panel_width)
		set tmargin at screen up(y_of(i))
		set bmargin at screen up(y_of(i) - panel_height)
		set title name_of(i) offset 0, -0.6
		if (is_lowest(i)) {
			set xlabel 'time since the start (' . time_unit . ')' \
				offset 0, 0.4 textcolor rgb ink
		} else {
			set xlabel ''
		}
	}
	if (i == 1 && !text) {
		set key at screen 1 - across(key_width), screen 1 - up(14) \
			right top Left reverse vertical maxrows 2 \
			samplen 2 spacing 1.1 width 1 textcolor rgb ink
	} else {
		unset key
	}
	if (i == 2 || text) { unset label 9001; unset label 9002 }
	side_name = column_of(i) == 0 ? 'deliveries at a time' : ''
	eval panel_side
	top = most_of(i) > 0 ? most_of(i) * 1.1 : 1
	set yrange [0:top]
	set ytics round_step(top / 4)
	if (text) {
		plot data using (t(column('time_s'))):(of(i, 'busy')) \
			with steps lt 2 notitle, \
			data using (t(column('time_s'))):(of(i, 'window')) \
			with steps lt 1 notitle
	} else {
		plot data using (t(column('time_s'))):(of(i, 'dead') * top) \
			with fillsteps fillstyle pattern 5 noborder \
			fillcolor rgb grey title (any_dead ? 'dead' : ''), \
			data using (t(column('time_s'))):(of(i, 'busy')) \
			with fillsteps fillstyle solid noborder \
			fillcolor rgb sky title 'deliveries', \
			data using (t(column('time_s'))):(of(i, 'busy_most')) \
			with steps lw 0.7 lc rgb blue \
			title (any_range ? 'peak of deliveries' : ''), \
			data using (t(column('time_s'))): \
			(of(i, 'window_high')):(t(column('time_s'))): \
			(t(column('end_s'))):(of(i, 'window_low')): \
			(of(i, 'window_high')) with boxxyerror \
			fillstyle transparent solid 0.3 noborder \
			fillcolor rgb black \
			title (any_range ? 'range of window' : ''), \
			data using (t(column('time_s'))):(of(i, 'window')): \
			(t(column('end_s')) - t(column('time_s'))):(0) \
			with vectors nohead lw 2 lc rgb black title 'window'
	}
}
unset multiplot
