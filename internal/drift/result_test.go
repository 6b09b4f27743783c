package drift

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDriftedNeedsTwoTestsOnOneFeature(t *testing.T) {
	yes := func(feature, test string) Result { return judge(feature, test, 1, 0.5) }
	no := func(feature, test string) Result { return judge(feature, test, 0.5, 0.5) }
	for name, c := range map[string]struct {
		results []Result
		want    []string
	}{
		"nothing to judge":           {nil, nil},
		"no test":                    {[]Result{no("cpu", TestKS), no("cpu", TestPSI)}, nil},
		"one test":                   {[]Result{yes("cpu", TestKS), no("cpu", TestPSI)}, nil},
		"one test each on two":       {[]Result{yes("cpu", TestKS), yes("memory", TestPSI)}, nil},
		"two tests":                  {[]Result{yes("cpu", TestKS), yes("cpu", TestADWIN)}, []string{"cpu"}},
		"five tests count once":      {[]Result{yes("a", TestKS), yes("a", TestPSI), yes("a", TestADWIN)}, []string{"a"}},
		"two features, in order":     {[]Result{yes("b", TestKS), yes("a", TestKS), yes("b", TestPSI), yes("a", TestPSI)}, []string{"b", "a"}},
		"the threshold is no drift":  {[]Result{no("cpu", TestKS), no("cpu", TestPSI), yes("cpu", TestADWIN)}, nil},
		"the score is like a column": {[]Result{yes("score", TestKS), yes("score", TestPSI)}, []string{"score"}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, Drifted(c.results)) })
	}
}
