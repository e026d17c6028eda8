# SPDX-License-Identifier: GPL-3.0-or-later
#
# Who holds the deliveries of a transport while a large mail is handed out: how
# many it has, and how many the mails that go before it; each of these by name,
# from its admission to active on; and the credit of the large one, which earns 1
# with a delivery and is charged slot_cost for each delivery that goes before.
# Table: part,row,time_s,end_s,large,ahead,other,credit; part level has large,
# ahead and other, part wait and held a stretch of time of a row, credit credit.

what_shown = 'Who has the deliveries of ' . transport . ', job by job'
if (!text) {
	run_name = run_name . sprintf(': %s before %s is done', \
		ahead == 1 ? 'one mail goes' : \
		sprintf('%d mails go', ahead), row_0[1:strstrt(row_0, ' (') - 1])
	if (rows < ahead) { run_name = run_name . sprintf(', the first %d', rows) }
}
eval head

of(name, kind) = strcol('part') eq kind ? column(name) : NaN
begins(kind) = t(of('time_s', kind))
row_name(i) = value(sprintf('row_%d', i))
top = level_most > 0 ? level_most * 1.05 : 1
reach = credit_most - credit_least
# 1, 2 or 5 times a power of ten
power(x) = 10.0 ** floor(log10(x))
round_step(x) = x <= 1 ? 1 : x <= 2 * power(x) ? 2 * power(x) : \
	x <= 5 * power(x) ? 5 * power(x) : 10 * power(x)

# Panels from the top: numbers, mails, credit.
heights = height - head_pixels - 74 - 2 * 30
share_of(i) = i == 1 ? 0.26 : i == 2 ? 0.46 : 0.28
above(i) = i == 1 ? 0 : i == 2 ? share_of(1) : share_of(1) + share_of(2)
panel_top(i) = height - head_pixels - heights * above(i) - 30 * (i - 1)
layout = "set tmargin at screen up(panel_top(i)); " . \
	"set bmargin at screen up(panel_top(i) - heights * share_of(i)); " . \
	"set lmargin at screen across(190); " . \
	"set key at screen 1 - across(148), screen up(panel_top(i) + 2)"

set multiplot
set yrange [0:top]
if (text) {
	set ytics round_step(level_most / 4.0)
	set size 1, credit_is_known ? 0.5 : 1
	set origin 0, credit_is_known ? 0.5 : 0
	set key outside bottom center horizontal
	set xlabel ''
	plot data using (begins('level')):(column('large')) \
		with steps title short(row_name(0), 30), \
		data using (begins('level')):(column('ahead')) \
		with steps title 'ahead of it'
} else {
	i = 1
	eval layout
	set xlabel ''
	set format x ''
	set ytics round_step(level_most / 4.0)
	side_name = 'deliveries'
	eval side
	plot data using (begins('level')): \
		(any_other ? column('large') + column('ahead') + \
		column('other') : NaN) with fillsteps fillstyle pattern 5 \
		noborder fillcolor rgb grey title (any_other ? 'other mail' : ''), \
		data using (begins('level')): \
		(column('large') + column('ahead')) with fillsteps \
		fillstyle solid noborder fillcolor rgb vermilion \
		title 'ahead of it', \
		data using (begins('level')):(column('large')) \
		with fillsteps fillstyle solid noborder fillcolor rgb sky \
		title 'large mail'

	i = 2
	eval layout
	unset title
	unset label 9001
	unset label 9002
	unset label 9003
	set label 1 'mail (its deliveries)' at screen across(24), \
		graph 0.5 center rotate by 90 textcolor rgb ink
	set yrange [rows + 0.7:-0.7]
	set ytics ('' 0) scale 0
	do for [k = 0:rows] { set ytics add (short(row_name(k), 19) k) }
	row_of(kind, high) = of('row', kind) + high
	large(x) = column('row') == 0 ? x : NaN
	small(x) = column('row') > 0 ? x : NaN
	plot data using (begins('wait')):(row_of('wait', 0)): \
		(t(column('end_s')) - t(column('time_s'))):(0) \
		with vectors nohead lw 2 dashtype (3, 3) lc rgb ink \
		title 'waits', \
		data using (small(begins('held'))):(row_of('held', 0)): \
		(begins('held')):(t(column('end_s'))): \
		(row_of('held', -0.36)):(row_of('held', 0.36)) \
		with boxxyerror fillstyle solid border rgb ink lw 0.5 \
		fillcolor rgb vermilion title 'delivered', \
		data using (large(begins('held'))):(row_of('held', 0)): \
		(begins('held')):(t(column('end_s'))): \
		(row_of('held', -0.36)):(row_of('held', 0.36)) \
		with boxxyerror fillstyle solid border rgb ink lw 0.5 \
		fillcolor rgb sky notitle
	unset label 1
	unset ytics
	set ytics out nomirror textcolor rgb ink autofreq
}

i = 3
if (text) {
	if (credit_is_known) {
		set origin 0, 0
		set xlabel time_unit
		set yrange [credit_least - 1:credit_most + 1]
		set ytics round_step(reach / 3)
		plot data using (begins('credit')):(column('credit')) \
			with steps title 'credit of ' . short(row_name(0), 30), 0 notitle
	}
} else {
	eval layout
	set format x '%g'
	set xlabel 'time since the start (' . time_unit . ')' textcolor rgb ink
	side_name = 'credit'
	eval side
	set ytics round_step(reach / 5)
	set yrange [credit_least - 0.08 * reach:credit_most + 0.08 * reach]
	if (credit_is_known) {
		set xzeroaxis lc rgb black lw 1
		plot data using (begins('credit')): \
			(column('credit') > 0 ? column('credit') : 0) \
			with fillsteps fillstyle solid noborder \
			fillcolor rgb sky title 'earned', \
			data using (begins('credit')): \
			(column('credit') < 0 ? column('credit') : 0) \
			with fillsteps fillstyle pattern 4 noborder \
			fillcolor rgb vermilion title 'on loan', \
			data using (begins('credit')):(column('credit')) \
			with steps lw 1.5 lc rgb black title 'credit'
	} else {
		unset ytics
		set yrange [0:1]
		set label 2 'credit not known: some of them passed while ' . \
			'no destination of the large mail had room' \
			at graph 0.5, graph 0.5 center textcolor rgb ink
		plot NaN notitle
	}
}
unset multiplot
