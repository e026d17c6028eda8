/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * M-REAL: logarithm, exponential and their kin in plain IEEE arithmetic. The C
 * library's differ in the last bit between machines, because it picks other
 * instructions where it finds them; what a draw goes through may not. Only
 * + - * / and sqrt, which IEEE 754 rounds exactly, are used, so bits are equal
 * for every compiler that does not contract (-ffp-contract=off).
 *
 * Relative error below 1e-15 in the range that draws need.
 */
#ifndef MODEL_REAL_H
#define MODEL_REAL_H

/* Natural logarithm of x > 0, finite and not subnormal. */
double real_log(double x);

/* e^x; 0 below -708, INFINITY above 709. */
double real_exp(double x);

/* x^y for x > 0; 0 or INFINITY where it leaves the range. */
double real_power(double x, double y);

/* The standard normal value that a share p, 0 < p < 1, lies below. */
double real_normal_quantile(double p);

#endif
