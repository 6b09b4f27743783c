package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"gonum.org/v1/gonum/mat"
)

// A peer is another implementation, in a process of its own that answers
// requests. One that could not be started says why to every request.
type peer struct {
	who     string
	command []string
	why     error

	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// request and answer are what testdata/peer.py and testdata/gopeer understand.
type request struct {
	Do      string  `json:"do"`
	What    string  `json:"what,omitempty"`
	Columns int     `json:"columns,omitempty"`
	Rows    int     `json:"rows,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
	Train   string  `json:"train,omitempty"`
	Test    string  `json:"test,omitempty"`
}

type answer struct {
	Microseconds float64           `json:"microseconds"`
	Bytes        int64             `json:"bytes"`
	Versions     map[string]string `json:"versions"`
	Error        string            `json:"error"`
}

// oneThread keeps numeric libraries from spreading over cores: what counts is
// work, and a processor beside Telegraf has no second core to itself.
var oneThread = []string{"OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", "MKL_NUM_THREADS=1", "NUMBA_NUM_THREADS=1"}

func (p *peer) start() error {
	p.process = exec.Command(p.command[0], p.command[1:]...)
	p.process.Env = append(os.Environ(), oneThread...)
	var err error
	if p.in, err = p.process.StdinPipe(); err != nil {
		return err
	}
	out, err := p.process.StdoutPipe()
	if err != nil {
		return err
	}
	p.out = bufio.NewReader(out)
	return p.process.Start()
}

func (p *peer) ask(r request) (a answer, err error) {
	if p.why == nil && p.process == nil {
		p.why = p.start()
	}
	if p.why != nil {
		return a, p.why
	}
	text, err := json.Marshal(r)
	if err != nil {
		return a, err
	}
	_, err = p.in.Write(append(text, '\n'))
	var line []byte
	if err == nil {
		line, err = p.out.ReadBytes('\n')
	}
	if err != nil {
		p.why = fmt.Errorf("%s ended in the middle: %w", p.who, err)
		return a, p.why
	}
	if err := json.Unmarshal(bytes.TrimSpace(line), &a); err != nil {
		return a, err
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

// load gives the peer rows to fit and rows to work on.
func (p *peer) load(dir string, columns int) (a answer, err error) {
	a, err = p.ask(request{
		Do: "load", Columns: columns,
		Train: filepath.Join(dir, fmt.Sprint("train", columns)), Test: filepath.Join(dir, fmt.Sprint("test", columns)),
	})
	if err != nil && p.why == nil {
		p.why = err
	}
	return a, err
}

func (p *peer) close() {
	if p.process == nil || p.process.Process == nil {
		return
	}
	p.in.Close()
	_ = p.process.Wait() // it was asked to end
}

// save writes a matrix the way numpy.fromfile reads it.
func save(path string, x *mat.Dense) error {
	n, columns := x.Dims()
	data := make([]byte, 0, 8*n*columns)
	for i := range n {
		for _, v := range x.RawRowView(i) {
			data, _ = binary.Append(data, binary.LittleEndian, v) // cannot fail
		}
	}
	return os.WriteFile(path, data, 0o600)
}
