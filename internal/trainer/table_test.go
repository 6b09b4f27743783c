package trainer

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/history"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/sim"
)

// open makes a record of text.
func open(t *testing.T, name, text string) *Source {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	r, err := history.Open(file, nil)
	require.NoError(t, err)
	return &Source{Record: r}
}

// fleet records hosts as Telegraf does, a row a minute.
func fleet(t *testing.T, hosts, intervals int) *Source {
	t.Helper()
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	var streams []*sim.Stream
	for _, h := range sim.Fleet(1, hosts) {
		g, err := sim.New(1, sim.Config{Host: h, Start: start})
		require.NoError(t, err)
		streams = append(streams, &sim.Stream{Generator: g, Format: sim.Telegraf(1, h)})
	}
	file := filepath.Join(t.TempDir(), "fleet.lp")
	f, err := os.Create(file)
	require.NoError(t, err)
	require.NoError(t, sim.Write(f, intervals, streams...))
	require.NoError(t, f.Close())
	r, err := history.Open(file, nil)
	require.NoError(t, err)
	return &Source{Record: r}
}

func schema(window time.Duration) feature.Schema {
	s := feature.DefaultSchema()
	s.Interval, s.Window = time.Minute, window
	if err := s.Normalize(); err != nil {
		panic(err) // the defaults are valid
	}
	return s
}

func fit(t *testing.T, src *Source, s feature.Schema) (*Set, *model.Bundle) {
	t.Helper()
	set, err := Collect(t.Context(), src, s, 1)
	require.NoError(t, err)
	o := detect.DefaultOptions()
	o.Trees = 20
	b, err := Fit(set, o, model.Provenance{})
	require.NoError(t, err)
	return set, b
}

// A table judged again says what scoring the record itself says: the second look
// is at the same numbers.
func TestATableIsTheRecord(t *testing.T) {
	src := fleet(t, 3, 600)
	_, b := fit(t, src, schema(15*time.Minute))
	direct := map[string]float64{}
	err := Score(t.Context(), src.Record, b, pointScores(direct))
	require.NoError(t, err)

	table, err := ReadTable(t.Context(), src, b.Schema, time.Time{})
	require.NoError(t, err)
	require.Len(t, table.Series, 3)
	j, err := JudgeTable(t.Context(), table, b, time.Time{}, 2)
	require.NoError(t, err)
	compared := 0
	for _, v := range j.Groups {
		for i, score := range v.Score {
			if !math.IsNaN(score) {
				require.Equal(t, direct[fmt.Sprint(v.Series.Group, v.Series.Times[i])], score)
				compared++
			}
		}
	}
	require.Greater(t, compared, 1500)
}

// Judging only the end gives the verdicts that judging everything gives there.
func TestTheEndIsJudgedWithItsPast(t *testing.T) {
	src := fleet(t, 1, 900)
	_, b := fit(t, src, schema(15*time.Minute))
	table, err := ReadTable(t.Context(), src, b.Schema, time.Time{})
	require.NoError(t, err)
	whole, err := Judge(t.Context(), table.Series[0], b, time.Time{})
	require.NoError(t, err)
	from := time.Unix(0, table.Series[0].Times[700])
	end, err := Judge(t.Context(), table.Series[0], b, from)
	require.NoError(t, err)
	require.Equal(t, 700, end.First)
	require.Equal(t, whole.Score[700:], end.Score)
	require.Equal(t, whole.Flag[700:], end.Flag)
}

func TestIncidentsOfATable(t *testing.T) {
	text := "time,cpu,label,event,kind,cause\n"
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 20 {
		label, event := 0, 0
		switch {
		case i >= 3 && i < 6:
			label, event = 1, 1
		case i >= 6 && i < 8: // touches the first and is another
			label, event = 1, 2
		case i == 12:
			label, event = 1, 3
		}
		text += fmt.Sprintf("%s,%d,%d,%d,k%d,cpu\n", start.Add(time.Duration(i)*time.Minute).Format(time.RFC3339), i, label, event, event)
	}
	src := open(t, "a.csv", text)
	s := feature.Schema{Features: []feature.Feature{{Name: "cpu", Measurement: "csv", Fields: []string{"cpu"}}}, Interval: time.Minute}
	require.NoError(t, s.Normalize())
	table, err := ReadTable(t.Context(), src, s, time.Time{})
	require.NoError(t, err)
	var spans [][2]int
	for _, e := range table.Series[0].Events {
		spans = append(spans, [2]int{e.Start, e.End})
		require.Equal(t, []string{"cpu"}, e.Cause)
	}
	require.Equal(t, [][2]int{{3, 6}, {6, 8}, {12, 13}}, spans)
	require.True(t, table.Labelled(start.Add(12*time.Minute)))
	require.False(t, table.Labelled(start.Add(13*time.Minute)))

	c := table.Series[0].Clone(start.Add(7 * time.Minute))
	require.Len(t, c.Rows, 7)
	require.Len(t, c.Events, 2)
	require.Equal(t, 7, c.Events[1].End, "an incident ends with the rows")
	c.Rows[0][0] = 99
	require.NotEqual(t, 99.0, table.Series[0].Rows[0][0], "a clone's rows are its own")
}

// Beyond MaxRows the reservoir holds a uniform sample in the record's order.
func TestReservoir(t *testing.T) {
	c := collector{set: &Set{}, width: 1, kept: []moment{{9, 90}, {2, 20}, {5, 50}}, rows: []float64{9, 2, 5}}
	c.set.Seen = MaxRows + 1
	require.Equal(t, []float64{2, 5, 9}, c.inOrder())
	require.Equal(t, []moment{{2, 20}, {5, 50}, {9, 90}}, c.kept)
}

func TestSplit(t *testing.T) {
	from := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	s := SplitAt(from, from.Add(100*time.Hour), 6000)
	require.Equal(t, from.Add(70*time.Hour), s.Validation)
	require.Equal(t, from.Add(85*time.Hour), s.Test)
	s = SplitAt(from, from.Add(100*time.Hour), 10*maxHeldOut)
	require.Equal(t, from.Add(90*time.Hour), s.Validation, "a million vectors are enough")

	s = SplitAt(from, from.AddDate(100, 0, 0), 1)
	require.True(t, s.Validation.After(from) && s.Test.After(s.Validation), "a century does not overflow")

	src := fleet(t, 2, 300)
	set, _ := fit(t, src, schema(0))
	split := SplitAt(set.From, set.To, set.Seen)
	part, err := set.Before(split.Validation)
	require.NoError(t, err)
	for _, at := range part.Times {
		require.Less(t, at, split.Validation.UnixNano(), "no row of the future")
	}
	share := float64(len(part.Times)) / float64(len(set.Times))
	require.InDelta(t, .7, share, .01)
	_, err = set.Before(set.From)
	require.ErrorIs(t, err, detect.ErrRows)
}

// Ctrl-C reaches a long reading.
func TestWalkEndsWithItsContext(t *testing.T) {
	src := fleet(t, 2, 600)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Collect(ctx, src, schema(0), 1)
	require.ErrorIs(t, err, context.Canceled)
}
