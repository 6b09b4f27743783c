// Package drift says when the world has moved away from what a model was trained on.
//
// It compares a reference (a compact profile of the training sample) with a current window, for each feature and for
// the score, by five named tests:
//
//	ks            Kolmogorov-Smirnov distance        window   any change of the distribution
//	psi           population stability index         window   any change of the distribution, tails included
//	wasserstein   Wasserstein-1 distance             window   how far mass has moved
//	page_hinkley  Page-Hinkley cumulative sum        stream   a lasting change of the mean
//	adwin         adaptive windowing                 stream   a change of the mean, over the window that still holds
//
// # One yardstick
//
// With large samples every p-value alarms, so thresholds are effect sizes. All five are the same effect, Cohen's
// d = 0.5 ("medium": visible to the naked eye; Cohen, Statistical Power Analysis for the Behavioral Sciences, 1988,
// §2.2), seen through five instruments. For two normal distributions of one deviation whose means lie d deviations apart
//
//	KS          = 2Φ(d/2) − 1   = 0.197   threshold 0.20
//	PSI         = d²            = 0.25    threshold 0.25 (the field's "action required": see [PSI])
//	Wasserstein = d             = 0.5     threshold 0.5 reference deviations
//	ADWIN       = d             = 0.5     threshold 0.5 reference deviations
//	Page-Hinkley slack          = d/2     threshold 72 deviation hours
//
// (PSI: the Jeffreys divergence, which binning lowers a little. Page-Hinkley: half the shift to be found is the slack
// that finds it soonest; Page 1954.) Smaller differences are real, and are not worth a new model.
//
// # Whole cycles
//
// Servers have days and weeks. A window that holds other hours than the reference differs from it for ever, without any
// drift. So the [Monitor] compares whole cycles with whole cycles: its window is as many whole days as the reference spans,
// up to a week and no less than three (single days differ by chance), and the window tests are silent until it is full.
// The streaming tests take hourly means, not single values, and no cycle can raise them: the hours of a cycle of length T have mean 0 and variance at most 1
// (in reference deviations), so by Cauchy-Schwarz a share p of the cycle sums to at most T·√(p(1−p)).
// Page-Hinkley, with slack ¼, therefore stays below 0.391·T = 65.6 deviation hours for T = one week; its threshold
// is 72. ADWIN's mean is taken over at least one cycle, hence at most ½, its threshold. These bounds hold for every
// shape of day and week: nightly backups, weekends, office hours.
//
// # Incidents are not drift
//
// All comparisons are made in reference deviations winsorised at ±3. One hour at any height moves no statistic
// by more than an hour at three deviations would, and a spike of one sample is nothing. Winsorising biases a mean by at
// most (√(1+3²)−3)/2 = 0.081 deviations whatever the distribution (Scarf, A Min-Max Solution of an Inventory Problem,
// 1958): a third of Page-Hinkley's slack.
//
// A single test is an opinion. [Drifted] decides: at least two of the five agree on a feature.
package drift
