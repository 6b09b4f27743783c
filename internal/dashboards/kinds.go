package dashboards

// kind holds what all panels of one type have in common.
type kind struct {
	format  string // of InfluxQL's answer
	color   string
	custom  map[string]any
	options map[string]any
}

var kinds = map[string]kind{
	"stat": {"time_series", "thresholds", nil, map[string]any{
		"colorMode": "value", "graphMode": "none", "justifyMode": "auto", "orientation": "auto", "textMode": "auto",
		"reduceOptions": lastValue,
	}},
	"timeseries": {"time_series", "palette-classic", map[string]any{
		"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "auto", "spanNulls": false,
		"stacking": map[string]any{"mode": "none", "group": "A"},
	}, map[string]any{
		"legend":  map[string]any{"displayMode": "table", "placement": "bottom", "showLegend": true, "calcs": []string{"lastNotNull", "max"}},
		"tooltip": map[string]any{"mode": "multi", "sort": "desc"},
	}},
	"state-timeline": {"time_series", "thresholds", map[string]any{"fillOpacity": 80, "lineWidth": 0, "spanNulls": false}, map[string]any{
		"mergeValues": true, "showValue": "never", "alignValue": "left", "rowHeight": 0.85,
		"legend":  map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": true},
		"tooltip": map[string]any{"mode": "single"},
	}},
	"status-history": {"time_series", "continuous-GrYlRd", map[string]any{"fillOpacity": 80, "lineWidth": 0}, map[string]any{
		"showValue": "never", "rowHeight": 0.9,
		"legend":  map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": false},
		"tooltip": map[string]any{"mode": "single"},
	}},
	"table": {"table", "thresholds", map[string]any{"align": "auto", "filterable": true, "inspect": true}, map[string]any{
		"showHeader": true, "cellHeight": "sm",
		"footer": map[string]any{"show": false, "reducer": []string{"sum"}, "fields": ""},
	}},
	"bargauge": {"time_series", "thresholds", nil, map[string]any{
		"displayMode": "gradient", "orientation": "horizontal", "showUnfilled": true, "valueMode": "color",
		"reduceOptions": lastValue,
	}},
	"histogram": {"time_series", "palette-classic", map[string]any{"fillOpacity": 80, "lineWidth": 1}, map[string]any{
		"bucketSize": 0.02, "combine": true,
		"legend":  map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": false},
		"tooltip": map[string]any{"mode": "single"},
	}},
}

var lastValue = map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}

func number(v float64) *float64 { return &v }

func digits(n int) *int { return &n }

// steps colours from pairs of a value and the colour that begins there.
func steps(lowest string, more ...any) []Step {
	list := []Step{{Color: lowest}}
	for i := 0; i < len(more); i += 2 {
		list = append(list, Step{Value: number(more[i].(float64)), Color: more[i+1].(string)})
	}
	return list
}

var anomalyMeaning = []Mapping{{Type: "value", Options: map[string]Meaning{
	"0": {"normal", "green", 0}, "1": {"anomaly", "red", 1},
}}}

var statusMeaning = []Mapping{{Type: "value", Options: map[string]Meaning{
	"ok": {"judged", "green", 0}, "warming": {"filling its window", "blue", 1}, "learning": {"learning", "blue", 2},
	"missing": {"input missing", "orange", 3}, "no_model": {"no model", "orange", 4}, "error": {"fault", "red", 5},
}}}

var stateMeaning = []Mapping{{Type: "value", Options: map[string]Meaning{
	"ok": {"ok", "green", 0}, "learning": {"learning", "blue", 1}, "degraded": {"degraded", "red", 2},
}}}

// merge makes one table of several results that share the host column. Rows are
// merged where all columns that they share are equal, and the times are not.
var merge = []Transformation{
	{ID: "filterFieldsByName", Options: map[string]any{"exclude": map[string]any{"names": []string{"Time"}}}},
	{ID: "merge", Options: map[string]any{}},
}

// strip leaves of "mean_shap_cpu" only "cpu".
var strip = []Transformation{{ID: "renameByRegex", Options: map[string]any{"regex": ".*shap_(.*)", "renamePattern": "$1"}}}

func toHost(title, host string) []DataLink { return toBoard("host", title, host) }

func toBoard(board, title, host string) []DataLink {
	return []DataLink{{Title: title, URL: "/d/anomaly-" + board + "-$language?${datasource:queryparam}&var-host=" + host + "&${__url_time_range}"}}
}

// asText shows string values, which stat panels otherwise leave out, but not the
// time beside them.
var asText = map[string]any{"reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}, "fields": "/^(?!_?time$)/i", "values": false}}
