"""The model: one small function a rule, each with its source. The order of a turn is in `kernel`.

Scalars in, scalars out; the kernel applies them to many runs at once. docs/odd.md section 7 gives the formulas.
"""

from __future__ import annotations

from sim.jit import inlined
from sim.maths import exp, power

HORIZON = 12  # turns that foresight follows a change through the couplings; the tail's weight is added to the last
BEST_RATIONALITY = 1e9
RECENCY = 0.2  # weight of the last experience under `reinforcement`; our assumption
CHALLENGE_SCALE = 0.01  # utility of one unit of E in the challenge model; our assumption


@inlined
def clamp(value, low, high):
    """The value within [low, high]."""
    return min(max(value, low), high)


@inlined
def share(value, low, high):
    """Where a value stands in its range, 0..1."""
    return (value - low) / (high - low)


@inlined
def factor(share, negated):
    """What a factor multiplies by: the share, or what is missing to 1 (`not`)."""
    return 1.0 - share if negated else share


@inlined
def reliance(promise, kept, on_broken):
    """How far an effect that hangs on a promise counts.

    promise: standing promise 0..1; kept: credibility, or the draw (1 kept, 0 broken). Whoever commits without a
    promise bears the whole risk. Our assumption (design, Appraisal).
    """
    return 1.0 - promise * kept if on_broken else promise * kept


@inlined
def step(value, size, low, high):
    """Expected change by a step."""
    return clamp(value + size, low, high) - value


@inlined
def levelling(value, level, counts, low, high):
    """Expected change by bringing an indicator to a level, `counts` 0..1 of the way."""
    return clamp(value + counts * (level - value), low, high) - value


@inlined
def lift(value, rung):
    """Change on a ladder by an act that lifts what is below a rung."""
    return max(value, rung) - value


@inlined
def drop(value, rung):
    """Change on a ladder by an act that drops what is above a rung."""
    return min(value, rung) - value


@inlined
def slope(salience, ideal, value, width):
    """First-order gain in utility per unit of change under quadratic loss salience * ((x - ideal)/width)^2."""
    return 2.0 * salience * (ideal - value) / (width * width)


@inlined
def bend(salience, width):
    """Second-order term under quadratic loss: utility changes by slope * d - bend * d * d."""
    return salience / (width * width)


@inlined
def gain(salience, ideal, before, after, width, risk):
    """Gain in utility by a change under the general loss salience * (|x - ideal|/width)^rho.

    Source: the spatial model's loss with a risk exponent rho > 0 (2: quadratic, see `slope` and `bend`).
    """
    return salience * (power(abs(before - ideal) / width, risk) - power(abs(after - ideal) / width, risk))


@inlined
def discount(foresight, n):
    """Weight of the n-th turn from now: (1 - gamma) gamma^n, with the tail's weight on the horizon's last."""
    weight = 1.0
    for _ in range(n):
        weight *= foresight
    return weight if n == HORIZON else (1.0 - foresight) * weight


@inlined
def delayed(foresight, n):
    """What a step counts for that arrives n turns from now: gamma^n."""
    weight = 1.0
    for _ in range(n):
        weight *= foresight
    return weight


@inlined
def expected_utility(chance, gain, attempt, cost):
    """EU of an option: chance x what success brings, what the attempt brings anyway, less the cost."""
    return chance * gain + attempt - cost


@inlined
def incident_broken(weight, hazard, credible):
    """Signal that a promise is broken, by an incident that belies it: 2w (1 - h0)(1 - c0).

    hazard: h0, the hazard at the start; credible: c0, the prior's mean. With `incident_kept` in the turns without,
    belief stays at c0 while the hazard stays at h0. Our assumption (design, Assurances).
    """
    return 2.0 * weight * (1.0 - hazard) * (1.0 - credible)


@inlined
def incident_kept(weight, hazard, credible):
    """Signal that a promise is kept, by a turn without the incident: 2w h0 c0."""
    return 2.0 * weight * hazard * credible


@inlined
def remembered(prior, value, forgetting, signal):
    """A Beta parameter after a turn: pulled to its prior by forgetting, plus the turn's signals.

    Source: Josang & Ismail 2002 (beta reputation with forgetting), towards the scenario's prior instead of 1.
    """
    return prior + (1.0 - forgetting) * (value - prior) + signal


@inlined
def regard_change(responsiveness, gain, regard):
    """Change of regard by the gain (or loss) that another's acts made: eta * D * (1 - regard * sign(D)).

    The last factor lets a warm relation cool and keeps regard within -1..1. Our assumption (design, Regard).
    """
    sign = 1.0 if gain > 0.0 else (-1.0 if gain < 0.0 else 0.0)
    return responsiveness * gain * (1.0 - regard * sign)


@inlined
def drift(value, pull, rest):
    """Change towards the resting level."""
    return pull * (rest - value)


@inlined
def logistic(odds):
    """Probability of a yes from its log-odds. Source: binary logit (McKelvey & Palfrey 1995)."""
    return 1.0 / (1.0 + exp(-odds))


@inlined
def stake(rationality, worth):
    """What is at stake in a promise for its receiver, 0..1: 1 - exp(-lambda * V), 0 where it is worth nothing.

    Small values are in proportion to what the act is worth; no promise tells more than a full signal. Our assumption.
    """
    return 1.0 - exp(-rationality * max(0.0, worth))


@inlined
def reinforced(propensity, gain):
    """A propensity after an experience: the recency-weighted mean of what came of it.

    Source: Bush & Mosteller 1955; Erev & Roth 1998, with forgetting; the mean as in Sutton & Barto 1998, section 2.5.
    """
    return propensity + RECENCY * (gain - propensity)


@inlined
def challenge(wins, distance, resolve, exponent):
    """E_ij: what i expects of challenging j over a distance |y_i - y_j| of 0..1.

    wins: probability that i prevails; resolve: salience of j; exponent: r > 0. Source: Bueno de Mesquita 1985, in the
    form of Scholz, Calbert & Smith 2011, equations 1 to 5.
    """
    success = 2.0 - 4.0 * power(0.5 - 0.5 * distance, exponent)
    failure = 2.0 - 4.0 * power(0.5 + 0.5 * distance, exponent)
    as_it_is = 2.0 - 4.0 * power(0.5, exponent)
    return resolve * (wins * success + (1.0 - wins) * failure) + (1.0 - resolve) * success - as_it_is


@inlined
def risk_exponent(security, lowest, highest):
    """r of the challenge model from R, how secure an actor is among all. Source: Scholz, Calbert & Smith 2011."""
    if highest <= lowest:
        return 1.0
    risk = (2.0 * security - highest - lowest) / (highest - lowest)
    return (1.0 - risk / 3.0) / (1.0 + risk / 3.0)
