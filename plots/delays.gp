# SPDX-License-Identifier: GPL-3.0-or-later
#
# How long delivery took, from arrival, by destination. Either curves: the
# share of all recipients that were delivered within the time that the axis
# says (table: curve,delay_s,share); or, where only percentiles are known, a bar
# from the median to the 99th (table: bar,p50,p90,p95,p99,bound). A bar with
# bound 1 is followed by >=: mail that was not finished could still move it.

what_shown = 'Time from arrival to delivery, by destination'
shown = curves > 0 ? curves : bars
if (!text) {
	run_name = run_name . (curves > 0 ? \
		'; a curve ends at the share that was delivered' : \
		', all recipients' . (any_bound ? \
		'; with >= unfinished mail could move it further' : ''))
}
if (destinations > shown && !text) {
	run_name = run_name . sprintf('; the %d busiest of %d destinations', \
		shown, destinations)
}
if (destinations == 0 && !text) {
	run_name = run_name . sprintf('; the %d busiest destinations', shown)
}
eval head

# People read 10 min, not 600 s.
set logscale x 10
# Where all are nearly the same the axis is long enough for some of its marks.
axis_from = 0.8 * delay_least
axis_to = (bars > 0 ? 2 : 1.25) * delay_most
axis_wider = axis_to < 10 * axis_from ? sqrt(10 * axis_from / axis_to) : 1
set xrange [axis_from / axis_wider:axis_to * axis_wider]
set xtics ('1 ms' 0.001, '10 ms' 0.01, '0.1 s' 0.1, '1 s' 1, '10 s' 10, \
	'1 min' 60, '10 min' 600, '1 h' 3600, '6 h' 21600, '1 d' 86400, \
	'5 d' 432000)
if (delay_most < 30 * delay_least) {
	set xtics add ('2 ms' 0.002, '5 ms' 0.005, '20 ms' 0.02, \
		'50 ms' 0.05, '0.2 s' 0.2, '0.5 s' 0.5, '2 s' 2, '5 s' 5, \
		'20 s' 20, '30 s' 30, '2 min' 120, '5 min' 300, \
		'20 min' 1200, '30 min' 1800, '2 h' 7200, '12 h' 43200)
}
set xlabel 'time from arrival to delivery (logarithmic)' textcolor rgb ink

colour_of(i) = i == 1 ? black : i == 2 ? blue : i == 3 ? vermilion : \
	i == 4 ? green : i == 5 ? purple : orange
style_of(i) = i
set dashtype 1 solid
set dashtype 2 (12, 5)
set dashtype 3 (3, 4)
set dashtype 4 (14, 4, 3, 4)
set dashtype 5 (7, 4)
set dashtype 6 (20, 4, 3, 4, 3, 4)
curve_name(i) = short(value(sprintf('curve_%d', i)), 22)
curve_text(i) = value(sprintf('curve_%d_text', i))
bar_name(i) = short(value(sprintf('bar_%d', i)), text ? 24 : letters(296))
of(i, name) = column('curve') == i ? column(name) : NaN

if (curves > 0) {
	set yrange [0:1]
	set ytics 0.1
	side_name = 'share of all recipients delivered within that time'
	eval side
	if (text) {
		set key bottom right
		set ytics 0.25
		plot for [i = 1:curves] data using (of(i, 'delay_s')): \
			(of(i, 'share')) with steps title curve_name(i)
	} else {
		# The key stands below, two columns of three. gnuplot takes letters
		# for wider than they are, and drops what it has no room for then.
		longest = 0
		do for [i = 1:curves] {
			n = strlen(curve_name(i) . ':  ' . curve_text(i))
			longest = n > longest ? n : longest
		}
		fits = terminal eq 'svg' ? 43 : 45
		set bmargin at screen up(168)
		set rmargin at screen 1 - across(36)
		set key at screen across(100), screen up(98) left top \
			Left reverse maxrows 3 horizontal samplen 4 \
			width (longest > fits ? fits - longest : 1) \
			spacing 1.2 textcolor rgb ink
		plot for [i = 1:curves] data using (of(i, 'delay_s')): \
			(of(i, 'share')) with steps lw 2 dashtype i \
			lc rgb colour_of(i) \
			title curve_name(i) . ':  ' . curve_text(i)
	}
} else {
	set yrange [bars + 0.6:0.4]
	unset ytics
	set ytics ('' 0)
	do for [i = 1:bars] { set ytics add (bar_name(i) i) }
	if (text) {
		plot data using 'p50':'bar' title 'p50' pt 1, \
			data using 'p95':'bar' title 'p95' pt 2, \
			data using 'p99':'bar' title 'p99' pt 4
	} else {
		set border 1
		set ytics scale 0
		set grid noytics
		set lmargin at screen across(330)
		plot data using 'p50':'bar':(column('p99') - column('p50')): \
			(0) with vectors nohead lw 1.5 lc rgb grey notitle, \
			data using 'p50':'bar' with points pt 7 ps 1.7 \
			lc rgb blue title 'p50', \
			data using 'p90':'bar' with points pt 4 ps 1.5 \
			lc rgb ink title 'p90', \
			data using 'p95':'bar' with points pt 9 ps 1.8 \
			lc rgb vermilion title 'p95', \
			data using 'p99':'bar' with points pt 2 ps 1.5 \
			lc rgb black title 'p99', \
			data using 'p99':'bar': \
			(column('bound') > 0 ? '>=' : '') with labels left \
			offset 1, 0 textcolor rgb ink notitle
	}
}
