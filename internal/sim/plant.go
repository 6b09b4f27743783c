package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"telegraf-anomaly/internal/eval"
)

// Incidents that Plant knows, in units of a feature's own deviation (dev).
const (
	Spike          Kind = "spike"           // 1 to 3 rows, +4 to +8 dev
	LevelShift     Kind = "level_shift"     // 2 h, +1.5 to +3 dev
	Ramp           Kind = "ramp"            // 4 h, evenly up to +3 to +6 dev
	Flatline       Kind = "flatline"        // 1 h, stays what it was
	Drop           Kind = "drop"            // 20 min, nearly down to the 1 % quantile
	Burst          Kind = "burst"           // 30 min, up to three features +0.8 to +1.5 dev together
	BrokenRelation Kind = "broken_relation" // 90 min, mirrored at the median while related features are not
)

// planted kinds, longest first: that packs best.
var plantable = []struct {
	kind     Kind
	duration time.Duration
	shows    func(f *feature, span []float64) bool
	apply    func(p *planter, f *feature, span []float64)
}{
	{Ramp, 240 * time.Minute, always, ramp},
	{LevelShift, 120 * time.Minute, always, shift(1.5, 3)},
	{BrokenRelation, 90 * time.Minute, farFromMedian, mirror},
	{Flatline, 60 * time.Minute, moves, flat},
	{Burst, 30 * time.Minute, always, shift(.8, 1.5)},
	{Drop, 20 * time.Minute, aboveLow, drop},
	{Spike, 0, always, shift(4, 8)},
}

// Column is a feature of a record, whatever it may mean. Min and Max are its
// valid range; there is none if they are equal.
type Column struct {
	Name     string
	Min, Max float64
}

// Plant puts perKind incidents of each kind into rows (one value per column, NaN
// where missing, a row every interval), in place, and gives them in the order of
// their starts; eval.Rows turns them into labels. They are an hour apart or more.
// In a short record durations and distances shrink together until incidents and
// distances fill half of it.
//
// An incident that would change next to nothing is not planted: a column without
// any deviation is left alone, a flatline needs a column that moves, a drop one
// that is up, a broken relation a column whose correlation with another is at
// least 0.5 in size. A kind that finds no such place is missing from the result.
// Columns that never change, or too few rows, are an error.
//
// Planted incidents serve to choose parameters where nobody has labelled
// anything. They are the authors' idea of incidents, and a report should say so.
func Plant(seed uint64, rows [][]float64, columns []Column, interval time.Duration, perKind int) ([]eval.Event, error) {
	if interval <= 0 {
		return nil, errors.New("sim: plant: interval must be positive")
	}
	features, err := profile(rows, columns)
	if err != nil {
		return nil, err
	}
	p := &planter{rows: rows, features: features, random: rand.New(rand.NewPCG(seed, 2))}
	p.measure(interval, perKind)
	for i := range plantable {
		for range perKind {
			if err := p.plant(i); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(p.events, func(a, b eval.Event) int { return a.Start - b.Start })
	return p.events, nil
}

type planter struct {
	rows     [][]float64
	features []*feature
	random   *rand.Rand
	lengths  []int // rows of each kind
	distance int
	events   []eval.Event
}

const (
	maxSpike     = 3
	minIncident  = 3 // rows, but for spikes
	maxAttempts  = 10_000
	burstColumns = 3
)

// measure turns durations into rows.
func (p *planter) measure(interval time.Duration, perKind int) {
	total := time.Duration(0)
	for _, k := range plantable {
		total += time.Duration(perKind) * (k.duration + quiet)
	}
	shrink := min(1, .5*float64(len(p.rows))*float64(interval)/float64(max(total, 1)))
	rows := func(d time.Duration) int { return int(shrink * float64(d) / float64(interval)) }
	for _, k := range plantable {
		p.lengths = append(p.lengths, max(minIncident, rows(k.duration)))
	}
	p.distance = max(minIncident, rows(quiet))
}

func (p *planter) plant(i int) error {
	k := plantable[i]
	candidates := p.features
	if k.kind == BrokenRelation {
		if candidates = p.related(); len(candidates) == 0 {
			return nil
		}
	}
	room := false
	for range maxAttempts {
		e, fits := p.draw(k.kind, p.lengths[i])
		if !fits {
			continue
		}
		room = true
		hit := p.choose(candidates, k.kind)
		if k.shows(hit[0], hit[0].values[e.Start:e.End]) {
			p.put(e, hit, k.apply)
			return nil
		}
	}
	if room {
		return nil
	}
	return fmt.Errorf("sim: plant: %d rows have no room for another %s: plant fewer or use more rows", len(p.rows), k.kind)
}

func (p *planter) draw(kind Kind, length int) (e eval.Event, fits bool) {
	if kind == Spike {
		length = 1 + p.random.IntN(maxSpike)
	}
	if length > len(p.rows) {
		return e, false
	}
	start := p.random.IntN(len(p.rows) - length + 1)
	e = eval.Event{Kind: string(kind), Start: start, End: start + length}
	return e, p.free(e)
}

func (p *planter) choose(candidates []*feature, kind Kind) []*feature {
	n := 1
	if kind == Burst {
		n = min(burstColumns, len(candidates))
	}
	hit := make([]*feature, n)
	for i, j := range p.random.Perm(len(candidates))[:n] {
		hit[i] = candidates[j]
	}
	return hit
}

func (p *planter) free(e eval.Event) bool {
	return !slices.ContainsFunc(p.events, func(other eval.Event) bool {
		return e.Start < other.End+p.distance && other.Start < e.End+p.distance
	})
}

func (p *planter) put(e eval.Event, hit []*feature, apply func(*planter, *feature, []float64)) {
	for _, f := range hit {
		apply(p, f, f.values[e.Start:e.End])
		for i := e.Start; i < e.End; i++ {
			p.rows[i][f.column] = f.clip(f.values[i])
		}
		e.Cause = append(e.Cause, f.Name)
	}
	slices.Sort(e.Cause)
	p.events = append(p.events, e)
}

func (p *planter) related() []*feature {
	var related []*feature
	for _, f := range p.features {
		if f.related {
			related = append(related, f)
		}
	}
	return related
}
