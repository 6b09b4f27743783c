package drift

// Names of the tests, as they appear in [Result] and in stored points.
const (
	TestKS          = "ks"
	TestPSI         = "psi"
	TestWasserstein = "wasserstein"
	TestPageHinkley = "page_hinkley"
	TestADWIN       = "adwin"
)

// Agreement is how many tests must call drift on one feature before it counts: one test alone may be looking at its own
// blind spot or at chance.
const Agreement = 2

// Result is what one test says about one feature.
type Result struct {
	Feature   string  // the reference's name
	Test      string  // one of the Test constants
	Statistic float64 // effect size, finite, in the test's unit
	Threshold float64 // drift is called above it
	Drifted   bool    // Statistic > Threshold
}

func judge(feature, test string, statistic, threshold float64) Result {
	return Result{feature, test, statistic, threshold, statistic > threshold}
}

// Drifted returns the features, in order of first appearance, on which at least [Agreement] tests call drift. None means
// no drift.
func Drifted(results []Result) []string {
	votes := make(map[string]int)
	var features []string
	for _, r := range results {
		if !r.Drifted {
			continue
		}
		if votes[r.Feature]++; votes[r.Feature] == Agreement {
			features = append(features, r.Feature)
		}
	}
	return features
}
