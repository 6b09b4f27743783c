package drift

import (
	"math"
	"math/rand/v2"
)

// stream yields the value of a simulated server at hour h since the epoch, which was a Thursday midnight.
type stream func(h float64) float64

// noise is a first-order autoregressive process of unit variance with a correlation time of half an hour, sampled each
// minute, mixed in equal parts with white noise: servers remember what they were doing.
func noise(r *rand.Rand) func() float64 {
	const rho = 0.967 // exp(−1/30)
	x := r.NormFloat64()
	return func() float64 {
		x = rho*x + math.Sqrt(1-rho*rho)*r.NormFloat64()
		return math.Sqrt(0.5)*x + math.Sqrt(0.5)*r.NormFloat64()
	}
}

// restless wanders: unit variance, half of it with a memory of hours.
func restless(hours float64) func(*rand.Rand) stream {
	rho := math.Exp(-1 / (60 * hours))
	return func(r *rand.Rand) stream {
		x := r.NormFloat64()
		return func(float64) float64 {
			x = rho*x + math.Sqrt(1-rho*rho)*r.NormFloat64()
			return math.Sqrt(0.5)*x + math.Sqrt(0.5)*r.NormFloat64()
		}
	}
}

// Shapes of a recurring load, all of the order of 1.

func dailyWave(h float64) float64 { return math.Sqrt2 * math.Cos(2*math.Pi*(h-15)/24) }

// nightlyBackup is two hours at four deviations of the rest, each night at one o'clock.
func nightlyBackup(h float64) float64 {
	if hour := math.Mod(h, 24); hour >= 1 && hour < 3 {
		return 4
	}
	return 0
}

// cronJob is a burst of one minute every five minutes: a sample at fixed minutes would see it always or never.
func cronJob(h float64) float64 {
	if int(math.Round(h*60))%5 == 0 {
		return 4
	}
	return 0
}

// officeWeek is a daily wave on weekdays and 1.5 less, with a third of the wave, at weekends.
func officeWeek(h float64) float64 {
	if d := int(h/24) % 7; d == 2 || d == 3 { // Saturday, Sunday after a Thursday
		return dailyWave(h)/3 - 1.5
	}
	return dailyWave(h)
}

func flat(float64) float64 { return 0 }

// with adds noise to a shape.
func with(shape func(float64) float64) func(*rand.Rand) stream {
	return func(r *rand.Rand) stream {
		n := noise(r)
		return func(h float64) float64 { return shape(h) + n() }
	}
}

// heavyTails is the exponential of a daily wave and noise: log-normal, skewness about 6.
func heavyTails(r *rand.Rand) stream {
	s := with(dailyWave)(r)
	return func(h float64) float64 { return math.Exp(0.7 * s(h)) }
}

// quantised is an idle server: three quarters zero, the rest small integers.
func quantised(r *rand.Rand) stream {
	n := noise(r)
	return func(float64) float64 { return math.Floor(max(0, 3*n()-2)) }
}

func constant(*rand.Rand) stream { return func(float64) float64 { return 42 } }

// change alters a value x of a stream with the given mean and deviation, days after the change began.
type change func(x, mean, deviation, days float64) float64

func shift(d float64) change {
	return func(x, _, deviation, _ float64) float64 { return x + d*deviation }
}

func widen(k float64) change {
	return func(x, mean, _, _ float64) float64 { return mean + k*(x-mean) }
}

func slope(perDay float64) change {
	return func(x, _, deviation, days float64) float64 { return x + perDay*days*deviation }
}

// incident is three hours at twenty deviations.
func incident(x, mean, deviation, days float64) float64 {
	if days < 0.125 {
		return mean + 20*deviation
	}
	return x
}
