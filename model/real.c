/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Elementary functions whose bits are ours. Stateless.
 *
 * log: x = 2^k m with m in [1/sqrt 2, sqrt 2); log m = 2 atanh((m-1)/(m+1)),
 *   whose series in z^2 <= 0.0295 is cut where a term is below 1e-17.
 * exp: x = k ln 2 + r with |r| <= ln 2 / 2; Taylor series of degree 13, then
 *   2^k put into the exponent.
 * normal quantile: the rational approximations of Wichura (algorithm AS 241,
 *   Applied Statistics 37, 1988, routine PPND16), good to about 1e-16.
 *
 * ln 2 is split in two parts, the first with 21 trailing zero bits, so that
 * k * LN2_HIGH is exact.
 */
#include "model/real.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define LN2_HIGH    6.93147180369123816490e-01 /* 0x3fe62e42fee00000 */
#define LN2_LOW	    1.90821492927058770002e-10
#define LN2_INVERSE 1.44269504088896338700
#define ROOT_HALF   0.70710678118654752440

static double
from_bits(uint64_t bits)
{
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

static uint64_t
to_bits(double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

double
real_log(double x)
{
	uint64_t bits = to_bits(x);
	int exponent = (int)(bits >> 52) - 1022;
	/* in [1/2, 1) */
	double m = from_bits((bits & UINT64_C(0x000fffffffffffff)) |
			     UINT64_C(0x3fe0000000000000));
	double k, z, w, w2, w4, sum;

	if (m < ROOT_HALF) {
		m += m;
		exponent--;
	}
	k = (double)exponent;
	z = (m - 1.0) / (m + 1.0);
	w = z * z;
	w2 = w * w;
	w4 = w2 * w2;
	/* 1/3 + w/5 + w^2/7 + ..., in pairs, so that sums do not wait for one
	 * another */
	sum = ((1.0 / 3 + w * (1.0 / 5)) + w2 * (1.0 / 7 + w * (1.0 / 9))) +
	      w4 * ((1.0 / 11 + w * (1.0 / 13)) +
		    w2 * (1.0 / 15 + w * (1.0 / 17))) +
	      w4 * w4 * (1.0 / 19 + w * (1.0 / 21));
	/* The small parts first. */
	sum = 2.0 * z * w * sum + k * LN2_LOW;
	return k * LN2_HIGH + (2.0 * z + sum);
}

double
real_exp(double x)
{
	double k, r, r2, r4, sum;
	int n;

	if (x > 709.0)
		return (double)INFINITY;
	if (x < -708.0)
		return 0.0;
	n = (int)(x * LN2_INVERSE + (x < 0 ? -0.5 : 0.5));
	k = (double)n;
	r = (x - k * LN2_HIGH) - k * LN2_LOW;
	r2 = r * r;
	r4 = r2 * r2;
	/* 1/2! + r/3! + r^2/4! + ... + r^11/13!, in pairs as above */
	sum = ((1.0 / 2 + r * (1.0 / 6)) + r2 * (1.0 / 24 + r * (1.0 / 120))) +
	      r4 * ((1.0 / 720 + r * (1.0 / 5040)) +
		    r2 * (1.0 / 40320 + r * (1.0 / 362880))) +
	      r4 * r4 *
		      ((1.0 / 3628800 + r * (1.0 / 39916800)) +
		       r2 * (1.0 / 479001600.0 + r * (1.0 / 6227020800.0)));
	sum = 1.0 + (r + r2 * sum);
	return sum * from_bits((uint64_t)(n + 1023) << 52);
}

double
real_power(double x, double y)
{
	return real_exp(y * real_log(x));
}

/* A polynomial of degree 7, coefficients from the highest. */
static double
polynomial(const double *c, double x)
{
	double x2 = x * x;

	return ((c[0] * x + c[1]) * x2 + (c[2] * x + c[3])) * (x2 * x2) +
	       ((c[4] * x + c[5]) * x2 + (c[6] * x + c[7]));
}

static double
ratio(const double *above, const double *below, double x)
{
	return polynomial(above, x) / polynomial(below, x);
}

static const double centre_above[8] = {
	2.5090809287301226727e3, 3.3430575583588128105e4,
	6.7265770927008700853e4, 4.5921953931549871457e4,
	1.3731693765509461125e4, 1.9715909503065514427e3,
	1.3314166789178437745e2, 3.3871328727963666080e0};
static const double centre_below[8] = {
	5.2264952788528545610e3, 2.8729085735721942674e4,
	3.9307895800092710610e4, 2.1213794301586595867e4,
	5.3941960214247511077e3, 6.8718700749205790830e2,
	4.2313330701600911252e1, 1.0};
static const double middle_above[8] = {
	7.74545014278341407640e-4, 2.27238449892691845833e-2,
	2.41780725177450611770e-1, 1.27045825245236838258e0,
	3.64784832476320460504e0,  5.76949722146069140550e0,
	4.63033784615654529590e0,  1.42343711074968357734e0};
static const double middle_below[8] = {
	1.05075007164441684324e-9, 5.47593808499534494600e-4,
	1.51986665636164571966e-2, 1.48103976427480074590e-1,
	6.89767334985100004550e-1, 1.67638483018380384940e0,
	2.05319162663775882187e0,  1.0};
static const double tail_above[8] = {
	2.01033439929228813265e-7, 2.71155556874348757815e-5,
	1.24266094738807843860e-3, 2.65321895265761230930e-2,
	2.96560571828504891230e-1, 1.78482653991729133580e0,
	5.46378491116411436990e0,  6.65790464350110377720e0};
static const double tail_below[8] = {
	2.04426310338993978564e-15, 1.42151175831644588870e-7,
	1.84631831751005468180e-5,  7.86869131145613259100e-4,
	1.48753612908506148525e-2,  1.36929880922735805310e-1,
	5.99832206555887937690e-1,  1.0};

double
real_normal_quantile(double p)
{
	double q = p - 0.5;
	double r, value;

	if (fabs(q) <= 0.425) {
		r = 0.180625 - q * q;
		return q * ratio(centre_above, centre_below, r);
	}
	r = q < 0 ? p : 1.0 - p;
	r = sqrt(-real_log(r));
	if (r <= 5.0)
		value = ratio(middle_above, middle_below, r - 1.6);
	else
		value = ratio(tail_above, tail_below, r - 5.0);
	return q < 0 ? -value : value;
}
