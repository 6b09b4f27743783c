package shap_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/forest/foresttest"
	"telegraf-anomaly/shap"
)

func eachFixture(t *testing.T, test func(*testing.T, *foresttest.Fixture, *forest.Forest)) {
	for _, name := range foresttest.Names {
		t.Run(name, func(t *testing.T) {
			fixture := foresttest.Load(t, name)
			test(t, fixture, fixture.Forest(t))
		})
	}
}

func explainer(t testing.TB, f *forest.Forest, players []int) *shap.Explainer {
	t.Helper()
	e, err := shap.New(f, players)
	require.NoError(t, err)
	return e
}

func difference(a, b []float64) (worst float64) {
	for i := range a {
		worst = max(worst, math.Abs(a[i]-b[i]))
	}
	return worst
}

// Against Python's shap, which is itself up to 8e-14 off the exact values.
func TestValuesEqualPythonShap(t *testing.T) {
	eachFixture(t, func(t *testing.T, fixture *foresttest.Fixture, f *forest.Forest) {
		e := explainer(t, f, nil)
		require.InDelta(t, fixture.Base, e.Base(), 1e-12)
		worst := 0.0
		for r, x := range fixture.Rows.X {
			worst = max(worst, difference(fixture.Rows.Shap[r], e.PathLength(nil, x)))
		}
		t.Logf("largest difference %.1e", worst)
		require.Less(t, worst, 1e-12)
	})
}

func TestValuesEqualBruteForceOfFixtures(t *testing.T) {
	eachFixture(t, func(t *testing.T, fixture *foresttest.Fixture, f *forest.Forest) {
		e := explainer(t, f, nil)
		worst := 0.0
		for i, r := range fixture.Brute.Row {
			worst = max(worst, difference(fixture.Brute.Shap[i], e.PathLength(nil, fixture.Rows.X[r])))
		}
		t.Logf("largest difference %.1e", worst)
		require.Less(t, worst, 1e-12)
	})
}
