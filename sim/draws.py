"""Random numbers as a pure function of (seed, run, turn, who and what, purpose).

No generator object, no order of drawing: a run's draws do not depend on its batch, on threads or on what else was
drawn, and two variants of a scenario share every draw that both make (common random numbers).
Source: Philox 4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3").
"""

from __future__ import annotations

import hashlib

import numpy as np

from sim.jit import inlined
from sim.maths import log

CHOICE, SUCCESS, KEPT, INCIDENT, NOISE = 1, 2, 3, 4, 5
ANSWER, REPLY, JOIN, DELIVERY, ATTEND, VETO, OCCASION = 6, 7, 8, 9, 10, 11, 12

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


def name_key(name: str) -> int:
    """64-bit key of a name: what makes a draw this actor's, this option's, this indicator's."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


@inlined
def _round(c0, c1, c2, c3, k0, k1):
    """One round of Philox 4x32: two 32 x 32-bit products, their halves crossed over and mixed with the key."""
    p0 = _M0 * c0
    p1 = _M1 * c2
    return (p1 >> _32) ^ c1 ^ k0, p1 & _LOW, (p0 >> _32) ^ c3 ^ k1, p0 & _LOW


@inlined
def philox(c0, c1, c2, c3, k0, k1):
    """Four 32-bit words (as uint64) of Philox 4x32-10 for a counter c0..c3 and a key k0, k1, all below 2**32.

    The ten rounds are written out: a loop here would keep the compiler from working on several runs at once.
    """
    c0, c1, c2, c3 = np.uint64(c0), np.uint64(c1), np.uint64(c2), np.uint64(c3)
    k0, k1 = np.uint64(k0), np.uint64(k1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
    k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
    k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
    k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
    k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
    k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
    k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
    k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
    k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
    k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
    return c0, c1, c2, c3


@inlined
def unit(high, low):
    """A uniform number strictly between 0 and 1 with 53 random bits from two 32-bit words."""
    n = np.int64(((high >> np.uint64(5)) << np.uint64(26)) | (low >> np.uint64(6)))
    return min((np.float64(n) + 0.5) * 1.1102230246251565e-16, 1.0 - 1.1102230246251565e-16)


@inlined
def uniform(seed, run, turn, key, purpose):
    """One uniform number in (0, 1). seed, run, key: uint64; turn, purpose: int."""
    w0, w1, _, _ = philox(
        run & _LOW,
        np.uint64(turn) | (np.uint64(purpose) << np.uint64(16)),
        key & _LOW,
        key >> _32,
        seed & _LOW,
        seed >> _32,
    )
    return unit(w0, w1)


@inlined
def second_uniform(seed, run, turn, key, purpose):
    """The other uniform number of the same draw, independent of the first."""
    _, _, w2, w3 = philox(
        run & _LOW,
        np.uint64(turn) | (np.uint64(purpose) << np.uint64(16)),
        key & _LOW,
        key >> _32,
        seed & _LOW,
        seed >> _32,
    )
    return unit(w2, w3)


@inlined
def gumbel(u):
    """A standard Gumbel number from a uniform one."""
    return -log(-log(u))


@inlined
def normal(u):
    """A standard normal number from a uniform one: Wichura 1988, algorithm AS 241 (PPND16), relative error 1e-16."""
    q = u - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        return (
            q
            * (((((((2.5090809287301226727e3 * r + 3.3430575583588128105e4) * r + 6.7265770927008700853e4) * r
                + 4.5921953931549871457e4) * r + 1.3731693765509461125e4) * r + 1.9715909503065514427e3) * r
                + 1.3314166789178437745e2) * r + 3.3871328727963666080e0)
            / (((((((5.2264952788528545610e3 * r + 2.8729085735721942674e4) * r + 3.9307895800092710610e4) * r
                + 2.1213794301586595867e4) * r + 5.3941960214247511077e3) * r + 6.8718700749205790830e2) * r
                + 4.2313330701600911252e1) * r + 1.0)
        )  # fmt: skip
    r = np.sqrt(-log(u if q < 0.0 else 1.0 - u))
    if r <= 5.0:
        r = r - 1.6
        value = (
            (((((((7.74545014278341407640e-4 * r + 2.27238449892691845833e-2) * r + 2.41780725177450611770e-1) * r
                + 1.27045825245236838258e0) * r + 3.64784832476320460504e0) * r + 5.76949722146069140550e0) * r
                + 4.63033784615654529590e0) * r + 1.42343711074968357734e0)
            / (((((((1.05075007164441684324e-9 * r + 5.47593808499534494600e-4) * r + 1.51986665636164571966e-2) * r
                + 1.48103976427480074590e-1) * r + 6.89767334985100004550e-1) * r + 1.67638483018380384940e0) * r
                + 2.05319162663775882187e0) * r + 1.0)
        )  # fmt: skip
    else:
        r = r - 5.0
        value = (
            (((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 1.24266094738807843860e-3) * r
                + 2.65321895265761230930e-2) * r + 2.96560571828504891230e-1) * r + 1.78482653991729133580e0) * r
                + 5.46378491116411436990e0) * r + 6.65790464350110377720e0)
            / (((((((2.04426310338993978564e-15 * r + 1.42151175831644588870e-7) * r + 1.84631831751005468180e-5) * r
                + 7.86869131145613259100e-4) * r + 1.48753612908506148525e-2) * r + 1.36929880922735805310e-1) * r
                + 5.99832206555887937690e-1) * r + 1.0)
        )  # fmt: skip
    return -value if q < 0.0 else value
