// Command telegraf-anomaly is the program that Telegraf's processors.execd
// starts: line protocol in on stdin, the same lines, scored, out on stdout.
//
// Whatever is wrong with its flags, its configuration or its model, it forwards every line
// and says why on stderr. Only -check fails.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"telegraf-anomaly/internal/stdio"
	"telegraf-anomaly/plugins/processors/anomaly"
)

// version is set by the linker.
var version = "dev"

const usageExit = 2

func main() {
	code := run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stdio.Part(os.Stdout, os.Stderr)
	os.Exit(code)
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("telegraf-anomaly", flag.ContinueOnError)
	flags.SetOutput(stderr)
	config := flags.String("config", "", "configuration `file`; without it the defaults hold")
	check := flags.Bool("check", false, "validate configuration, model and state, print the effective configuration, exit 0 or 2")
	test := flags.String("test", "", "read line protocol from `file`, - for stdin, and print what would be emitted")
	sample := flags.Bool("sample-config", false, "print a configuration with all keys explained")
	fit := flags.Bool("fit", false, "for the program itself, which fits its models in a process of its own: fit one to the sample on stdin")
	printVersion := flags.Bool("version", false, "print the version")
	err := flags.Parse(args)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("argument %q is not understood; flags only, such as -config FILE", flags.Arg(0))
		fmt.Fprintf(stderr, "telegraf-anomaly: %v\n", err)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil && (*check || *test != "" || isTerminal(stdin)):
		return usageExit
	case *printVersion:
		fmt.Fprintln(stdout, versionText())
	case *sample:
		fmt.Fprint(stdout, new(anomaly.Anomaly).SampleConfig())
	case *check:
		return runCheck(*config, stdout, stderr)
	case *fit:
		return runFit(stdin, stdout, stderr)
	case *test != "":
		return runTest(*config, *test, stdin, stdout, stderr)
	default:
		return serve(*config, err, stdin, stdout, stderr)
	}
	return 0
}

func versionText() string {
	commit := "unknown commit"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value[:min(12, len(s.Value))]
			}
		}
	}
	return fmt.Sprintf("telegraf-anomaly %s (%s, %s %s/%s)", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// isTerminal reports whether somebody types, rather than Telegraf.
func isTerminal(in io.Reader) bool {
	f, ok := in.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// serve is what Telegraf starts, perhaps with flags that are not understood.
func serve(config string, misuse error, stdin io.Reader, stdout, stderr io.Writer) int {
	// One core is enough for a fleet. The second is for models that were fitted and are
	// made ready, the third for the collector, which would make lines wait meanwhile.
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(3)
	}
	// Ctrl-C reaches Telegraf's whole process group; it is Telegraf that ends us,
	// by closing stdin once it has written everything.
	signal.Ignore(syscall.SIGINT)
	terminated, release := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer release()

	log := stdio.NewLogger(stderr)
	defer log.Close()
	s := newSession(stdin, stdout, log)
	s.fit = self().fit
	s.Every(time.Minute, s.report)
	s.Every(savePeriod, s.save)
	s.Every(pollPeriod, s.poll)
	trimmed := new(trimmer)
	s.Every(trimPeriod, func() { go trimmed.trim() })
	s.misuse = misuse
	s.start(config)
	// What is known of a host stays, and lines allocate nothing: the collector works
	// while a fleet is new or a model comes, and may work harder for less memory.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(20)
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer func() { signal.Stop(hangup); close(hangup) }()
	go func() {
		for range hangup {
			s.Call(func() { s.restart(config) })
		}
	}()
	out := -1
	if f, ok := stdout.(*os.File); ok {
		out = int(f.Fd())
	}
	stdio.Widen(out)
	err := s.Run(terminated.Done())
	s.Close()
	stdio.Drain(out)
	if err != nil {
		log.Logf("E! %v", err)
		return 1
	}
	return 0
}
