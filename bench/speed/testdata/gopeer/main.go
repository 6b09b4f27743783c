// Command gopeer is the Go peer of bench/speed: the isolation forest of
// e-XpertSolutions, behind the same requests as peer.py.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/e-XpertSolutions/go-iforest/iforest"
)

type request struct {
	Do, What, Train, Test string
	Columns, Rows         int
	Seconds               float64
}

type answer struct {
	Microseconds float64 `json:"microseconds"`
	Bytes        int64   `json:"bytes"`
	Error        string  `json:"error,omitempty"`
}

type server struct {
	train, rows [][]float64
	forest      *iforest.Forest
	turn        int
}

func main() {
	var s server
	out := os.Stdout
	os.Stdout = os.Stderr // the library prints while it trains
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var r request
		err := json.Unmarshal(in.Bytes(), &r)
		var a answer
		if err == nil {
			a, err = s.answer(&r)
		}
		if err != nil {
			a.Error = err.Error()
		}
		text, err := json.Marshal(a)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Fprintln(out, string(text))
	}
}

func (s *server) answer(r *request) (answer, error) {
	switch r.Do {
	case "load":
		var err error
		if s.train, err = read(r.Train, r.Columns); err != nil {
			return answer{}, err
		}
		if s.rows, err = read(r.Test, r.Columns); err != nil {
			return answer{}, err
		}
		s.forest = s.fit()
		return answer{}, s.forest.Test(s.train)
	case "fit":
		return answer{Microseconds: best(func() { s.fit() }, 1, r.Seconds)}, nil
	case "measure":
		var err error
		us := best(func() {
			at := s.turn % (len(s.rows) - r.Rows + 1)
			s.turn += r.Rows
			if _, _, e := s.forest.Predict(s.rows[at : at+r.Rows]); e != nil {
				err = e
			}
		}, r.Rows, r.Seconds)
		return answer{us, resident(), ""}, err
	case "size":
		file := filepath.Join(os.TempDir(), fmt.Sprintf("gopeer-%d.json", os.Getpid()))
		defer os.Remove(file)
		if err := s.forest.Save(file); err != nil {
			return answer{}, err
		}
		info, err := os.Stat(file)
		if err != nil {
			return answer{}, err
		}
		return answer{Bytes: info.Size()}, nil
	}
	return answer{}, fmt.Errorf("unknown request %q", r.Do)
}

func (s *server) fit() *iforest.Forest {
	f := iforest.NewForest(100, 256, 0.01)
	f.Train(s.train)
	return f
}

// best is the least processor time per unit, in microseconds, of calls in bundles
// that are long enough for the clock.
func best(call func(), units int, seconds float64) float64 {
	const bundle = 5 * time.Millisecond
	least, n := math.Inf(1), 1
	for end := used() + time.Duration(seconds*1e9); used() < end; {
		start := used()
		for range n {
			call()
		}
		d := used() - start
		if d < bundle {
			n *= 2
			continue
		}
		least = min(least, float64(d)/1e3/float64(n*units))
	}
	return least
}

func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func resident() int64 {
	var size, pages int64
	f, err := os.Open("/proc/self/statm")
	if err != nil {
		return 0
	}
	defer f.Close()
	_, _ = fmt.Fscan(f, &size, &pages)
	return pages * int64(os.Getpagesize())
}

func read(path string, columns int) (rows [][]float64, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for len(data) >= 8*columns {
		row := make([]float64, columns)
		for c := range row {
			bits := uint64(0)
			for k := 7; k >= 0; k-- {
				bits = bits<<8 | uint64(data[8*c+k])
			}
			row[c] = math.Float64frombits(bits)
		}
		rows, data = append(rows, row), data[8*columns:]
	}
	return rows, nil
}
