package trainer

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"telegraf-anomaly/internal/history"
)

// A Period is a stretch of time, its end excluded.
type Period struct{ From, To time.Time }

func (p Period) holds(t int64) bool { return t >= p.From.UnixNano() && t < p.To.UnixNano() }

// An Incident is what people know of a bad moment.
type Incident struct {
	Period
	Number int    // tells incidents that touch apart
	Group  string // "" for all
	Kind   string
	Cause  []string
}

func parsePeriod(from, to string) (p Period, err error) {
	if p.From, err = parseTime(from); err != nil {
		return p, err
	}
	if p.To, err = parseTime(to); err != nil {
		return p, err
	}
	if !p.To.After(p.From) {
		return p, fmt.Errorf("%s is not after %s", to, from)
	}
	return p, nil
}

func parseTime(s string) (time.Time, error) {
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		return time.UnixMicro(int64(seconds * 1e6)).UTC(), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%q is neither RFC 3339 nor Unix seconds", s)
	}
	return t, nil
}

// ReadLabels reads incidents from a CSV with the columns start and end and, where
// known, kind, cause (features joined by ; or +) and group.
func ReadLabels(path string) ([]Incident, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	incidents, err := parseLabels(csv.NewReader(f))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return incidents, nil
}

func parseLabels(r *csv.Reader) (incidents []Incident, err error) {
	header, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("no header: %w", err)
	}
	if !slices.Contains(header, "start") || !slices.Contains(header, "end") {
		return nil, fmt.Errorf("columns are %v; start and end must be among them", header)
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return incidents, nil
		}
		if err != nil {
			return nil, err
		}
		cell := func(name string) string {
			if i := slices.Index(header, name); i >= 0 {
				return row[i]
			}
			return ""
		}
		incident := Incident{Number: len(incidents) + 1, Group: cell("group"), Kind: cell("kind")}
		if incident.Period, err = parsePeriod(cell("start"), cell("end")); err != nil {
			return nil, fmt.Errorf("incident %d: %w", incident.Number, err)
		}
		incident.Cause = strings.FieldsFunc(cell("cause")+cell("culprit"), func(c rune) bool { return c == ';' || c == '+' })
		incidents = append(incidents, incident)
	}
}

// index finds the incident of a moment.
type index struct {
	incidents []Incident
	last      Incident // of a CSV's rows
}

func newIndex(incidents []Incident) index { return index{incidents: incidents} }

func (x *index) at(t int64, group string) *Incident {
	for i := range x.incidents {
		if in := &x.incidents[i]; in.holds(t) && (in.Group == "" || in.Group == group) {
			return in
		}
	}
	return nil
}

func (x *index) row(r history.Row) *Incident {
	x.last = Incident{Number: r.Event, Kind: r.Kind, Cause: r.Cause}
	return &x.last
}
