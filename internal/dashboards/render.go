package dashboards

import (
	"bytes"
	"encoding/json"
	"path"
)

var boards = []board{fleet, host, modelAndDrift, health}

// Files renders everything that is committed, by path below grafana/.
func Files() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, l := range Languages() {
		for _, b := range boards {
			d := b.render(l)
			text, err := encode(d)
			if err != nil {
				return nil, err
			}
			// Links lead to the dashboard that speaks the same language.
			files[path.Join("dashboards", string(l), d.UID+".json")] = bytes.ReplaceAll(text, []byte("$language"), []byte(l))
		}
	}
	rules, err := Rules()
	files["provisioning/alerting/anomaly-rules.yaml"] = rules
	return files, err
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}
