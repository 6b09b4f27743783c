package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"telegraf-anomaly/internal/detect"
	"telegraf-anomaly/internal/feature"
	"telegraf-anomaly/internal/model"
	"telegraf-anomaly/internal/retrain"
)

// Models are fitted in a process of their own, this program with the flag -fit, which
// gets what everybody else leaves of the processor. A thread of low priority in the
// stream's process would do worse: what it allocates makes the collector run, and
// each time that stops the world, every line waits until that thread has had its turn.

// fitTime is how long a fit may take. It waits for a machine that has nothing left.
const fitTime = 10 * time.Minute

// order is what the process is told, as JSON; the sample follows as it is.
type order struct {
	Unit     string
	Schema   feature.Schema
	Options  detect.Options
	Interval time.Duration // of Options, whose JSON lacks it
	Serving  []byte        // model file; empty if there is none
}

// answer is what it sends back, as JSON.
type answer struct {
	Model      []byte // model file
	Comparison *retrain.Comparison
}

// apart is the path of the program that fits.
type apart string

// fit carries out a task in another process, or, where none can be started, in this
// one.
func (program apart) fit(t *retrain.Task) (fresh retrain.Outcome, err error) {
	o := order{Unit: t.Unit, Schema: t.Schema, Options: t.Options, Interval: t.Options.Interval}
	if t.Serving != nil {
		if o.Serving, err = t.Serving.Encode(); err != nil {
			return fresh, err
		}
	}
	head, err := json.Marshal(o)
	if err != nil {
		return fresh, fmt.Errorf("sending a sample to be fitted: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), fitTime)
	defer cancel()
	c := exec.CommandContext(ctx, string(program), "-fit")
	var reply, complaint bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = io.MultiReader(bytes.NewReader(head), bytes.NewReader(t.Sample)), &reply, &complaint
	if c.Start() != nil {
		return retrain.Fit(t)
	}
	if err := c.Wait(); err != nil {
		why, _, _ := strings.Cut(complaint.String(), "\n")
		return fresh, errors.Join(ctx.Err(), fmt.Errorf("the process that fits: %w: %s", err, why))
	}
	var a answer
	if err := json.Unmarshal(reply.Bytes(), &a); err != nil {
		return fresh, fmt.Errorf("the answer of the process that fits: %w", err)
	}
	fresh.Comparison = a.Comparison
	fresh.Bundle, err = model.Decode(a.Model)
	return fresh, err
}

// self is this program, also when a newer one has taken its place on the disk.
func self() apart {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe"
	}
	path, _ := os.Executable() // none cannot be started
	return apart(path)
}

// runFit is the other process.
func runFit(stdin io.Reader, stdout, stderr io.Writer) int {
	yield()
	runtime.GOMAXPROCS(1)
	if err := fitHere(stdin, stdout); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

func fitHere(stdin io.Reader, stdout io.Writer) error {
	t, err := readTask(stdin)
	if err != nil {
		return fmt.Errorf("reading what to fit: %w", err)
	}
	fresh, err := retrain.Fit(t)
	if err != nil {
		return err
	}
	a := answer{Comparison: fresh.Comparison}
	if a.Model, err = fresh.Bundle.Encode(); err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(a)
}

func readTask(in io.Reader) (*retrain.Task, error) {
	var o order
	head := json.NewDecoder(in)
	if err := head.Decode(&o); err != nil {
		return nil, err
	}
	t := &retrain.Task{Unit: o.Unit, Schema: o.Schema, Options: o.Options}
	t.Options.Interval = o.Interval
	var err error
	if t.Sample, err = io.ReadAll(io.MultiReader(head.Buffered(), in)); err != nil || len(o.Serving) == 0 {
		return t, err
	}
	t.Serving, err = model.Decode(o.Serving)
	return t, err
}
