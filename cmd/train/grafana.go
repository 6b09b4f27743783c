package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"telegraf-anomaly/internal/dashboards"
	"telegraf-anomaly/internal/grafana"
)

type grafanaCmd struct {
	URL      string `help:"Address of Grafana." default:"http://127.0.0.1:3000" env:"GRAFANA_URL"`
	AuthFile string `help:"File that holds the token of a service account, or user:password. Else GRAFANA_AUTH." type:"path" placeholder:"FILE"`
	Influx   string `help:"Address of InfluxDB, as Grafana reaches it." default:"http://127.0.0.1:8086" env:"INFLUX_HOST"`
	influxFlags
	Folder string `help:"Folder for the dashboards." default:"Telegraf anomaly"`
	Check  bool   `help:"Only look; exit 4 if anything is missing or differs."`
}

// Run makes Grafana hold what the dashboards need, and them.
func (c *grafanaCmd) Run(t *terminal) error {
	auth, err := secretOf(c.AuthFile, "GRAFANA_AUTH")
	if err != nil {
		return err
	}
	client, err := grafana.New(c.URL, auth)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	wanted, err := c.wanted()
	if err != nil {
		return err
	}
	steps := client.Setup(t.ctx, *wanted, c.Check)
	err = t.result(steps, func(w io.Writer) {
		rows := [][]string{{"WHAT", "RESULT", ""}}
		for _, s := range steps {
			rows = append(rows, []string{s.What, string(s.Result), s.Note})
		}
		table(w, rows...)
	})
	if err != nil {
		return err
	}
	return c.verdict(steps)
}

// verdict is the exit code: a check is a gate, a set-up that failed a failure.
func (c *grafanaCmd) verdict(steps []grafana.Step) error {
	bad := 0
	for _, s := range steps {
		if !s.Result.Good() {
			bad++
		}
	}
	switch {
	case bad == 0:
		return nil
	case c.Check:
		return fmt.Errorf("%w: %d of %d things are not as they should be; without --check they would be made so", errGate, bad, len(steps))
	}
	return fmt.Errorf("%d of %d steps failed", bad, len(steps))
}

func (c *grafanaCmd) wanted() (*grafana.Wanted, error) {
	language, database := dashboards.InfluxQL, c.Database
	if c.Flux {
		language = dashboards.Flux
	}
	token, err := secretOf(c.TokenFile, "INFLUX_TOKEN")
	if err != nil {
		return nil, err
	}
	w := &grafana.Wanted{
		Source: dashboards.DataSource(language, dashboards.Connection{
			URL: c.Influx, Database: database, Org: c.Org, Token: token,
			User: os.Getenv("INFLUX_USERNAME"), Password: os.Getenv("INFLUX_PASSWORD"),
		}),
		Folder:  grafana.Folder{UID: "telegraf-anomaly", Title: c.Folder},
		Message: "train grafana " + version,
	}
	w.Boards, err = boards(language)
	return w, err
}

// boards are the dashboards of a language, by name.
func boards(l dashboards.Language) (list []grafana.Object, err error) {
	files, err := dashboards.Files()
	if err != nil {
		return nil, err
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasPrefix(path, "dashboards/"+string(l)+"/") {
			continue
		}
		var board grafana.Object
		if err := json.Unmarshal(files[path], &board); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, board)
	}
	return list, nil
}

// secretOf reads a secret from a file, or without one from the environment.
func secretOf(file, variable string) (string, error) {
	if file == "" {
		return os.Getenv(variable), nil
	}
	text, err := os.ReadFile(file)
	return strings.TrimSpace(string(text)), err
}
