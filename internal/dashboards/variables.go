package dashboards

func (b board) variables(l Language) []Variable {
	list := []Variable{{
		Name: "datasource", Label: "Data source", Description: "An InfluxDB data source that speaks " + languageName[l] + ".",
		Type: "datasource", Query: "influxdb", Regex: "/" + string(l) + "/i", Refresh: 1,
	}}
	if b.hosts != noHost {
		list = append(list, b.hostVariable(l))
	}
	if b.feature {
		list = append(list, variable("feature", "Feature", "Feature of the vectors whose drift is shown.", Text{
			InfluxQL: `SHOW TAG VALUES FROM "anomaly_drift" WITH KEY = "feature"`,
			Flux:     tagValues("anomaly_drift", "feature"),
		}, l, true))
	}
	return list
}

func (b board) hostVariable(l Language) Variable {
	measurement, about := "ai_predictions", "Host whose metrics were scored."
	if b.hostsOf != "" {
		measurement, about = b.hostsOf, "Host whose Telegraf runs the processor."
	}
	return variable("host", "Host", about, Text{
		InfluxQL: `SHOW TAG VALUES FROM "` + measurement + `" WITH KEY = "host"`,
		Flux:     tagValues(measurement, "host"),
	}, l, b.hosts == manyHosts)
}

// tagValues does without the schema package, whose functions look at thirty days.
func tagValues(measurement, tag string) string {
	return `from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "` + measurement + `")
  |> keep(columns: ["` + tag + `"])
  |> group()
  |> distinct(column: "` + tag + `")`
}

func variable(name, label, about string, q Query, l Language, many bool) Variable {
	v := Variable{
		Name: name, Label: label, Description: about, Type: "query", Query: render(q, l), Datasource: &source,
		Refresh: 2, Sort: 1, Multi: many, IncludeAll: many,
	}
	if many {
		v.AllValue = ".*" // not thousands of names in every query
		v.Current = &Selection{Text: []string{"All"}, Value: []string{"$__all"}}
	}
	return v
}

func (b board) annotations(l Language) []Annotation {
	list := []Annotation{{
		Name: "Annotations & Alerts", Enable: true, Hide: true, IconColor: "rgba(0, 211, 255, 1)", BuiltIn: 1, Type: "dashboard",
		Datasource: Source{Type: "grafana", UID: "-- Grafana --"},
	}}
	for _, n := range b.notes {
		query := render(n.query, l)
		a := Annotation{
			Name: n.name, Enable: true, IconColor: n.color, Datasource: source,
			Target: &Annotating{RefID: "Anno", Query: query},
		}
		if l == InfluxQL {
			a.Query, a.TextColumn, a.TagsColumn = query, n.text, n.tags
			a.Target.RawQuery, a.Target.TextEditor, a.Target.TextColumn, a.Target.TagsColumn = true, true, n.text, n.tags
		}
		list = append(list, a)
	}
	return list
}
