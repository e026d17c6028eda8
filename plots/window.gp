# SPDX-License-Identifier: GPL-3.0-or-later
#
# The concurrency window of a few destinations and the deliveries under way,
# one panel each: those that kept most agents busy, and those that died.
# A panel is hatched while its destination is dead.
# Table: panel,time_s,window,busy,dead. A row holds until the next.

what_shown = 'Window and deliveries under way'
if (destinations > panels && !text) {
	run_name = run_name . sprintf(', %d of %d destinations', \
		panels, destinations)
}
eval head
rows = panels > 4 ? 3 : panels > 2 ? 2 : panels
cols = panels > 2 ? 2 : 1
if (text) { rows = panels; cols = 1 }

name_of(i) = value(sprintf('panel_%d', i))
most_of(i) = value(sprintf('panel_%d_most', i))
of(i, name) = column('panel') == i ? column(name) : NaN

# Panels stand in a grid, in pixels from the top and the left.
left_edge = 76
gap = 64
key_width = 24
panel_width = (width - left_edge - key_width - (cols - 1) * gap) / (1.0 * cols)
panel_height = (height - head_pixels - 24 - 66 - (rows - 1) * 62) / (1.0 * rows)
column_of(i) = (i - 1) % cols
row_of(i) = (i - 1) / cols
x_of(i) = left_edge + column_of(i) * (panel_width + gap)
y_of(i) = height - head_pixels - 24 - row_of(i) * (panel_height + 62)
is_lowest(i) = i + cols > panels

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
			samplen 2.5 spacing 1.1 width 2 textcolor rgb ink
	} else {
		unset key
	}
	if (i == 2 || text) { unset label 9001; unset label 9002 }
	top = most_of(i) > 0 ? most_of(i) * 1.1 : 1
	set yrange [0:top]
	if (most_of(i) <= 5 && !text) { set ytics 1 } else { set ytics autofreq }
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
			fillcolor rgb sky title 'deliveries under way', \
			data using (t(column('time_s'))):(of(i, 'window')) \
			with steps lw 1.8 lc rgb black title 'window'
	}
}
unset multiplot
