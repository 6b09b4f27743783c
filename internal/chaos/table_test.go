package chaos

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTable(t *testing.T) {
	var text bytes.Buffer
	failed := Table(&text, []Result{
		{Name: "kill", In: 10, Out: 8, Lost: 2, Allowed: 2, Stored: 6, Back: 1234567 * time.Microsecond, Before: 20e6, Most: 21e6, Log: []string{"E! gone (2 times)"}},
		{Name: "away", In: 10, Out: 5, Lost: 5, Allowed: -1, Stored: 3, Wrong: []string{"something"}},
	})
	require.Equal(t, 1, failed)
	require.Equal(t, `FAULT  IN  OUT  LOST  MAY             STORED  SCORING BACK  MEMORY       RESULT
kill   10  8    2     2               6       1.235s        20 to 21 MB  pass
away   10  5    5     all while away  3       0s            0 to 0 MB    FAIL

What a user reads from the fault on

kill
  E! gone (2 times)

away
  WRONG: something
  no warning, no error

1 passed, 1 failed
`, text.String())
}

func TestComplaints(t *testing.T) {
	log := `2026-01-01T00:00:00Z I! all is well
2026-01-01T00:00:01Z E! [processors.execd] write |1: closed
2026-01-01T00:00:01Z E! [processors.execd] write |2: closed
2026-01-01T00:00:02Z W! [agent] see /dir/state/x
2026-01-01T00:00:02Z E! [inputs.execd] this is the test's own
  a stack trace
`
	require.Equal(t, []string{"E! [processors.execd] write |1: closed (2 times)", "W! [agent] see state/x"}, complaints(log, "/dir"))
	require.Empty(t, complaints("", "/dir"))

	var many strings.Builder
	for i := range 20 {
		many.WriteString("t W! " + strings.Repeat("x", i+1) + "\n")
	}
	many.WriteString("t E! " + strings.Repeat("ö", 500) + "\n")
	lines := complaints(many.String(), "/dir")
	require.Len(t, lines, maxComplaints+1)
	require.Equal(t, "and 13 more", lines[maxComplaints])
	require.Less(t, len(complaints("t E! "+strings.Repeat("ö", 500)+"\n", "/dir")[0]), maxWidth+10)
}

func TestScript(t *testing.T) {
	names := map[string]bool{}
	for _, long := range []bool{false, true} {
		for _, f := range script(long) {
			require.NotNil(t, f.do, f.name)
			names[f.name] = true
		}
		require.Len(t, names, len(script(long)), "names are unique, and the same however long")
	}
}

// Every rule that a result can break is told.
func TestJudge(t *testing.T) {
	when := spell{second(4), second(6)}
	for _, c := range []struct {
		name   string
		fault  fault
		result Result
		lost   []int  // seconds whose line does not come out
		again  []int  // seconds whose line comes out twice
		says   string // "": all is well
	}{
		{"all is well", fault{}, Result{Stored: 10}, nil, nil, ""},
		{"some may be lost", fault{lose: 2}, Result{Stored: 8}, []int{4, 5}, nil, ""},
		{"what was held as well", fault{lose: 2}, Result{Stored: 9}, []int{3}, nil, ""},
		{"too many are lost", fault{lose: 1}, Result{Stored: 8}, []int{4, 5}, nil, "2 lines were lost, 1 may be"},
		{"lost at another time", fault{lose: 2}, Result{Stored: 9}, []int{8}, nil, "1 lines were lost outside of the fault"},
		{"twice", fault{}, Result{Stored: 10}, nil, []int{1}, "1 lines came twice, 0 nobody had sent"},
		{"not stored", fault{}, Result{Stored: 9}, nil, nil, "InfluxDB has 9 points of 10"},
		{"late", fault{}, Result{Stored: 10, Back: 3 * time.Second}, nil, nil, "scoring was back after 3s, want at most 2s"},
		{"memory", fault{}, Result{Stored: 10, Before: 1e6, Most: 101e6}, nil, nil, "it took 100 MB more memory"},
		{"all while it is away", fault{gone: true, lose: -1}, Result{Stored: 7}, []int{4, 5, 6}, nil, ""},
		{"some passed nobody", fault{gone: true, lose: -1}, Result{Stored: 9}, []int{4}, nil, "2 lines passed a processor that was not there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLedger()
			lost, again := seconds(c.lost), seconds(c.again)
			for s := range 10 {
				text := line("mem", "a", s, true)
				l.send(text, second(float64(s)))
				for range 1 - lost[s] + again[s] {
					l.arrive(text, second(float64(s)))
				}
			}
			c.fault.judge(&c.result, &rig{ledger: l}, when, 2*time.Second)
			require.Equal(t, len(c.lost), c.result.Lost)
			if c.says == "" {
				require.Empty(t, c.result.Wrong)
				return
			}
			require.Equal(t, []string{c.says}, c.result.Wrong)
		})
	}
}

func seconds(list []int) map[int]int {
	count := map[int]int{}
	for _, s := range list {
		count[s]++
	}
	return count
}

func TestRelatives(t *testing.T) {
	child := exec.Command("sh", "-c", "sleep 60 & wait")
	require.NoError(t, child.Start())
	sleeper := 0
	require.Eventually(t, func() bool {
		for pid := range relatives(os.Getpid()) {
			if arguments, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); strings.HasPrefix(string(arguments), "sleep\x00") {
				sleeper = pid
			}
		}
		return sleeper != 0
	}, 10*time.Second, 10*time.Millisecond, "a child's child is a relative")
	require.Contains(t, relatives(child.Process.Pid), sleeper)
	require.NotContains(t, relatives(sleeper), sleeper, "nobody is a relative of himself")
	require.Equal(t, opened(child.Process.Pid, 1), opened(sleeper, 1), "they share a stdout")
	require.Empty(t, opened(sleeper, 99))
	require.Positive(t, status(sleeper, "VmRSS"))
	require.Zero(t, status(sleeper, "VmNonsense"))

	var m memory
	require.Positive(t, m.begin([]int{sleeper}))
	require.Zero(t, m.most)
	m.look([]int{sleeper})
	require.Positive(t, m.most)

	process, err := os.FindProcess(sleeper)
	require.NoError(t, err)
	require.NoError(t, process.Kill())
	require.NoError(t, child.Wait())
	require.Empty(t, relatives(1<<30))
}
