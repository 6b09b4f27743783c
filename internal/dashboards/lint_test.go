package dashboards

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// everyDashboard runs a check on each committed dashboard.
func everyDashboard(t *testing.T, check func(t *testing.T, l Language, d Dashboard)) {
	t.Helper()
	for _, l := range Languages() {
		for _, d := range committed(t, l) {
			t.Run(d.UID, func(t *testing.T) { check(t, l, d) })
		}
	}
}

// The rules of grafana/dashboard-linter that concern InfluxDB.
func TestLinterRules(t *testing.T) {
	everyDashboard(t, func(t *testing.T, l Language, d Dashboard) {
		require.False(t, d.Editable, "uneditable-dashboard")
		v := d.Templating.List[0]
		require.Equal(t, "datasource", v.Type, "template-datasource")
		require.Equal(t, "datasource", v.Name, "template-datasource")
		require.Equal(t, "Data source", v.Label, "template-datasource")
		for _, v := range d.Templating.List[1:] {
			require.Equal(t, 2, v.Refresh, "template-on-time-change-reload: %s", v.Name)
		}
		for _, p := range d.Panels {
			require.NotEmpty(t, p.Targets, "panel-no-targets: %s", p.Title)
			require.NotEmpty(t, p.Title, "panel-title-description")
			require.NotEmpty(t, p.Description, "panel-title-description: %s", p.Title)
			require.Equal(t, "${datasource}", p.Datasource.UID, "panel-datasource: %s", p.Title)
			require.Contains(t, units, p.FieldConfig.Defaults.Unit, "panel-units: %s", p.Title)
			for _, target := range p.Targets {
				require.Equal(t, "${datasource}", target.Datasource.UID, "target-datasource: %s", p.Title)
			}
		}
	})
}

// units that Grafana knows, of those that are used.
var units = []string{"none", "short", "string", "percent", "percentunit", "Bps", "cps", "ms", "s"}

func TestUniqueIDs(t *testing.T) {
	seen := map[string]bool{}
	everyDashboard(t, func(t *testing.T, l Language, d Dashboard) {
		require.False(t, seen[d.UID])
		seen[d.UID] = true
		require.LessOrEqual(t, len(d.UID), 40)
		panels := map[int]bool{}
		for _, p := range d.Panels {
			require.False(t, panels[p.ID], p.Title)
			panels[p.ID] = true
		}
	})
	rules := map[string]bool{}
	for _, r := range Alerts {
		require.False(t, rules[r.UID])
		rules[r.UID] = true
	}
}

func TestPanelsLieSideBySideOnTheGrid(t *testing.T) {
	everyDashboard(t, func(t *testing.T, l Language, d Dashboard) {
		taken := map[[2]int]string{}
		for _, p := range d.Panels {
			g := p.GridPos
			require.LessOrEqual(t, g.X+g.W, 24, p.Title)
			require.Positive(t, g.W*g.H, p.Title)
			for x := g.X; x < g.X+g.W; x++ {
				for y := g.Y; y < g.Y+g.H; y++ {
					require.Empty(t, taken[[2]int{x, y}], "%s lies on", p.Title)
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
	})
}

func TestRowsFillTheWidth(t *testing.T) {
	for _, b := range boards {
		for i, row := range b.rows {
			width := 0
			for _, p := range row {
				width += p.width
			}
			require.Equal(t, 24, width, "%s, row %d", b.name, i+1)
		}
	}
}

func TestEveryQueryIsBounded(t *testing.T) {
	everyDashboard(t, func(t *testing.T, l Language, d Dashboard) {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				if l == InfluxQL {
					require.Contains(t, target.Query, "$timeFilter", p.Title)
					require.True(t, target.RawQuery, p.Title)
				} else {
					require.Contains(t, target.Query, "range(start: v.timeRangeStart, stop: v.timeRangeStop)", p.Title)
				}
			}
		}
	})
}

// Alert rules may not use what only a dashboard knows.
var dashboardOnly = regexp.MustCompile(`\$(host|feature|__interval|datasource)`)

func TestAlertRules(t *testing.T) {
	for _, r := range Alerts {
		t.Run(r.UID, func(t *testing.T) {
			require.NotRegexp(t, dashboardOnly, r.Query)
			require.Contains(t, r.Query, "$timeFilter")
			require.LessOrEqual(t, len(r.UID), 40)
			require.NotEmpty(t, r.Summary)
			require.NotEmpty(t, r.Text)
			require.Contains(t, []string{"info", "warning", "critical"}, r.Severity)
			require.Contains(t, []string{"OK", "NoData", "Alerting"}, r.NoData)
			require.True(t, r.panelExists(), "panel %d of %s", r.Panel, r.Board)
		})
	}
}

func (r Rule) panelExists() bool {
	for _, b := range boards {
		if b.name == r.Board {
			return len(b.panels(InfluxQL)) >= r.Panel
		}
	}
	return false
}

// An alert leads to the panel that shows what it is about.
func TestAlertsLeadToTheirPanel(t *testing.T) {
	want := map[string]string{
		"anomaly-sustained": "Score against threshold", "anomaly-fleet-rate": "Verdicts by host",
		"anomaly-processor-silent": "State", "anomaly-processor-degraded": "State", "anomaly-restarts": "Uptime",
		"anomaly-drift": "Drift tests against their thresholds", "anomaly-model-old": "Oldest model",
	}
	for _, r := range Alerts {
		for _, b := range boards {
			if b.name == r.Board {
				require.Equal(t, want[r.UID], b.panels(InfluxQL)[r.Panel-1].Title, r.UID)
			}
		}
	}
}

func TestRulesAreYAMLWithOneGroup(t *testing.T) {
	text, err := Rules()
	require.NoError(t, err)
	var file struct {
		APIVersion int `yaml:"apiVersion"`
		Groups     []struct {
			Rules []struct {
				Condition string
				Data      []struct {
					RefID      string `yaml:"refId"`
					Datasource string `yaml:"datasourceUid"`
				}
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	require.Len(t, file.Groups, 1)
	require.Len(t, file.Groups[0].Rules, len(Alerts))
	for _, r := range file.Groups[0].Rules {
		require.Equal(t, "C", r.Condition)
		require.Equal(t, []string{sourceUID, "__expr__", "__expr__"}, []string{r.Data[0].Datasource, r.Data[1].Datasource, r.Data[2].Datasource})
	}
}

func TestLinksKeepTimeAndLanguage(t *testing.T) {
	everyDashboard(t, func(t *testing.T, l Language, d Dashboard) {
		require.True(t, d.Links[0].KeepTime && d.Links[0].IncludeVars)
		require.Equal(t, []string{familyTag, string(l)}, d.Links[0].Tags)
		text, err := encode(d)
		require.NoError(t, err)
		for _, url := range regexp.MustCompile(`/d/[^"]*`).FindAllString(string(text), -1) {
			require.Regexp(t, "^/d/anomaly-(host|processor)-"+string(l)+`\?`, url)
			require.Contains(t, url, "${__url_time_range}")
			require.Contains(t, url, "var-host=")
		}
		require.NotContains(t, string(text), "$language")
	})
}
