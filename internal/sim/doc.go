// Package sim makes metrics whose every incident is known: a seeded fleet of
// hosts to train, test and load the detector with, and incidents planted into
// records of real ones.
//
// A host follows one latent load L: a daily sine of amplitude 1 with its peak
// at 15:00 UTC, 0.5 less at weekends, plus an autoregressive part (stationary
// deviation 0.35, correlation 0.98 from one minute to the next). All three
// features depend on it, which is what makes their relations worth watching:
//
//	cpu     = 35 + 12·L + AR(sd 3, ρ .6) + 8 in the first 3 minutes of each hour   %
//	memory  = 55 + 2·L + sawtooth 0..4 over 6 hours + AR(sd 1, ρ .97)              %
//	network = 20e6 · exp(0.45·L + AR(sd .2, ρ .5))                                 bytes/s
//
// Correlations ρ are per minute; at another interval the autoregressive parts
// keep their deviation and their correlation over a minute. Incidents are
// mostly inside the normal range: a set that a single limit on each feature
// solves says nothing about a detector.
//
// The same seed and configuration give the same rows.
package sim
