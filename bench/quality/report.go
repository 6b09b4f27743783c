package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

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
		markdownTable(w, t.Rows)
		kindsTable(w, t.Rows)
	}
	if r.NAB != nil {
		fmt.Fprintf(w, "### NAB, retrained daily\n\n")
		markdownTable(w, r.NAB)
	}
	if r.Capture != nil {
		r.Capture.markdown(w)
	}
}

func markdownTable(w io.Writer, rows []row) {
	for i, line := range cells(rows) {
		fmt.Fprintf(w, "| %s |\n", strings.Join(line, " | "))
		if i == 0 {
			fmt.Fprintf(w, "|%s\n", strings.Repeat(" --- |", len(line)))
		}
	}
	fmt.Fprintln(w)
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
	var names []string
	for kind := range kinds {
		names = append(names, kind)
	}
	slices.Sort(names)
	fmt.Fprintf(w, "Event recall by kind, at no more than one false alarm a day:\n\n| detector | %s |\n|%s\n",
		strings.Join(names, " | "), strings.Repeat(" --- |", len(names)+1))
	for _, r := range rows {
		fmt.Fprintf(w, "| %s |", r.Name)
		for _, kind := range names {
			fmt.Fprintf(w, " %.2f |", r.Kinds[kind])
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w)
}

// write puts the report where the options say.
func (r *report) write(o *options) error {
	if o.JSON != "" {
		text, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.JSON, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	if o.Docs == "" {
		return nil
	}
	return r.document(o.Docs)
}

// The markers of the section that is this program's.
const (
	begin = "<!-- make bench-quality begins -->\n"
	end   = "<!-- make bench-quality ends -->\n"
)

func (r *report) document(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no section between %q and %q", path, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	var b strings.Builder
	b.WriteString(before + begin + "\n")
	r.markdown(&b)
	b.WriteString(end + after)
	return os.WriteFile(path, []byte(b.String()), 0o644)
}
