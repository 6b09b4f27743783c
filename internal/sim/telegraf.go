package sim

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// Telegraf gives the Format of a host with Telegraf's stock inputs cpu, mem, net,
// disk and system at the generator's interval: the same measurements, tags,
// fields and types, counters that only grow until a reboot, fields of a line and
// inputs of an interval in random order, no cpu in the first interval (there is
// nothing yet to compare with). The features are hidden in it as in real life:
//
//   - cpu: 100 − usage_idle of cpu=cpu-total, the cores around it
//   - memory: used_percent of mem
//   - network: the growth of bytes_recv + bytes_sent of eth0 and eth1; lo and
//     veth* carry bytes of their own that do not count
func Telegraf(seed uint64, host Host) Format {
	return newMachine(host.random(seed+1), host.withDefaults()).append
}

// machine is what Telegraf would find on a host.
type machine struct {
	random     *rand.Rand
	host       Host
	booted     bool
	last       time.Time
	lastUptime time.Duration
	load       [3]float64 // 1, 5 and 15 minutes

	inputs []func(dst []byte, row Row) []byte
	cpus   []record
	mem    record
	nics   []nic
	disks  []record
	system [3]record
	used   float64 // bytes on disk
}

func newMachine(random *rand.Rand, host Host) *machine {
	m := &machine{random: random, host: host, mem: newMem(host), disks: newDisks(host), nics: newNICs(host), used: 40e9}
	for i := range host.Cores {
		m.cpus = append(m.cpus, newCPU(host, "cpu"+strconv.Itoa(i)))
	}
	m.cpus = append(m.cpus, newCPU(host, "cpu-total"))
	m.system = newSystem(host)
	m.inputs = []func([]byte, Row) []byte{m.appendCPU, m.appendMem, m.appendNet, m.appendDisk, m.appendSystem}
	return m
}

func (m *machine) append(dst []byte, row Row) []byte {
	elapsed := row.Time.Sub(m.last).Seconds()
	fresh := !m.booted || row.Uptime < m.lastUptime
	if fresh {
		elapsed = 0
		m.boot(row)
	}
	m.grow(row, elapsed)
	m.random.Shuffle(len(m.inputs), func(i, j int) { m.inputs[i], m.inputs[j] = m.inputs[j], m.inputs[i] })
	for _, input := range m.inputs {
		dst = input(dst, row)
	}
	m.booted, m.last, m.lastUptime = true, row.Time, row.Uptime
	return dst
}

// boot sets the counters to what a host has seen at its mean rate since it was
// started.
func (m *machine) boot(row Row) {
	m.booted = false
	for i := range m.nics {
		m.nics[i].reset()
		if m.last.IsZero() {
			m.nics[i].grow(m.random, baseNetwork*m.host.NetworkScale, row.Uptime.Seconds())
		}
	}
}

func (m *machine) grow(row Row, seconds float64) {
	for i := range m.nics {
		m.nics[i].grow(m.random, row.Network, seconds)
	}
	m.used += seconds * 100
	busy := row.CPU / 100 * float64(m.host.Cores)
	for i, span := range []float64{60, 300, 900} {
		m.load[i] += (busy - m.load[i]) * min(1, max(seconds, 1)/span)
	}
}

func (m *machine) appendCPU(dst []byte, row Row) []byte {
	if !m.booted {
		return dst
	}
	// Pairs of cores lie as far above the total as below it.
	apart := 0.0
	for i := range m.cpus {
		usage := row.CPU
		switch {
		case i >= m.host.Cores/2*2: // the odd core and the total
		case i%2 == 0:
			apart = m.random.Float64() * min(10, row.CPU, 100-row.CPU)
			usage += apart
		default:
			usage -= apart
		}
		dst = m.appendUsage(dst, &m.cpus[i], usage, row.Time)
	}
	return dst
}

func (m *machine) appendUsage(dst []byte, cpu *record, usage float64, t time.Time) []byte {
	system, wait := .25*usage, .02*usage
	cpu.float(cpuUser, usage-system-wait)
	cpu.float(cpuSystem, system)
	cpu.float(cpuWait, wait)
	cpu.float(cpuIdle, 100-usage)
	return cpu.append(dst, m.random, t)
}

func (m *machine) appendNet(dst []byte, row Row) []byte {
	for i := range m.nics {
		dst = m.nics[i].append(dst, m.random, row.Time)
	}
	return dst
}

func (m *machine) appendDisk(dst []byte, row Row) []byte {
	for i := range m.disks {
		d := &m.disks[i]
		d.int(diskUsed, int64(m.used))
		d.int(diskFree, diskTotal-int64(m.used))
		d.float(diskPercent, 100*m.used/diskTotal)
		dst = d.append(dst, m.random, row.Time)
	}
	return dst
}

func (m *machine) appendSystem(dst []byte, row Row) []byte {
	for i, load := range m.load {
		m.system[0].hundredths(i, load)
	}
	seconds := int64(row.Uptime / time.Second)
	m.system[1].int(0, seconds)
	m.system[2].text(0, fmt.Appendf(nil, "%d days, %2d:%02d", seconds/day, seconds/3600%24, seconds/60%60))
	for i := range m.system {
		dst = m.system[i].append(dst, m.random, row.Time)
	}
	return dst
}
