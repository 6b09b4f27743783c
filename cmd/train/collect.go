package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/history/influx"
)

// influxFlags say how to get at an InfluxDB.
type influxFlags struct {
	Database  string `help:"Database; with --flux the bucket." default:"telegraf" env:"INFLUX_DATABASE"`
	Retention string `help:"Retention policy of a 1.x." placeholder:"NAME"`
	Flux      bool   `help:"Ask in Flux: for a 2.x without a DBRP mapping."`
	Org       string `help:"Organisation, for Flux." env:"INFLUX_ORG" placeholder:"NAME"`
	TokenFile string `help:"File that holds the token. Else INFLUX_TOKEN, or INFLUX_USERNAME and INFLUX_PASSWORD." type:"path" placeholder:"FILE"`
}

func (f *influxFlags) client(url string) (*influx.Client, error) {
	token, err := secretOf(f.TokenFile, "INFLUX_TOKEN")
	if err != nil {
		return nil, err
	}
	client, err := influx.New(influx.Config{
		URL: url, Database: f.Database, Retention: f.Retention, Org: f.Org, Flux: f.Flux,
		Token: influx.Secret(token), Username: influx.Secret(os.Getenv("INFLUX_USERNAME")), Password: influx.Secret(os.Getenv("INFLUX_PASSWORD")),
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return client, nil
}

type collectCmd struct {
	URL string `help:"Address of the server." default:"http://127.0.0.1:8086" env:"INFLUX_HOST"`
	influxFlags
	Config string        `help:"Configuration file whose features are wanted." type:"path" placeholder:"FILE"`
	From   time.Time     `help:"Begin of the history, RFC 3339. Default: --last before the end." placeholder:"TIME"`
	To     time.Time     `help:"End of the history. Default: now." placeholder:"TIME"`
	Last   time.Duration `help:"Length of the history." default:"24h"`
	Every  time.Duration `help:"Average over this time (counters: keep the last); 0 for raw points." placeholder:"10s"`
	Also   []string      `help:"Further measurements to copy as they are, such as ai_predictions." placeholder:"NAME"`
	Output string        `short:"o" required:"" help:"File to write; unfinished it is called FILE.part, and the same command goes on with it." type:"path" placeholder:"FILE"`
}

// Validate implements kong's check of the command line.
func (c *collectCmd) Validate() error {
	switch {
	case !c.From.IsZero() && !c.To.IsZero() && !c.From.Before(c.To):
		return errors.New("--from must be before --to")
	case c.Last <= 0 || c.Every < 0:
		return errors.New("--last must be above 0, and --every not below")
	}
	return nil
}

// Run downloads history.
func (c *collectCmd) Run(t *terminal) error {
	if _, err := os.Stat(c.Output); err == nil {
		return fmt.Errorf("%s exists already; remove it or name another file", c.Output)
	}
	client, err := c.client(c.URL)
	if err != nil {
		return err
	}
	r, err := c.request()
	if err != nil {
		return err
	}
	return download(t, client, r, c.Output)
}

func (c *collectCmd) request() (*influx.Request, error) {
	flags := schemaFlags{Config: c.Config}
	config, err := flags.read()
	if err != nil {
		return nil, err
	}
	engine, err := config.Engine()
	if err != nil {
		return nil, err
	}
	r := &influx.Request{Features: engine.Schema.Features, Extra: c.Also, From: c.From, To: c.To, Every: c.Every}
	if r.To.IsZero() {
		r.To = time.Now().Truncate(time.Minute) // so that the same command soon after means the same
	}
	if r.From.IsZero() {
		r.From = r.To.Add(-c.Last)
	}
	return r, nil
}

func download(t *terminal, client *influx.Client, r *influx.Request, path string) error {
	steps := 0
	var last influx.Progress
	resumed, err := client.Download(t.ctx, r, path, func(p influx.Progress) {
		if steps++; steps&(steps-1) == 0 { // ever more seldom
			t.say("up to %s: %d bytes", p.Until.Format(time.RFC3339), p.Bytes)
		}
		last = p
	})
	if _, none := os.Stat(path + ".part"); err != nil && none == nil {
		return fmt.Errorf("%w (what is there is kept in %s.part; the same command goes on with it)", err, path)
	}
	if err != nil {
		return err
	}
	if last.Bytes == 0 {
		t.warn("there is nothing between %s and %s; see what `train check` says", r.From.Format(time.RFC3339), r.To.Format(time.RFC3339))
	}
	if resumed > 0 {
		t.say("%d bytes were there from an earlier run", resumed)
	}
	result := map[string]any{"file": path, "bytes": last.Bytes, "from": r.From, "to": r.To, "resumed_bytes": resumed}
	return t.names(result, path)
}

// fetch copies recent history into a temporary file.
func (c *validateCmd) fetch(t *terminal) (file string, remove func(), err error) {
	client, err := c.client(c.Influx)
	if err != nil {
		return "", nil, err
	}
	config, err := c.read()
	if err != nil {
		return "", nil, err
	}
	engine, err := config.Engine()
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "train-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	now := time.Now()
	file = filepath.Join(dir, "live.lp")
	r := &influx.Request{Features: engine.Schema.Features, From: now.Add(-c.Last), To: now}
	var last influx.Progress
	_, err = client.Download(t.ctx, r, file, func(p influx.Progress) { last = p })
	if err == nil && last.Bytes == 0 {
		err = fmt.Errorf("%w: %s has nothing of the last %v in %s; see what `train check` says", errData, client, c.Last, c.Database)
	}
	if err != nil {
		remove()
		return "", nil, err
	}
	return file, remove, nil
}

type checkCmd struct {
	URL string `help:"Address of the server." default:"http://127.0.0.1:8086" env:"INFLUX_HOST"`
	influxFlags
	Config string        `help:"Configuration file whose features are wanted." type:"path" placeholder:"FILE"`
	Last   time.Duration `help:"How far to look back." default:"15m"`
}

// Validate implements kong's check of the command line.
func (c *checkCmd) Validate() error {
	if c.Last <= 0 {
		return errors.New("--last must be above 0")
	}
	return nil
}

// finding is one thing that check looked at, with a hint if it is amiss.
type finding struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
}

// Run looks at the server and fails with errGate if anything is amiss.
func (c *checkCmd) Run(t *terminal) error {
	client, err := c.client(c.URL)
	if err != nil {
		return err
	}
	flags := schemaFlags{Config: c.Config}
	config, err := flags.read()
	if err != nil {
		return err
	}
	engine, err := config.Engine()
	if err != nil {
		return err
	}
	findings := c.look(t, client, engine.Schema)
	bad := 0
	for _, f := range findings {
		if !f.OK {
			bad++
		}
	}
	err = t.result(findings, func(w io.Writer) {
		for _, f := range findings {
			f.write(w)
		}
	})
	if err == nil && bad > 0 {
		err = fmt.Errorf("%w: %d of %d checks failed", errGate, bad, len(findings))
	}
	return err
}

func (f *finding) write(w io.Writer) {
	mark := "ok  "
	if !f.OK {
		mark = "FAIL"
	}
	fmt.Fprintf(w, "%s  %s: %s\n", mark, f.What, f.Text)
	if !f.OK && f.Hint != "" {
		fmt.Fprintf(w, "      hint: %s\n", f.Hint)
	}
}

func (c *checkCmd) look(t *terminal, client *influx.Client, s feature.Schema) []finding {
	if c.Flux { // has no lists that every token may read
		return c.fields(t, client, s)
	}
	databases, err := client.Databases(t.ctx)
	if err != nil {
		return []finding{{"connection", false, err.Error(), c.hint(err)}}
	}
	findings := []finding{
		{What: "connection", OK: true, Text: client.String()},
		listing("database "+c.Database, databases, c.Database, "create it, or name another with --database; a bucket of 2.x without a DBRP mapping needs --flux"),
	}
	if !findings[1].OK { // nothing can be asked about what is in it
		return findings
	}
	measurements, err := client.Measurements(t.ctx)
	if err != nil {
		return append(findings, finding{"measurements", false, err.Error(), "may this user read the database?"})
	}
	wanted := map[string]bool{}
	for _, f := range s.Features {
		if !wanted[f.Measurement] {
			wanted[f.Measurement] = true
			findings = append(findings, listing("measurement "+f.Measurement, measurements, f.Measurement, "enable inputs."+f.Measurement+" in telegraf.conf"))
		}
	}
	return append(findings, c.fields(t, client, s)...)
}

// hint is for a server that gives no answer.
func (c *checkCmd) hint(err error) string {
	switch {
	case errors.Is(err, influx.ErrLarge):
		return "look back less far with --last"
	case c.Flux:
		return "are the address, --org and the bucket (--database) right, is the server up, may the token read the bucket?"
	}
	return "is the address right, the server up, and the token or password set? 2.x without a DBRP mapping needs --flux"
}

func listing(what string, there []string, wanted, hint string) finding {
	for _, name := range there {
		if name == wanted {
			return finding{What: what, OK: true, Text: "is there"}
		}
	}
	if len(there) > 20 {
		there = append(there[:20:20], "…")
	}
	if len(there) == 0 {
		there = []string{"none"}
	}
	return finding{what, false, "is not there; there are: " + strings.Join(there, ", "), hint}
}

func (c *checkCmd) fields(t *terminal, client *influx.Client, s feature.Schema) (findings []finding) {
	now := time.Now()
	r := &influx.Request{Features: s.Features, From: now.Add(-c.Last), To: now.Add(time.Minute)}
	fields, hosts, err := client.Present(t.ctx, r, s.GroupBy[0])
	if err != nil {
		return []finding{{"fields", false, err.Error(), c.hint(err)}}
	}
	findings = append(findings, finding{s.GroupBy[0] + "s", len(hosts) > 0, fmt.Sprintf("%d in the last %v", len(hosts), c.Last), "is Telegraf running and writing to this database? A larger --last finds older points"})
	for _, f := range fields {
		text := fmt.Sprintf("%d series, newest %v ago", f.Series, now.Sub(f.Newest).Round(time.Second))
		hint := "it is too old: is Telegraf still running, are the clocks right?"
		ok := f.Series > 0 && f.Wrong == "" && now.Sub(f.Newest) < c.Last
		if f.Series == 0 {
			text, hint = fmt.Sprintf("none in the last %v", c.Last), "is the input configured, and does a processor or a namepass drop it?"
		}
		if f.Wrong != "" {
			text, hint = "not a number: "+f.Wrong, "a feature's fields must be numbers"
		}
		findings = append(findings, finding{"field " + f.Measurement + "." + f.Field, ok, text, hint})
	}
	return findings
}
