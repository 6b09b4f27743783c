package stdio

const (
	maxPooled     = 4 << 20 // bytes
	maxPooledLine = 4 << 10 // bytes; memory for longer lines is not kept
)

// pool keeps the memory of lines for those to come.
type pool struct {
	lines [][]byte
	bytes int
}

// get returns an empty line.
func (p *pool) get() []byte {
	n := len(p.lines)
	if n == 0 {
		return nil
	}
	line := p.lines[n-1]
	p.lines = p.lines[:n-1]
	p.bytes -= cap(line)
	return line[:0]
}

func (p *pool) put(line []byte) {
	if cap(line) <= maxPooledLine && p.bytes+cap(line) <= maxPooled {
		p.lines = append(p.lines, line)
		p.bytes += cap(line)
	}
}
