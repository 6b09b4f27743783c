package dashboards

import (
	"fmt"
	"strings"
)

// variable through which every panel gets at its data source.
var source = Source{Type: "influxdb", UID: "${datasource}"}

// tag by which the dashboards find each other.
const familyTag = "telegraf-anomaly"

// board is a dashboard in no language.
type board struct {
	name, title, story, from string
	hosts                    choice
	hostsOf                  string // measurement whose hosts they are; "" for ai_predictions
	feature                  bool
	notes                    []note
	rows                     [][]panel
}

// choice is how many hosts a dashboard shows.
type choice int

const (
	noHost choice = iota
	oneHost
	manyHosts
)

// note is an annotation.
type note struct {
	name, color string
	query       Query
	text, tags  string // columns
}

// panel is a panel in no language. Its width is of 24 columns.
type panel struct {
	kind, title, about string
	width, height      int
	asks               []ask
	unit               string
	look               look
}

// ask is a query with the name of what it gives.
type ask struct {
	Query
	name string // of the line: a text, or "$tag" for the value of a tag
}

// look is what distinguishes a panel's appearance from its kind's.
type look struct {
	min, max  *float64
	decimals  *int
	steps     []Step
	mappings  []Mapping
	links     []DataLink
	custom    map[string]any
	options   map[string]any
	transform []Transformation
	overrides []Override
	colorMode string
	noValue   string
}

func (b board) render(l Language) Dashboard {
	d := Dashboard{
		UID: uid(b.name, l), Title: fmt.Sprintf("Anomaly %s (%s)", b.title, languageName[l]), Description: b.story,
		Tags: []string{familyTag, "influxdb", "telegraf", string(l)}, SchemaVersion: 39, Version: 1,
		Timezone: "browser", GraphTooltip: 1, Refresh: "10s", Time: TimeRange{From: b.from, To: "now"},
		Links: []Link{{
			Type: "dashboards", Title: "Anomaly dashboards", Tags: []string{familyTag, string(l)},
			IncludeVars: true, KeepTime: true, Icon: "external link",
		}},
	}
	d.Templating.List = b.variables(l)
	d.Annotations.List = b.annotations(l)
	d.Panels = b.panels(l)
	return d
}

var languageName = map[Language]string{InfluxQL: "InfluxQL", Flux: "Flux"}

// uid of a dashboard, which links rely on.
func uid(name string, l Language) string { return "anomaly-" + name + "-" + string(l) }

// panels lays the rows out from top to bottom.
func (b board) panels(l Language) (panels []Panel) {
	y := 0
	for _, row := range b.rows {
		x, height := 0, 0
		for _, p := range row {
			at := Grid{H: p.height, W: p.width, X: x, Y: y}
			panels = append(panels, p.render(l, len(panels)+1, at))
			x += p.width
			height = max(height, p.height)
		}
		y += height
	}
	return panels
}

func (p panel) render(l Language, id int, at Grid) Panel {
	k := kinds[p.kind]
	result := Panel{
		ID: id, Type: p.kind, Title: p.title, Description: p.about, GridPos: at, Datasource: source,
		Options: merged(k.options, p.look.options), Transformations: p.look.transform,
		FieldConfig: FieldConfig{Defaults: p.defaults(l, k), Overrides: p.look.overrides},
	}
	if result.FieldConfig.Overrides == nil {
		result.FieldConfig.Overrides = []Override{}
	}
	for i, a := range p.asks {
		result.Targets = append(result.Targets, a.target(l, string(rune('A'+i)), k.format))
		if l == Flux && len(p.asks) > 1 && k.format == "time_series" {
			result.FieldConfig.Overrides = append(result.FieldConfig.Overrides, Override{
				Matcher:    Matcher{ID: "byFrameRefID", Options: string(rune('A' + i))},
				Properties: []Property{{ID: "displayName", Value: a.fluxName()}},
			})
		}
	}
	return result
}

func (p panel) defaults(l Language, k kind) Defaults {
	d := Defaults{
		Unit: p.unit, Min: p.look.min, Max: p.look.max, Decimals: p.look.decimals, NoValue: p.look.noValue,
		Color:      map[string]any{"mode": first(p.look.colorMode, k.color)},
		Thresholds: Thresholds{Mode: "absolute", Steps: p.look.steps},
		Mappings:   p.look.mappings, Links: p.look.links, Custom: merged(k.custom, p.look.custom),
	}
	if d.NoValue == "" {
		d.NoValue = "no data"
	}
	if d.Thresholds.Steps == nil {
		d.Thresholds.Steps = []Step{{Color: "green"}}
	}
	if d.Mappings == nil {
		d.Mappings = []Mapping{}
	}
	if l == Flux && len(p.asks) == 1 && k.format == "time_series" && p.unit != "string" { // it would name the time as well
		d.DisplayName = p.asks[0].fluxName()
	}
	return d
}

// fluxName is what InfluxQL says by an alias.
func (a ask) fluxName() string {
	words := strings.Fields(a.name)
	for i, w := range words {
		if tag, is := strings.CutPrefix(w, "$tag_"); is {
			words[i] = "${__field.labels." + tag + "}"
		} else if w == "$col" {
			words[i] = "${__field.labels._field}"
		}
	}
	return strings.Join(words, " ")
}

func (a ask) target(l Language, ref, format string) Target {
	t := Target{RefID: ref, Datasource: source, Query: render(a.Query, l)}
	if l == InfluxQL {
		t.RawQuery, t.ResultFormat = true, format
		if format == "time_series" {
			t.Alias = a.name
		}
	}
	return t
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func merged(base, more map[string]any) map[string]any {
	result := map[string]any{}
	for _, m := range []map[string]any{base, more} {
		for k, v := range m {
			result[k] = v
		}
	}
	return result
}
