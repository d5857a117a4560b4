// Command peers measures Tidemark beside Socket.IO's servers on Node.js and writes docs/benchmarks.md. Run it from the
// repository's root, by task bench:peers, which installs and builds what is measured.
//
// Exit codes: 0 all was measured, whatever it shows; 1 something could not be measured; 2 bad usage.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/services/swarm/peers"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

// Exit codes.
const (
	measured = 0
	failure  = 1
	usage    = 2
)

// run runs the command line; its errors are told on standard error.
func run(ctx context.Context, args []string) int {
	c := command()
	c.SetArgs(args)
	err := c.ExecuteContext(ctx)
	if err == nil {
		return measured
	}
	fmt.Fprintln(os.Stderr, "peers:", err)
	if errors.As(err, new(failed)) {
		return failure
	}
	return usage
}

// failed is an error of the work and not of the usage.
type failed struct{ error }

func (f failed) Unwrap() error { return f.error }

// settings are the flags.
type settings struct {
	options peers.Options
	quick   bool
	format  string
	raw     string
	from    string
	out     string
}

func command() *cobra.Command {
	s := settings{options: peers.Options{Progress: os.Stderr}}
	c := &cobra.Command{
		Use: "peers", Short: "Measure Tidemark beside Socket.IO's servers on Node.js",
		Long: "Measure Tidemark beside Socket.IO's servers on Node.js: one server at a time, in rounds, with the same clients.\n" +
			"Nothing else should run on the machine meanwhile. All numbers are kept as JSON; with --out they are written\n" +
			"into benchmarks.md, with charts.",
		Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error { return s.run(c) },
	}
	f := c.Flags()
	f.BoolVar(&s.quick, "quick", false, "only show, in seconds, that everything works; the numbers mean nothing")
	f.IntVar(&s.options.Rounds, "rounds", 3, "how often everything is measured")
	f.StringSliceVar(&s.options.Only, "only", nil, "targets: tidemark, node, tutorial, redis (default all)")
	f.StringSliceVar(&s.options.Kinds, "scenarios", nil, "scenarios: fanout, paced, publish, connect, memory, recovery (default all)")
	f.StringVar(&s.format, "format", "text", "of standard output: text, which is Markdown, or json")
	f.StringVar(&s.out, "out", "", "directory of benchmarks.md, into which the results are written")
	f.StringVar(&s.raw, "raw", ".data/peers/results.json", "file for all numbers; empty: none")
	f.StringVar(&s.from, "from", "", "measure nothing: take the numbers of such a file")
	i := &s.options.Installed
	f.StringVar(&i.Standalone, "standalone", "bin/standalone", "Tidemark's binary")
	f.StringVar(&i.Node, "node", "services/swarm/peers/node", "directory of the Node.js servers")
	f.StringVar(&i.Redis, "redis", "redis-server", "Redis's binary")
	f.StringVar(&i.Data, "data", ".data/peers", "directory on the disk that is to be measured")
	return c
}

func (s settings) run(c *cobra.Command) error {
	if s.format != "text" && s.format != "json" {
		return fmt.Errorf("--format is %q, not text or json", s.format)
	}
	if s.options.Rounds < 1 {
		return fmt.Errorf("--rounds is %d, not at least 1", s.options.Rounds)
	}
	s.options.Plan = peers.Full()
	if s.quick {
		s.options.Plan = peers.Quick()
	}
	if err := s.options.Check(); err != nil {
		return err
	}
	results, err := s.results(c.Context())
	if err == nil {
		err = s.tell(c, results)
	}
	if err == nil && len(results.Failures) > 0 {
		err = fmt.Errorf("%d measurements have failed", len(results.Failures))
	}
	if err != nil {
		return failed{err}
	}
	return nil
}

// results are measured, or read from a file.
func (s settings) results(ctx context.Context) (peers.Results, error) {
	if s.from == "" {
		return peers.Run(ctx, s.options)
	}
	var r peers.Results
	text, err := os.ReadFile(s.from)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	return r, err
}

// tell writes the results wherever they are wanted. The numbers come first, which have taken minutes.
func (s settings) tell(c *cobra.Command, r peers.Results) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if s.raw != "" && s.from == "" {
		if err := os.MkdirAll(filepath.Dir(s.raw), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(s.raw, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	if s.format == "json" {
		fmt.Fprintln(c.OutOrStdout(), string(text))
	} else {
		fmt.Fprint(c.OutOrStdout(), r.Markdown(nil))
	}
	if s.out == "" {
		return nil
	}
	return r.Document(s.out)
}
