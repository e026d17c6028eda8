# SPDX-License-Identifier: GPL-3.0-or-later
#
# This run over a recording of the same mail: a panel for each queue that held
# any, and one for deliveries.
# Table: recording,time_s,incoming,active,deferred,hold,maildrop,delivered;
# recording 0 is this run.

what_shown = 'This run and the recording'
if (recordings > 1) {
	what_shown = sprintf('This run and %d recordings', recordings)
}
eval head

panel_height = (height - head_pixels - 74 - (panels - 1) * 26) / (1.0 * panels)
panel_top(i) = height - head_pixels - (i - 1) * (panel_height + 26)
name_of(i) = value(sprintf('panel_%d', i))
most_of(i) = value(sprintf('panel_%d_most', i))
ours(name) = column('recording') == 0 ? column(name) : NaN
theirs(name) = column('recording') > 0 ? column(name) : NaN

set multiplot
do for [i = 1:panels] {
	if (text) {
		set size 1, 1.0 / panels
		set origin 0, 1 - i * 1.0 / panels
		if (i == panels) { set xlabel time_unit } else { set xlabel '' }
	} else {
		set tmargin at screen up(panel_top(i))
		set bmargin at screen up(panel_top(i) - panel_height)
		set key at screen 1 - across(148), screen up(panel_top(i) + 2)
		side_name = name_of(i)
		eval side
		if (i == panels) {
			set format x '%g'
			set xlabel 'time since the start (' . time_unit . ')' \
				textcolor rgb ink
		} else {
			set format x ''
			set xlabel ''
		}
	}
	if (i == 2) { unset title; unset label 9001; unset label 9002 }
	set yrange [0:most_of(i) * 1.08]
	plot data using (t(column('time_s'))):(theirs(name_of(i))) \
		with lines lw 3 lc rgb orange title \
		(text ? name_of(i) . ' recorded' : 'recorded'), \
		data using (t(column('time_s'))):(ours(name_of(i))) \
		with lines lw 1.3 lc rgb black title \
		(text ? name_of(i) . ' here' : 'this run')
}
unset multiplot
