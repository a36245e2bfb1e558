"""Logarithm, exponential and power of our own.

Results must not depend on the machine's mathematics library, and the innermost loops vectorise only over plain
arithmetic.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sim.jit import inlined


@intrinsic
def _bits(typingctx, value):
    """The 64 bits of a float64 as an integer."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), codegen


@intrinsic
def _float(typingctx, value):
    """The float64 with these 64 bits."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), codegen


@inlined
def log(x):
    """Natural logarithm of a positive, normal float64, within 1 unit in the last place of the libraries'.

    Argument reduction to [sqrt(1/2), sqrt(2)) and the even series in s = f/(2+f); coefficients of FreeBSD's e_log.c.
    """
    bits = _bits(x)
    bits = bits + (np.int64(0x3FF0000000000000) - np.int64(0x3FE6A09E667F3BCD))
    exponent = np.float64((bits >> np.int64(52)) - np.int64(1023))
    f = _float((bits & np.int64(0x000FFFFFFFFFFFFF)) + np.int64(0x3FE6A09E667F3BCD)) - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    t1 = w * (0.3999999999940941908 + w * (0.2222219843214978396 + w * 0.1531383769920937332))
    t2 = z * (
        0.6666666666666735130 + w * (0.2857142874366239149 + w * (0.1818357216161805012 + w * 0.1479819860511658591))
    )
    half = 0.5 * f * f
    return exponent * 6.93147180369123816490e-01 - (
        (half - (s * (half + (t2 + t1)) + exponent * 1.90821492927058770002e-10)) - f
    )


@inlined
def exp(x):
    """Exponential of a float64, clamped to [-700, 700]; within 1 unit in the last place or so.

    Reduction by ln 2 in two parts and the rational form of FreeBSD's e_exp.c.
    """
    x = min(max(x, -700.0), 700.0)
    k = np.floor(x * 1.44269504088896338700 + 0.5)
    high = x - k * 6.93147180369123816490e-01
    low = k * 1.90821492927058770002e-10
    r = high - low
    t = r * r
    c = r - t * (
        1.66666666666666019037e-01
        + t
        * (
            -2.77777777770155933842e-03
            + t * (6.61375632143793436117e-05 + t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))
        )
    )
    y = 1.0 - ((low - (r * c) / (2.0 - c)) - high)
    return y * _float((np.int64(k) + np.int64(1023)) << np.int64(52))


@inlined
def power(base, exponent):
    """base ** exponent for base >= 0 and exponent > 0."""
    return exp(exponent * log(base)) if base > 0.0 else 0.0
