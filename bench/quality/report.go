package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"telegraf-anomaly/bench/document"
	"telegraf-anomaly/internal/eval"
)

// figure is a mean over machines and seeds, with its deviation over seeds.
type figure struct {
	Mean float64 `json:"mean"`
	SD   float64 `json:"sd,omitempty"`
}

// row is what one detector reaches on one collection.
type row struct {
	Name    string             `json:"name"`
	Seeds   int                `json:"seeds"`
	Figures map[string]figure  `json:"figures"`
	Kinds   map[string]float64 `json:"recall_by_kind_at_one_alarm_per_day,omitempty"`
}

// columns of the tables: the figure's name, its heading and its digits.
var columns = []struct {
	name, heading string
	digits        int
}{
	{"average_precision", "AP", 3}, {"roc_auc", "ROC-AUC", 3}, {"best_f1", "best F1", 2}, {"f1", "F1", 2},
	{"event_recall", "event recall", 2}, {"false_alarms_per_day", "false alarms/day", 2},
	{"detection_delay_minutes", "delay, min", 1}, {"event_recall_at_one_alarm_per_day", "ER@1", 2},
	{"hit_rate_100", "HR@100", 2}, {"hit_rate_150", "HR@150", 2}, {"top_1", "top-1", 2},
}

func newRow(name string, results [][]result) row {
	r := row{Name: name, Seeds: len(results), Figures: map[string]figure{}, Kinds: map[string]float64{}}
	for _, c := range columns {
		if s := eval.OverSeeds(pick(results, c.name)); !math.IsNaN(s.Mean) {
			f := figure{Mean: s.Mean}
			if !math.IsNaN(s.SD) {
				f.SD = s.SD
			}
			r.Figures[c.name] = f
		}
	}
	r.kinds(results)
	return r
}

// pick gives one figure for each seed and machine. Incidents weigh the same in
// the naming figures, whatever their machine: a machine with one cause known
// would else weigh as much as one with thirty.
func pick(results [][]result, name string) [][]float64 {
	out := make([][]float64, len(results))
	for s, machines := range results {
		if slices.Contains([]string{"hit_rate_100", "hit_rate_150", "top_1"}, name) {
			out[s] = []float64{naming(machines, name)}
			continue
		}
		for _, m := range machines {
			value := math.NaN()
			for n, v := range m.All() {
				if n == name {
					value = v
				}
			}
			out[s] = append(out[s], value)
		}
	}
	return out
}

func naming(machines []result, name string) float64 {
	sum, events := 0.0, 0
	for _, m := range machines {
		if n := m.Naming; n != nil {
			value := map[string]float64{"hit_rate_100": n.HitRate100, "hit_rate_150": n.HitRate150, "top_1": n.Top1}[name]
			sum += value * float64(n.Events)
			events += n.Events
		}
	}
	return sum / float64(events)
}

func (r *row) kinds(results [][]result) {
	values := map[string][]float64{}
	for _, machines := range results {
		for _, m := range machines {
			for kind, recall := range m.Kinds {
				values[kind] = append(values[kind], recall)
			}
		}
	}
	delete(values, "")
	for kind, v := range values {
		r.Kinds[kind] = eval.Summarize(v).Mean
	}
}

// table is one collection's section.
type table struct {
	Name     string   `json:"name"`
	Machines []string `json:"machines"`
	Events   int      `json:"events"`
	Rows     []row    `json:"rows"`
}

// report is everything that was measured.
type report struct {
	Seeds       int         `json:"seeds"`
	Collections []table     `json:"collections"`
	NAB         []row       `json:"nab,omitempty"`
	Capture     *recordings `json:"capture,omitempty"`
}

func (r *report) add(c *collection, machines []*machine, rows []row) {
	t := table{Name: c.Name, Rows: rows}
	for _, m := range machines {
		t.Machines = append(t.Machines, m.name)
		t.Events += len(m.test.Series[0].Events)
	}
	r.Collections = append(r.Collections, t)
	terminal(fmt.Sprintf("%s: %d machines, %d incidents", t.Name, len(t.Machines), t.Events), rows)
}

// terminal shows a section at once: the whole takes a while.
func terminal(title string, rows []row) {
	fmt.Println(title)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, line := range cells(rows) {
		fmt.Fprintln(w, strings.Join(line, "\t"))
	}
	_ = w.Flush() // to a terminal
	fmt.Println()
}

func cells(rows []row) [][]string {
	head := []string{"detector"}
	for _, c := range columns {
		head = append(head, c.heading)
	}
	lines := [][]string{head}
	for _, r := range rows {
		line := []string{r.Name}
		for _, c := range columns {
			line = append(line, r.Figures[c.name].text(r, c.name, c.digits))
		}
		lines = append(lines, line)
	}
	return lines
}

func (f figure) text(r row, name string, digits int) string {
	if _, ok := r.Figures[name]; !ok {
		return "–"
	}
	if r.Seeds > 1 {
		return fmt.Sprintf("%.*f ± %.*f", digits, f.Mean, digits, f.SD)
	}
	return fmt.Sprintf("%.*f", digits, f.Mean)
}

// markdown writes the section of docs/BENCHMARKS.md.
func (r *report) markdown(w io.Writer) {
	for _, t := range r.Collections {
		fmt.Fprintf(w, "### %s: %d machines, %d incidents\n\n", t.Name, len(t.Machines), t.Events)
		document.Table(w, cells(t.Rows))
		kindsTable(w, t.Rows)
	}
	if r.NAB != nil {
		fmt.Fprintf(w, "### NAB, retrained daily\n\n")
		document.Table(w, cells(r.NAB))
	}
	if r.Capture != nil {
		r.Capture.markdown(w)
	}
}

// kindsTable gives the recall of each kind of incident at one false alarm a day.
func kindsTable(w io.Writer, rows []row) {
	kinds := map[string]bool{}
	for _, r := range rows {
		for kind := range r.Kinds {
			kinds[kind] = true
		}
	}
	if len(kinds) == 0 {
		return
	}
	names := slices.Sorted(maps.Keys(kinds))
	table := [][]string{append([]string{"detector"}, names...)}
	for _, r := range rows {
		line := []string{r.Name}
		for _, kind := range names {
			line = append(line, fmt.Sprintf("%.2f", r.Kinds[kind]))
		}
		table = append(table, line)
	}
	fmt.Fprint(w, "Event recall by kind, at no more than one false alarm a day:\n\n")
	document.Table(w, table)
}

// write puts the report where the options say.
func (r *report) write(o *options) error {
	if err := document.JSON(o.JSON, r); err != nil {
		return err
	}
	if o.Docs == "" {
		return nil
	}
	return document.Section(o.Docs, "make bench-quality", r.markdown)
}
