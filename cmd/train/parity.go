package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"telegraf-anomaly/forest"
	"telegraf-anomaly/internal/eval"
	"telegraf-anomaly/internal/history"
)

//go:embed parity.py
var parityScript string

type parityCmd struct {
	Data   string  `arg:"" help:"Folder of CSV files with a label column." type:"existingdir"`
	Seeds  int     `help:"Forests per program." default:"10"`
	Python string  `help:"Python with scikit-learn." default:"python3" env:"SKLEARN_PYTHON" placeholder:"FILE"`
	Limit  float64 `help:"Standard errors that the means may be apart." default:"3.5"`
}

// parity is one set's row.
type parity struct {
	Set         string     `json:"set"`
	Rows        int        `json:"rows"`
	Columns     int        `json:"columns"`
	ROCAUC      comparison `json:"roc_auc"`
	AveragePrec comparison `json:"average_precision"`
}

// comparison is of two samples of one figure.
type comparison struct {
	Ours    float64 `json:"ours"`
	Theirs  float64 `json:"scikit_learn"`
	StdErrs float64 `json:"standard_errors_apart"`
}

// Run fits both on every set and prints the table.
func (c *parityCmd) Run(t *terminal) error {
	files, err := filepath.Glob(filepath.Join(c.Data, "*.csv.gz"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("%s holds no *.csv.gz", c.Data)
	}
	step := t.progress("set", len(files))
	apart := 0
	var rows []parity
	for _, file := range files {
		p, err := c.compare(t, file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		rows = append(rows, *p)
		if math.Max(math.Abs(p.ROCAUC.StdErrs), math.Abs(p.AveragePrec.StdErrs)) > c.Limit {
			apart++
		}
		step(p.Set)
	}
	err = t.result(rows, func(w io.Writer) { writeParity(w, rows, c.Seeds) })
	if err == nil && apart > 0 {
		err = fmt.Errorf("%w: %d of %d sets are more than %g standard errors apart", errGate, apart, len(rows), c.Limit)
	}
	return err
}

func writeParity(w io.Writer, rows []parity, seeds int) {
	lines := [][]string{{"SET", "ROWS", "COLUMNS", "ROC-AUC", "SCIKIT-LEARN", "APART", "AVG PREC", "SCIKIT-LEARN", "APART"}}
	for _, p := range rows {
		line := []string{p.Set, fmt.Sprint(p.Rows), fmt.Sprint(p.Columns)}
		for _, c := range []comparison{p.ROCAUC, p.AveragePrec} {
			line = append(line, fmt.Sprintf("%.4f", c.Ours), fmt.Sprintf("%.4f", c.Theirs), fmt.Sprintf("%+.2f se", c.StdErrs))
		}
		lines = append(lines, line)
	}
	table(w, lines...)
	fmt.Fprintf(w, "means of %d seeds each\n", seeds)
}

func (c *parityCmd) compare(t *terminal, file string) (*parity, error) {
	x, label, err := labelled(file)
	if err != nil {
		return nil, err
	}
	var auc, ap []float64
	for seed := range c.Seeds {
		f, err := forest.Fit(x, forest.Options{Seed: uint64(seed), Workers: runtime.NumCPU()})
		if err != nil {
			return nil, err
		}
		score := f.Scores(nil, x)
		auc, ap = append(auc, eval.ROCAUC(score, label)), append(ap, eval.AveragePrecision(score, label))
	}
	theirs, err := c.scikitLearn(t, file)
	if err != nil {
		return nil, err
	}
	n, columns := x.Dims()
	name, _, _ := strings.Cut(filepath.Base(file), ".")
	return &parity{Set: name, Rows: n, Columns: columns, ROCAUC: compare(auc, theirs.ROCAUC), AveragePrec: compare(ap, theirs.AveragePrecision)}, nil
}

// compare gives the difference of the means in standard errors of the difference
// (Welch). A figure without any spread is as good as equal within 1e-9.
func compare(ours, theirs []float64) comparison {
	c := comparison{Ours: stat.Mean(ours, nil), Theirs: stat.Mean(theirs, nil)}
	se := math.Sqrt(stat.Variance(ours, nil)/float64(len(ours)) + stat.Variance(theirs, nil)/float64(len(theirs)))
	if d := c.Ours - c.Theirs; math.Abs(d) > 1e-9 {
		c.StdErrs = d / se
	}
	return c
}

// labelled reads a whole table.
func labelled(file string) (*mat.Dense, []bool, error) {
	c, err := history.OpenCSV(file, nil)
	if err != nil {
		return nil, nil, err
	}
	defer c.Close()
	var values []float64
	var label []bool
	for {
		row, err := c.Next()
		if errors.Is(err, io.EOF) {
			return mat.NewDense(len(label), len(c.Features()), values), label, nil
		}
		if err != nil {
			return nil, nil, err
		}
		values, label = append(values, row.Values...), append(label, row.Label)
	}
}

type sklearnFigures struct {
	ROCAUC           []float64 `json:"roc_auc"`
	AveragePrecision []float64 `json:"average_precision"`
}

func (c *parityCmd) scikitLearn(t *terminal, file string) (*sklearnFigures, error) {
	command := exec.CommandContext(t.ctx, c.Python, "-c", parityScript, file, fmt.Sprint(c.Seeds))
	var complaint bytes.Buffer
	command.Stderr = &complaint
	command.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	out, err := command.Output()
	if err != nil {
		text := strings.TrimSpace(complaint.String())
		return nil, fmt.Errorf("%s: %w: %s (SKLEARN_PYTHON names a Python that has scikit-learn)", c.Python, err, text[max(0, len(text)-300):])
	}
	var f sklearnFigures
	return &f, json.Unmarshal(out, &f)
}
