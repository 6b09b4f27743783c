package main

const residentMB = "memory of a process that fitted 9 columns and works on them, MB"

// memories compares what processes hold, each started for this: ours with one
// host, which it learned, as the peers fitted their rows.
func (b *bench) memories() error {
	peers, err := b.guests()
	if err != nil {
		return err
	}
	if _, _, err := data(b.dir, 9); err != nil {
		return err
	}
	contenders := []contender{{us, func() (float64, error) {
		r, err := b.serveFleet(1, "")
		return float64(r.resident) / 1e6, err
	}}}
	for _, p := range peers {
		defer p.close()
		contenders = append(contenders, contender{p.who, func() (float64, error) { return p.resident(b.dir) }})
	}
	b.add(alternate(residentMB, 1, contenders...))
	return nil
}

// resident is the memory, in MB, of a peer that works at what it is for.
func (p *peer) resident(dir string) (float64, error) {
	if _, err := p.load(dir, 9); err != nil {
		return 0, err
	}
	r := request{Do: "measure", What: "score", Rows: scoreBatch, Seconds: turnTime.Seconds()}
	if p.who == sklearn || p.who == fastTreeSHAP {
		r.What, r.Rows = "explain", shapBatch
	}
	a, err := p.ask(r)
	return float64(a.Bytes) / 1e6, err
}
