# SPDX-License-Identifier: GPL-3.0-or-later
#
# Flow control: how fast mail is offered and accepted, the tokens that
# acceptance must take, and the incoming queue that they keep short.
# Table: time_s,incoming,tokens,submitted,accepted; a row has either levels, or
# rates per second over bins of bin_s seconds.

what_shown = 'Acceptance, flow tokens and the incoming queue'
if (!text) { run_name = run_name . ', rates over ' . bin_text }
eval head

# Steps hold from the start of a bin.
bin_start(x) = t(column('time_s') - bin_s / 2.0)
panel_height = (height - head_pixels - 74 - 2 * 26) / 3.0
panel_top(i) = height - head_pixels - (i - 1) * (panel_height + 26)
key_y(i) = up(panel_top(i) + 2)
layout = "set tmargin at screen up(panel_top(i)); " . \
	"set bmargin at screen up(panel_top(i) - panel_height); " . \
	"set key at screen 1 - across(148), screen key_y(i)"
text_layout = "set size 1, 0.5; set origin 0, i == 1 ? 0.5 : 0"

set multiplot
eval mark_lines
i = 1
if (text) { eval text_layout } else { eval layout; eval mark_names }
set xlabel ''
side_name = 'mail per ' . rate_unit
eval side
set yrange [0:rate_most > 0 ? rate_most * rate_mul * 1.08 : 1]
if (rate_most * rate_mul < 6) { set ytics 1 }
if (!text) { set format x '' }
plot data using (bin_start(0)):(column('submitted') * rate_mul) \
	with steps lw 2 dashtype (4, 3) lc rgb vermilion \
	title 'submitted' . (text ? '/' . rate_unit : ''), \
	data using (bin_start(0)):(column('accepted') * rate_mul) \
	with steps lw 2 lc rgb blue title 'accepted'

eval unmark_names
if (tokens_most < 6) { set ytics 1 } else { set ytics autofreq }
unset title
unset label 9001
unset label 9002
set yrange [0:tokens_most > 0 ? tokens_most * 1.08 : 1]
i = 2
if (text) {
	# No room for three: tokens on the left axis, incoming on the right.
	eval text_layout
	set y2range [0:incoming_most > 0 ? incoming_most * 1.08 : 1]
	set y2tics
	set xlabel time_unit
	plot data using (t(column('time_s'))):'tokens' with lines \
		title 'tokens (left)', \
		data using (t(column('time_s'))):'incoming' axes x1y2 \
		with lines title 'incoming (right)'
} else {
	eval layout
	side_name = 'tokens'
	eval side
	if (flow_is_off) {
		set label 1 'no flow control: in_flow_delay is 0' \
			at graph 0.5, graph 0.5 center textcolor rgb ink
	}
	plot data using (t(column('time_s'))):'tokens' with lines lw 1.5 \
		lc rgb green title 'flow tokens'
	unset label 1

	i = 3
	eval layout
	set format x '%g'
	set xlabel 'time since the start (' . time_unit . ')' textcolor rgb ink
	if (incoming_most < 6) { set ytics 1 } else { set ytics autofreq }
	side_name = 'messages' . in_unit(incoming_unit)
	eval side
	top = incoming_most > 0 ? incoming_most * 1.08 / incoming_div : 1
	set yrange [0:top]
	plot data using (t(column('time_s'))): \
		(column('incoming') / incoming_div) \
		with filledcurves y1=0 fillstyle solid 0.9 noborder \
		lc rgb orange title 'incoming'
}
unset multiplot
