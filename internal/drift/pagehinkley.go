package drift

// Constants of [PageHinkley], in reference deviations and hours.
const (
	// PageHinkleySlack is the deviation that is tolerated for ever: half of the shift that is worth finding (Cohen's
	// d = 0.5), which finds that shift soonest for a given rate of false alarms.
	PageHinkleySlack = 0.25
	// PageHinkleyThreshold exceeds what any daily or weekly cycle can pile up (65.6, see the package comment). A shift by
	// d deviations reaches it after 72/(d − ¼) hours: 1 in four days, 2 in 41 hours; nothing shorter than 26 hours does.
	PageHinkleyThreshold = 72
	// pageHinkleyCeiling bounds the sum half a day above the threshold: as much as a daily cycle can take back. So the
	// verdict does not blink with the time of day, and is withdrawn two days after the mean has returned.
	pageHinkleyCeiling = PageHinkleyThreshold + 12
)

// PageHinkley is the two-sided Page-Hinkley test for a lasting change of the mean of a stream z₁, z₂, … of standardised
// values:
//
//	m_t = Σ_{i≤t} (z_i − δ),   PH_t = m_t − min_{s≤t} m_s,
//
// and the same for −z, with slack δ = [PageHinkleySlack]. Drift is called when the larger exceeds
// [PageHinkleyThreshold]. The usual form subtracts the running mean of the stream; here the mean is that of the
// reference, which is known and 0, because a running mean would learn a slow drift instead of finding it.
//
// The zero value is ready. The fields are its whole state: encode them to survive a restart.
//
// Source: Page, Continuous Inspection Schemes, Biometrika 41 (1954); Hinkley, Inference about the Change-Point from
// Cumulative Sum Tests, Biometrika 58 (1971); recursive form: Basseville and Nikiforov, Detection of Abrupt Changes,
// 1993, §2.2.
type PageHinkley struct {
	Up   float64 // PH of z, deviation hours
	Down float64 // PH of −z, deviation hours
}

// Add takes the next value: a finite hourly mean in reference deviations.
func (p *PageHinkley) Add(z float64) {
	p.Up = cumulate(p.Up, z)
	p.Down = cumulate(p.Down, -z)
}

func cumulate(sum, z float64) float64 {
	return max(0, min(pageHinkleyCeiling, sum+z-PageHinkleySlack))
}

// Statistic returns the larger of both sums, in deviation hours, in [0,84].
func (p *PageHinkley) Statistic() float64 { return max(p.Up, p.Down) }
