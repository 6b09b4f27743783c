package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"telegraf-anomaly/internal/mlflow"
	"telegraf-anomaly/internal/report"
)

// trackFlags say what MLflow gets to know. The server is named by MLflow's own
// environment variables.
type trackFlags struct {
	RequireMlflow bool   `help:"Fail if MLflow cannot be reached. Otherwise the run is kept for 'train track'."`
	Register      string `help:"Registered model that the fit becomes a version of." default:"telegraf-anomaly" placeholder:"NAME"`
	Alias         string `help:"Alias that the new version gets." default:"challenger" placeholder:"NAME"`
}

// spool is where runs of a store wait.
func spool(store string) mlflow.Spool { return mlflow.Spool(filepath.Join(store, "mlflow")) }

// track sends a fit to the server that the environment names, if it names one.
func (f *trackFlags) track(fit *fitting, flags *recordFlags, store string, started time.Time) error {
	config, err := mlflow.FromEnv(os.Getenv)
	if errors.Is(err, mlflow.ErrNotConfigured) || err == nil && config.TrackingURI == "" {
		if f.RequireMlflow {
			return mlflow.ErrNotConfigured
		}
		return nil
	}
	if err == nil {
		err = f.send(fit, config, flags, store, started)
	}
	if err == nil || f.RequireMlflow {
		return err
	}
	fit.warn("the model is safe, MLflow does not know of it: %v", err)
	return nil
}

func (f *trackFlags) send(fit *fitting, config mlflow.Config, flags *recordFlags, store string, started time.Time) error {
	run, err := f.run(fit, flags, store, started)
	if err != nil {
		return err
	}
	s := spool(store)
	id, err := s.Add(run)
	if err != nil {
		return err
	}
	client, err := mlflow.New(config)
	if err != nil {
		return err
	}
	runID, version, err := s.Upload(fit.ctx, client, id)
	if err != nil {
		return fmt.Errorf("%w; `train track --model %s` uploads it", err, store)
	}
	fit.say("MLflow run %s, version %s of %s is %s", runID, version, f.Register, f.Alias)
	return nil
}

func (f *trackFlags) run(fit *fitting, flags *recordFlags, store string, started time.Time) (mlflow.Run, error) {
	b := fit.bundle
	d, err := gather(fit.terminal, flags, b, true, b.Detector.Options.Seed)
	if err != nil {
		return mlflow.Run{}, err
	}
	d.Version = fit.version
	artifacts, err := artifacts(d, fit)
	if err != nil {
		return mlflow.Run{}, err
	}
	end := time.Now()
	run := mlflow.Run{
		Name: fit.version, Start: started, End: end, Params: fit.params(), Metrics: metrics(fit.metrics(), end), Artifacts: artifacts,
		Tags:     map[string]string{"mlflow.source.git.commit": commit(), "mlflow.source.name": "train fit", "model_id": b.ID(), "program_version": version, "go_version": b.Provenance.Go},
		Datasets: []mlflow.Dataset{{Name: filepath.Base(flags.Data), Digest: fit.set.Digest[:32], Source: filepath.Base(flags.Data), Context: "training"}},
		Model: &mlflow.Model{
			Name: f.Register, Alias: f.Alias, Version: version, Inputs: b.Schema.Names(), Outputs: []string{"anomaly_score"},
			Description: fmt.Sprintf("isolation forest over %v, %d rows", b.Schema.Names(), b.Provenance.Rows),
			Data:        mlflow.Artifact{Path: fit.version + ".model", File: filepath.Join(store, fit.version+".model")},
			Metadata:    map[string]string{"schema_hash": b.Provenance.SchemaHash, "data_digest": b.Provenance.DataDigest},
		},
	}
	if run.Tags["mlflow.source.git.commit"] == "" {
		delete(run.Tags, "mlflow.source.git.commit")
	}
	run.Children = fit.children(started, end)
	return run, nil
}

func (f *fitting) params() map[string]string {
	p := f.point().Params()
	p["features"], p["interval"] = fmt.Sprint(f.Schema.Names()), f.Schema.Interval.String()
	p["rows"], p["groups"] = fmt.Sprint(f.set.Seen), fmt.Sprint(f.set.Groups)
	return p
}

// children are the points of the grid.
func (f *fitting) children(start, end time.Time) (runs []mlflow.Run) {
	if f.search == nil {
		return nil
	}
	for i, t := range f.search.Trials {
		run := mlflow.Run{
			Name: fmt.Sprintf("point %d", i+1), Start: start, End: end, Params: t.Params(), Status: mlflow.Finished,
			Tags: map[string]string{"chosen": fmt.Sprint(i == f.search.Best), "incidents": map[bool]string{true: "planted", false: "labelled"}[f.search.Planted]},
		}
		if t.Err != nil {
			run.Status, run.Tags["error"] = mlflow.Failed, t.Err.Error()
		} else {
			values := maps.Collect(t.All())
			values["alarms_per_host_week"] = t.AlarmsPerHostWeek
			run.Metrics = metrics(values, end)
		}
		runs = append(runs, run)
	}
	return runs
}

func metrics(values map[string]float64, at time.Time) (list []mlflow.Metric) {
	for key, value := range values {
		list = append(list, mlflow.Metric{Key: key, Value: value, Time: at})
	}
	return list
}

// artifacts are the report, its figures and its pictures.
func artifacts(d *report.Data, fit *fitting) (list []mlflow.Artifact, err error) {
	var page bytes.Buffer
	if err := report.Write(&page, d); err != nil {
		return nil, err
	}
	figures, err := json.MarshalIndent(reportSummary(d, "report.html"), "", "  ")
	if err != nil {
		return nil, err
	}
	summary, err := json.MarshalIndent(fit.summary(), "", "  ")
	if err != nil {
		return nil, err
	}
	list = []mlflow.Artifact{{Path: "report.html", Data: page.Bytes()}, {Path: "report.json", Data: figures}, {Path: "fit.json", Data: summary}}
	plots, err := report.Plots(d)
	if err != nil {
		return nil, err
	}
	for i, p := range plots {
		list = append(list, mlflow.Artifact{Path: fmt.Sprintf("plots/%d-%s.svg", i+1, p.Name), Data: []byte(p.SVG)})
	}
	return list, nil
}

type trackCmd struct{ storeFlag }

// Run uploads what waits.
func (c *trackCmd) Run(t *terminal) error {
	s := spool(c.Model)
	pending, err := s.Pending()
	if err != nil {
		return err
	}
	config, err := mlflow.FromEnv(os.Getenv)
	if err != nil {
		return err
	}
	client, err := mlflow.New(config)
	if err != nil {
		return err
	}
	sent, err := upload(t.ctx, s, client, pending)
	if err != nil {
		return fmt.Errorf("%w; %d of %d runs still wait", err, len(pending)-len(sent), len(pending))
	}
	return t.names(map[string]any{"uploaded": sent}, sent...)
}

func upload(ctx context.Context, s mlflow.Spool, client *mlflow.Client, pending []string) (sent []string, err error) {
	sent = []string{}
	for _, id := range pending {
		runID, _, err := s.Upload(ctx, client, id)
		if err != nil {
			return sent, err
		}
		sent = append(sent, runID)
	}
	return sent, nil
}
