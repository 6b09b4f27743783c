package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
)

// The fields are those of a recording of Telegraf 1.39; what is named by a
// constant changes, the rest stays as written here.

const (
	cpuUser = iota
	cpuSystem
	cpuIdle
	cpuWait
)

func newCPU(host Host, name string) record {
	return newRecord(host.random(2), "cpu,cpu="+name+",host="+escapeTag(host.Name),
		"usage_user", "usage_system", "usage_idle", "usage_iowait",
		"usage_nice=0,usage_irq=0", "usage_softirq=0", "usage_steal=0,usage_guest=0,usage_guest_nice=0")
}

const (
	memUsedPercent = iota
	memAvailablePercent
	memUsed
	memAvailable
	memFree
	memActive
	memInactive
	memCommitted
	memDirty
	memTables

	memTotal = 16 << 30
)

func newMem(host Host) record {
	return newRecord(host.random(3), "mem,host="+escapeTag(host.Name),
		"used_percent", "available_percent", "used", "available", "free", "active", "inactive", "committed_as",
		"dirty", "page_tables",
		"buffered=85008384i,cached=1982869504i,commit_limit=8589934592i,high_free=0i,high_total=0i",
		"huge_page_size=2097152i,huge_pages_free=0i,huge_pages_total=0i,low_free=0i,low_total=0i",
		"mapped=40886272i,shared=9068544i,slab=1350512640i,sreclaimable=1264197632i,sunreclaim=86315008i",
		"swap_cached=0i,swap_free=0i,swap_total=0i,total="+strconv.Itoa(memTotal)+"i",
		"vmalloc_chunk=0i,vmalloc_total=35184372087808i,vmalloc_used=14626816i,write_back=0i,write_back_tmp=0i")
}

func (m *machine) appendMem(dst []byte, row Row) []byte {
	used := int64(row.Memory / 100 * memTotal)
	m.mem.float(memUsedPercent, row.Memory)
	m.mem.float(memAvailablePercent, 100-row.Memory)
	m.mem.int(memUsed, used)
	m.mem.int(memAvailable, memTotal-used)
	m.mem.int(memFree, max(0, memTotal-used-2<<30))
	m.mem.int(memActive, used/4)
	m.mem.int(memInactive, used/2)
	m.mem.int(memCommitted, used+1<<30)
	m.mem.int(memDirty, int64(m.random.IntN(1<<26)))
	m.mem.int(memTables, used/400)
	return m.mem.append(dst, m.random, row.Time)
}

const (
	netReceived = iota
	netSent
	netPacketsReceived
	netPacketsSent
)

// nic is a network interface with its share of the traffic.
type nic struct {
	record
	share    float64 // of the host's network rate
	own      float64 // bytes/s besides
	received float64 // share of what comes in
	counters [4]int64
}

func newNICs(host Host) []nic {
	nics := []nic{
		newNIC(host, "eth0", .7, 0),
		newNIC(host, "eth1", .3, 0),
		newNIC(host, "lo", 0, 5e4),
	}
	for i := range host.Veths {
		nics = append(nics, newNIC(host, fmt.Sprintf("veth%07x", 0x3a91c02+i*0x51f37), .7/float64(host.Veths), 100))
	}
	return nics
}

func newNIC(host Host, name string, share, own float64) nic {
	return nic{share: share, own: own, received: .6, record: newRecord(host.random(4),
		"net,host="+escapeTag(host.Name)+",interface="+name,
		"bytes_recv", "bytes_sent", "packets_recv", "packets_sent",
		"err_in=0i,err_out=0i,drop_in=0i", "drop_out=0i,speed=-1i")}
}

func (n *nic) reset() {
	n.counters = [4]int64{}
	n.show()
}

// grow counts seconds at a network rate of the host.
func (n *nic) grow(random *rand.Rand, rate, seconds float64) {
	bytes := seconds * (float64(rate*n.share) + float64(n.own*random.Float64()))
	const mtu, ack = 1400, 60
	in, out := bytes*n.received, bytes*(1-n.received)
	for i, growth := range [4]float64{in, out, in/mtu + out/mtu*ack/mtu, out/mtu + in/mtu*ack/mtu} {
		n.counters[i] += int64(math.Round(growth)) // a float64 loses bytes within a year
	}
	n.show()
}

func (n *nic) show() {
	for i, c := range n.counters {
		n.int(i, c)
	}
}

const (
	diskUsed = iota
	diskFree
	diskPercent

	diskTotal = 250e9
)

func newDisks(host Host) []record {
	disk := func(path string) record {
		return newRecord(host.random(5), "disk,device=vda,fstype=ext4,host="+escapeTag(host.Name)+",mode=rw,path="+path,
			"used", "free", "used_percent", "total="+strconv.Itoa(diskTotal)+"i,inodes_total=16777216i",
			"inodes_free=15758220i,inodes_used=1018996i,inodes_used_percent=6.0736894607543945")
	}
	return []record{disk("/"), disk("/run/netns")}
}

// newSystem gives the three lines of Telegraf's input: load, uptime, and the
// uptime as text.
func newSystem(host Host) [3]record {
	head := "system,host=" + escapeTag(host.Name)
	cores := strconv.Itoa(host.Cores)
	return [3]record{
		newRecord(host.random(6), head, "load1", "load5", "load15", "n_cpus="+cores+"i,n_physical_cpus="+cores+"i"),
		newRecord(host.random(7), head, "uptime"),
		newRecord(host.random(8), head, "uptime_format"),
	}
}
