# SPDX-License-Identifier: GPL-3.0-or-later
#
# Mail in each queue over time, stacked: the height of the whole is all mail
# that the system holds. Queues that stay empty are only named.
# Table: time_s,active,incoming,maildrop,deferred,hold,corrupt.

what_shown = 'Mail in the queues'
eval head

colour_of(q) = q eq 'active' ? blue : q eq 'incoming' ? orange : \
	q eq 'maildrop' ? yellow : q eq 'deferred' ? vermilion : \
	q eq 'hold' ? ink : black
# 3 is solid; the others differ in grey as well
fill_of(q) = q eq 'deferred' ? 4 : q eq 'hold' ? 2 : \
	q eq 'maildrop' ? 5 : 3
name_of(i) = value(sprintf('queue_%d', i))
level(i) = column(name_of(i)) / count_div
below(i) = i > 1 ? (sum [k = 1:i - 1] level(k)) : 0

side_name = 'messages' . in_unit(count_unit)
eval side
set yrange [0:count_most > 0 ? 1.03 * count_most / count_div : 1]
eval mark_lines
eval mark_names
if (queues_empty ne '' && !text) {
	set label 1 "always empty:" at screen 1 - across(140), \
		screen up(74 + 19 * words(queues_empty)) textcolor rgb grey
	do for [i = 1:words(queues_empty)] {
		set label 1 + i word(queues_empty, i) at \
			screen 1 - across(140), \
			screen up(74 + 19 * (words(queues_empty) - i)) \
			textcolor rgb grey
	}
}

if (text) {
	set key outside bottom center horizontal
	plot for [i = 1:queues] data \
		using (t(column('time_s'))):(level(i)) \
		with lines title name_of(i), \
		(queues > 0 ? NaN : 0) notitle
} else {
	if (queues > 0) {
		# The topmost first, so that the key has the order of the stack.
		plot for [i = queues:1:-1] data \
			using (t(column('time_s'))):(below(i)): \
			(below(i) + level(i)) with filledcurves \
			fillstyle pattern fill_of(name_of(i)) noborder \
			fillcolor rgb colour_of(name_of(i)) title name_of(i), \
			for [i = 1:queues] data \
			using (t(column('time_s'))):(below(i) + level(i)) \
			with lines lw 0.8 lc rgb black notitle
	} else {
		plot 0 with lines lc rgb ink title 'all queues empty'
	}
}
