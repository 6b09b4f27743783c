package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// relatives are the processes below a process, by their executable; Linux tells
// them in /proc.
func relatives(ancestor int) map[int]string {
	parents, programs := map[int]int{}, map[int]string{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		text, _ := os.ReadFile(file)
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		behind := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(behind) > 1 && behind[0] != "Z" {
			parents[pid], _ = strconv.Atoi(behind[1])
			programs[pid], _ = os.Readlink(filepath.Join(filepath.Dir(file), "exe"))
		}
	}
	for pid := range programs {
		at := pid
		for at > 1 && at != ancestor {
			at = parents[at]
		}
		if at != ancestor || pid == ancestor {
			delete(programs, pid)
		}
	}
	return programs
}

// processors are the process ids of the processors that run, but not of those that fit
// a model for one.
func (r *rig) processors() (pids []int) {
	for pid, program := range relatives(r.telegraf.Pid()) {
		command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if strings.TrimSuffix(program, " (deleted)") == r.program() && !strings.Contains(string(command), "\x00-fit") {
			pids = append(pids, pid)
		}
	}
	return pids
}

// processor is the one processor that runs.
func (r *rig) processor() (int, error) {
	pids := r.processors()
	if len(pids) != 1 {
		return 0, fmt.Errorf("chaos: %d processors run, want one", len(pids))
	}
	return pids[0], nil
}

// opened tells what a process has open at a descriptor, "" if nothing.
func opened(pid, descriptor int) string {
	target, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, descriptor))
	return target
}

// memory remembers the most that a process had.
type memory struct {
	mu   sync.Mutex
	most float64 // bytes
}

// begin forgets what was, and returns what the processes have now.
func (m *memory) begin(pids []int) (now float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.most = 0
	for _, pid := range pids {
		_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0) // the kernel's mark, too
		now = max(now, status(pid, "VmRSS"))
	}
	return now
}

func (m *memory) look(pids []int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, pid := range pids {
		m.most = max(m.most, status(pid, "VmHWM"))
	}
}

// status reads a size, in bytes, that Linux tells of a process; 0 if it does not.
func status(pid int, key string) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, behind, _ := strings.Cut(string(text), key+":")
	words := strings.Fields(behind)
	if len(words) == 0 {
		return 0
	}
	kB, _ := strconv.ParseFloat(words[0], 64)
	return kB * 1024
}
