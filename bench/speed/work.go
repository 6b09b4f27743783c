package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"gonum.org/v1/gonum/mat"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/shap"
)

// Who takes part.
const (
	us           = "this project"
	sklearn      = "scikit-learn + shap"
	oneByOne     = "scikit-learn + shap, row by row"
	isotree      = "isotree"
	fastTreeSHAP = "FastTreeSHAP"
	goPeer       = "Go: e-XpertSolutions"
)

const (
	testRows   = 4096
	scoreBatch = 2048 // rows that a peer is given at once
	shapBatch  = 128
	turnTime   = 200 * time.Millisecond
)

// widths of rows: cpu, memory and network as they are; with mean and deviation,
// the default schema; a machine of the Server Machine Dataset.
var widths = []int{3, 9, 38}

// players of a width: three features of three columns each, else every column is
// its own. Peers know single columns only.
func players(columns int) []int {
	if columns != 9 {
		return nil
	}
	return []int{0, 0, 0, 1, 1, 1, 2, 2, 2}
}

// data writes rows to fit and rows to work on, for peers, and returns them.
func data(dir string, columns int) (train, test *mat.Dense, err error) {
	train, test = normal(rows, columns, 1), normal(testRows, columns, 2)
	err = save(filepath.Join(dir, fmt.Sprint("train", columns)), train)
	if err == nil {
		err = save(filepath.Join(dir, fmt.Sprint("test", columns)), test)
	}
	return train, test, err
}

// normal are rows of a normal distribution whose columns have half of their
// variance in common, as the metrics of one machine do.
func normal(n, columns int, seed uint64) *mat.Dense {
	r, x := rand.New(rand.NewPCG(seed, 0)), mat.NewDense(n, columns, nil)
	for i := range n {
		common := r.NormFloat64()
		for c := range columns {
			x.Set(i, c, common+r.NormFloat64())
		}
	}
	return x
}

// own are this project's contenders for rows of one width.
type own struct {
	train, test *mat.Dense
	forest      *forest.Forest
	explainer   *shap.Explainer
	phi         []float64
	turn        int
	sink        float64
}

func newOwn(train, test *mat.Dense, o forest.Options) (*own, error) {
	_, columns := train.Dims()
	f, err := forest.Fit(train, o)
	if err != nil {
		return nil, err
	}
	e, err := shap.New(f, players(columns))
	if err != nil {
		return nil, err
	}
	return &own{train: train, test: test, forest: f, explainer: e, phi: make([]float64, e.Players())}, nil
}

func (o *own) row() []float64 {
	o.turn = (o.turn + 1) % testRows
	return o.test.RawRowView(o.turn)
}

func (o *own) score() { o.sink += o.forest.Score(o.row()) }

// explain reads the score from the explanation, as the served path does.
func (o *own) explain() {
	bits := o.explainer.BaseBits()
	for _, phi := range o.explainer.Bits(o.phi, o.row()) {
		bits += phi
	}
	o.sink += math.Exp2(bits)
}

func (o *own) fit() (float64, error) {
	var err error
	us := best(turnTime, func() { _, err = forest.Fit(o.train, forest.Options{}) })
	return us, err
}

// each measures a call of ours.
func each(call func()) func() (float64, error) {
	return func() (float64, error) { return best(turnTime, call), nil }
}

// theirs measures a peer on so many rows at once.
func (p *peer) measure(what string, rows int) func() (float64, error) {
	return func() (float64, error) {
		a, err := p.ask(request{Do: "measure", What: what, Rows: rows, Seconds: turnTime.Seconds()})
		return a.Microseconds, err
	}
}

func (p *peer) fit() (float64, error) {
	a, err := p.ask(request{Do: "fit", Seconds: turnTime.Seconds()})
	return a.Microseconds, err
}

// rowwise compares everybody on rows of each width.
func (b *bench) rowwise() error {
	var err error
	if b.peers, err = b.guests(); err != nil {
		return err
	}
	for _, columns := range widths {
		train, test, err := data(b.dir, columns)
		if err != nil {
			return err
		}
		o, err := newOwn(train, test, forest.Options{})
		if err != nil {
			return err
		}
		for _, p := range b.peers {
			a, err := p.load(b.dir, columns)
			for name, version := range a.Versions {
				b.report.Versions[name] = version
			}
			if err != nil {
				fmt.Fprintf(os.Stderr, "%s is not run: %v\n", p.who, err)
			}
		}
		b.compare(o, columns)
	}
	return b.verdict()
}

func (b *bench) compare(o *own, columns int) {
	sk, iso, fast, gop := b.peer(sklearn), b.peer(isotree), b.peer(fastTreeSHAP), b.peer(goPeer)
	b.add(alternate(fmt.Sprintf("score a row, %d columns", columns), b.rounds,
		contender{us, each(o.score)},
		contender{sklearn, sk.measure("score", scoreBatch)},
		contender{oneByOne, sk.measure("score", 1)},
		contender{isotree, iso.measure("score", scoreBatch)},
		contender{isotree + ", row by row", iso.measure("score", 1)},
		contender{goPeer, gop.measure("score", 1)}))
	b.add(alternate(fmt.Sprintf("score and explain a row, %d columns", columns), b.rounds,
		contender{us, each(o.explain)},
		contender{sklearn, sk.measure("explain", shapBatch)},
		contender{oneByOne, sk.measure("explain", 1)},
		contender{fastTreeSHAP, fast.measure("explain", shapBatch)}))
	b.add(alternate(fmt.Sprintf("fit 100 trees × 256 on %d rows, %d columns", rows, columns), b.rounds,
		contender{us, o.fit},
		contender{sklearn, sk.fit},
		contender{isotree, iso.fit},
		contender{goPeer, gop.fit}))
}

// verdict is what the detector takes for all that it says of a vector of the
// default schema: columns, terms, score, explanation, ranking.
func (b *bench) verdict() error {
	bundle, err := fit(100)
	if err != nil {
		return err
	}
	s := bundle.Schema
	x, err := contexts(&s)
	if err != nil {
		return err
	}
	scorer, turn := detect.NewScorer(bundle.Detector), 0
	var v detect.Verdict
	b.add(alternate("whole verdict, default schema", b.rounds, contender{us, each(func() {
		turn = (turn + 1) % rows
		if e := scorer.Explain(&v, x.RawRowView(turn)); e != nil {
			err = e
		}
	})}))
	return err
}
