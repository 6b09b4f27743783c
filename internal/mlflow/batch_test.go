package mlflow

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func bodies(t require.TestingT, r *Run) (texts []string) {
	for _, b := range batches(r) {
		text, err := json.Marshal(b.body("0123456789abcdef0123456789abcdef"))
		require.NoError(t, err)
		texts = append(texts, string(text))
	}
	return texts
}

func numbered(n, length int) map[string]string {
	m := map[string]string{}
	for i := range n {
		m[fmt.Sprintf("k%05d", i)] = strings.Repeat("x", length)
	}
	return m
}

func TestNumberOfBatches(t *testing.T) {
	for name, tc := range map[string]struct{ metrics, params, tags, length, want int }{
		"nothing":                        {0, 0, 0, 0, 0},
		"one of each":                    {1, 1, 1, 1, 1},
		"1,000 metrics":                  {1000, 0, 0, 0, 1},
		"1,001 metrics":                  {1001, 0, 0, 0, 2},
		"100 params":                     {0, 100, 0, 1, 1},
		"101 params":                     {0, 101, 0, 1, 2},
		"101 tags":                       {0, 0, 101, 1, 2},
		"1,000 items":                    {800, 100, 100, 1, 1},
		"1,001 items":                    {801, 100, 100, 1, 2},
		"100 long params, 100 long tags": {0, 100, 100, 5000, 2},
	} {
		t.Run(name, func(t *testing.T) {
			run := Run{Params: numbered(tc.params, tc.length), Tags: numbered(tc.tags, tc.length), Metrics: make([]Metric, tc.metrics)}
			require.Len(t, bodies(t, &run), tc.want)
		})
	}
}

func TestEmptyListsAreLeftOut(t *testing.T) {
	run := Run{Params: map[string]string{"a": "1"}}
	require.Equal(t, []string{`{"run_id":"0123456789abcdef0123456789abcdef","params":[{"key":"a","value":"1"}]}`}, bodies(t, &run))
}

func TestBatchesHoldEverythingOnceAndKeepTheLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		run := Run{
			Params:  numbered(rapid.IntRange(0, 250).Draw(t, "params"), rapid.IntRange(0, maxParam).Draw(t, "length")),
			Tags:    numbered(rapid.IntRange(0, 250).Draw(t, "tags"), rapid.IntRange(0, maxTag).Draw(t, "length")),
			Metrics: make([]Metric, rapid.IntRange(0, 2500).Draw(t, "metrics")),
		}
		for i := range run.Metrics {
			run.Metrics[i] = Metric{Key: strings.Repeat("m", maxKey), Step: int64(i), Time: began}
		}
		params, tags, steps := map[string]string{}, map[string]string{}, []int64{}
		for _, text := range bodies(t, &run) {
			var b struct {
				Metrics      []Metric
				Params, Tags []pair
			}
			require.NoError(t, json.Unmarshal([]byte(text), &b))
			require.LessOrEqual(t, len(text), 1_000_000)
			require.LessOrEqual(t, len(b.Metrics), 1000)
			require.LessOrEqual(t, len(b.Params), 100)
			require.LessOrEqual(t, len(b.Tags), 100)
			require.LessOrEqual(t, len(b.Metrics)+len(b.Params)+len(b.Tags), 1000)
			for _, p := range b.Params {
				params[p.Key] = p.Value
			}
			for _, p := range b.Tags {
				tags[p.Key] = p.Value
			}
			for _, m := range b.Metrics {
				steps = append(steps, m.Step)
			}
		}
		require.Equal(t, run.Params, params)
		require.Equal(t, run.Tags, tags)
		require.Len(t, steps, len(run.Metrics))
		for i, s := range steps {
			require.EqualValues(t, i, s)
		}
	})
}
