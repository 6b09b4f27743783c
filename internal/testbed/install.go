package testbed

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Install makes sure that the programs are in the bin folder of the checkout. A
// real program that is there already stays as it is; this project's own is always
// built. progress is shown on w.
func Install(ctx context.Context, root string, w io.Writer, programs ...Program) error {
	for _, p := range programs {
		if recipes[p].version != "" && p.Installed(root) == nil {
			continue
		}
		if err := p.install(ctx, root, w); err != nil {
			return err
		}
	}
	return nil
}

func (p Program) install(ctx context.Context, root string, w io.Writer) error {
	r, known := recipes[p]
	if !known {
		return fmt.Errorf("testbed: there is no program %q to install", p)
	}
	title := strings.TrimSpace(string(p) + " " + r.version)
	if r.version != "" {
		title += " (once, up to 3 minutes)"
	}
	bar := newProgress(w, title)
	said, err := run(r.command(ctx, root, p), bar.step)
	bar.finish(err)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("testbed: building %s: %w\n%s", p, err, said)
	}
	return nil
}

func (r recipe) command(ctx context.Context, root string, p Program) *exec.Cmd {
	flags := []string{"-v", "-trimpath", "-tags", r.tags, "-ldflags", r.ldflags}
	var c *exec.Cmd
	if r.version == "" {
		c = exec.CommandContext(ctx, "go", append(append([]string{"build"}, flags...), "-o", p.Path(root), r.pkg)...)
	} else {
		c = exec.CommandContext(ctx, "go", append(append([]string{"install"}, flags...), r.pkg+"@"+r.version)...)
	}
	c.Dir = root
	c.Env = append(os.Environ(), "GOBIN="+filepath.Join(root, "bin"))
	return c
}

// run calls step for every line that c writes, and returns the last of them.
func run(c *exec.Cmd, step func(line string)) (said string, err error) {
	out, err := c.StderrPipe()
	if err != nil {
		return "", err
	}
	if err := c.Start(); err != nil {
		return "", err
	}
	const keep = 20
	var last []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		step(lines.Text())
		last = append(last[max(0, len(last)+1-keep):], lines.Text())
	}
	return strings.Join(last, "\n"), c.Wait()
}

// progress tells what a long build is doing: on a terminal one line that changes,
// elsewhere a line now and then.
type progress struct {
	w        io.Writer
	title    string
	terminal bool
	started  time.Time
	shown    time.Time
	steps    int
}

func newProgress(w io.Writer, title string) *progress {
	return &progress{w: w, title: title, terminal: IsTerminal(w), started: time.Now()}
}

func (p *progress) step(line string) {
	p.steps++
	pause := 10 * time.Second
	if p.terminal {
		pause = 100 * time.Millisecond
	}
	if time.Since(p.shown) < pause {
		return
	}
	p.shown = time.Now()
	p.show(line)
}

func (p *progress) show(what string) {
	text := fmt.Sprintf("building %s: %3.0f s, %4d steps, %s", p.title, time.Since(p.started).Seconds(), p.steps, what)
	if p.terminal {
		fmt.Fprintf(p.w, "\r\x1b[K%.100s", text)
		return
	}
	fmt.Fprintln(p.w, text)
}

func (p *progress) finish(err error) {
	if p.steps == 0 && err == nil {
		return // everything was there
	}
	p.show(map[bool]string{true: "done", false: "failed"}[err == nil])
	if p.terminal {
		fmt.Fprintln(p.w)
	}
}
