package dashboards

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What these tests hold was seen when Grafana's own @grafana/data turned answers of
// InfluxDB into what its panels show.

// eachPanel runs a check on each committed panel.
func eachPanel(t *testing.T, check func(t *testing.T, l Language, p Panel)) {
	t.Helper()
	everyDashboard(t, func(t *testing.T, l Language, d Dashboard) {
		for _, p := range d.Panels {
			t.Run(p.Title, func(t *testing.T) { check(t, l, p) })
		}
	})
}

// Names of lines come from the data source with InfluxQL and from an override with
// Flux, which another override does not see.
func TestOverridesOfChartsGoByTheQuery(t *testing.T) {
	eachPanel(t, func(t *testing.T, _ Language, p Panel) {
		for _, o := range p.FieldConfig.Overrides {
			if p.Type == "table" {
				require.Equal(t, "byName", o.Matcher.ID)
				continue
			}
			require.Equal(t, "byFrameRefID", o.Matcher.ID)
			require.True(t, slices.ContainsFunc(p.Targets, func(a Target) bool { return a.RefID == o.Matcher.Options }))
		}
	})
}

func TestOverridesOfTablesNameAColumn(t *testing.T) {
	eachPanel(t, func(t *testing.T, _ Language, p Panel) {
		var queries strings.Builder
		for _, a := range p.Targets {
			queries.WriteString(a.Query)
		}
		for _, o := range p.FieldConfig.Overrides {
			if p.Type == "table" {
				require.Contains(t, queries.String(), strconv.Quote(o.Matcher.Options.(string)))
			}
		}
	})
}

// A row of several queries is one only if the time, in which they differ, is gone
// before.
func TestTablesOfSeveralQueriesAreMergedWithoutTheirTimes(t *testing.T) {
	eachPanel(t, func(t *testing.T, _ Language, p Panel) {
		if p.Type == "table" && len(p.Targets) > 1 {
			require.Equal(t, "filterFieldsByName", p.Transformations[0].ID)
			require.Equal(t, map[string]any{"exclude": map[string]any{"names": []any{"Time"}}}, p.Transformations[0].Options)
			require.Equal(t, "merge", p.Transformations[1].ID)
		}
	})
}

// A text is shown without the date beside it, and without a name that would be the
// date's as well.
func TestTextsAreShownAlone(t *testing.T) {
	eachPanel(t, func(t *testing.T, _ Language, p Panel) {
		if p.Type == "stat" && p.FieldConfig.Defaults.Unit == "string" {
			require.Equal(t, "/^(?!_?time$)/i", p.Options["reduceOptions"].(map[string]any)["fields"])
			require.Empty(t, p.FieldConfig.Defaults.DisplayName)
		}
	})
}

// Points of Flux carry columns beside the value, which a timeline would show.
func TestFluxSeriesAreReducedToWhatIsShown(t *testing.T) {
	eachPanel(t, func(t *testing.T, l Language, p Panel) {
		for _, a := range p.Targets {
			if l == Flux && strings.Contains(a.Query, "aggregateWindow") {
				require.Regexp(t, `keep\(columns: \["_time", [^\n]*\]\)$`, a.Query)
			}
		}
	})
}
