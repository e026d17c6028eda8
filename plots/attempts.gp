# SPDX-License-Identifier: GPL-3.0-or-later
#
# What became of attempts, as rates over bins of bin_s seconds, stacked:
# delivered, deferred, bounced, and recipients that expired.
# Table: time_s,delivered,deferrals,bounced,expired, per second.

what_shown = 'Attempts and what became of them'
if (!text) { run_name = run_name . ', each bar ' . bin_text }
eval head

rate(name) = column(name) * rate_mul
upto1(x) = rate('delivered')
upto2(x) = upto1(0) + rate('deferrals')
upto3(x) = upto2(0) + rate('bounced')
upto4(x) = upto3(0) + rate('expired')
bin = 1.0 * bin_s / time_div

side_name = 'recipients per ' . rate_unit
eval side
set yrange [0:rate_most > 0 ? rate_most * rate_mul * 1.03 : 1]
if (rate_most * rate_mul < 6) { set ytics 1 }
set boxwidth bin
eval mark_lines
eval mark_names
if (text) {
	set key outside bottom center horizontal
	plot data using (t(column('time_s'))):(upto1(0)) \
		with steps title 'delivered', \
		data using (t(column('time_s'))):(rate('deferrals')) \
		with steps title 'deferred', \
		data using (t(column('time_s'))):(rate('bounced')) \
		with steps title 'bounced'
} else {
	# The highest first; what is drawn later covers its lower part.
	plot data using (t(column('time_s'))):(any_expired ? upto4(0) : NaN) \
		with boxes fillstyle pattern 2 noborder fillcolor rgb ink \
		title (any_expired ? 'expired' : ''), \
		data using (t(column('time_s'))):(any_bounced ? upto3(0) : NaN) \
		with boxes fillstyle solid noborder fillcolor rgb black \
		title (any_bounced ? 'bounced' : ''), \
		data using (t(column('time_s'))):(any_deferred ? upto2(0) : NaN) \
		with boxes fillstyle pattern 4 noborder fillcolor rgb vermilion \
		title (any_deferred ? 'deferred' : ''), \
		data using (t(column('time_s'))):(upto1(0)) \
		with boxes fillstyle solid noborder fillcolor rgb sky \
		title 'delivered'
}
