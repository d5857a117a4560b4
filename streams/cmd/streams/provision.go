package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/layout"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

// retryAfter is the pause between attempts: a cluster that starts has no leaders yet.
const retryAfter = 500 * time.Millisecond

func provisionCommand() *cobra.Command {
	var check bool
	var wait time.Duration
	var format string
	cmd := &cobra.Command{
		Use:   "provision",
		Short: "Make the streams, buckets and consumers, and change what may be changed",
		Long: "Makes what is missing, raises sizes, lifetimes and replicas to what the settings say, and switches stream.republish on.\n" +
			"Nothing is deleted or made smaller: such differences are printed and left. It can be run again at any time.\n\n" +
			"Exit codes: 0 services can run on what is there (with --check: and it is as the settings say), 1 they cannot, 2 bad usage or settings.",
		Example: "  streams provision --nats.replicas 3\n  streams provision --check --format json",
		Args: func(cmd *cobra.Command, args []string) error {
			return errors.Join(oneOf(format, "text", "json"), cobra.NoArgs(cmd, args))
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, log, err := command.Load(cmd)
			if err != nil {
				return err
			}
			mode := provision.Reshape
			if check {
				mode = provision.Check
			}
			results, err := provisionAll(cmd.Context(), cfg, mode, wait, log)
			if printed := printResults(cmd.OutOrStdout(), results, format); printed != nil {
				return printed
			}
			if check && !again(results) && (err == nil || errors.Is(err, provision.ErrMissing)) && !right(results) {
				return errors.New("not everything is as the settings say")
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "change nothing, and exit with 1 if something is missing or differs")
	cmd.Flags().DurationVar(&wait, "wait", 30*time.Second, "how long nats-server, or its cluster, may take to answer")
	cmd.Flags().StringVar(&format, "format", "text", "`form` of the output: text or json")
	return cmd
}

// provisionAll tries until all is there, or wait is over, or an operator has to decide.
func provisionAll(ctx context.Context, cfg config.Config, mode provision.Mode, wait time.Duration, log *slog.Logger) ([]provision.Result, error) {
	if cfg.NATS.URL == "" {
		return nil, cfg.Invalid("nats.url", "it must not be empty: a standalone provisions its own log")
	}
	options, err := eventlog.Options(cfg, eventlog.Provisioner)
	if err != nil {
		return nil, err
	}
	// No deadline, which each single request would be given: one that a cluster
	// without a leader has dropped must be repeated.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer time.AfterFunc(wait, cancel).Stop()
	rights := eventlog.NewRights(eventlog.Provisioner, log)
	js, err := connect(ctx, string(cfg.NATS.URL), log, append(options, rights.Option()))
	if err != nil {
		return nil, err
	}
	defer js.Conn().Close()
	said := ""
	var before []provision.Result
	for {
		results, err := attempt(ctx, js, cfg, mode, rights)
		results = keep(before, results)
		before = results
		switch {
		case !again(results):
			return results, err
		case errors.Is(err, errAlone):
			return results, fmt.Errorf("nothing can have %d replicas, because nats-server runs alone: set nats.replicas to 1, or make it one of a cluster: %w",
				cfg.NATS.Replicas, errAlone)
		case !pause(ctx):
			return results, fmt.Errorf("not within %v: %w", wait, err)
		}
		if text := fmt.Sprint(err); text != said {
			said = text
			log.Warn("not everything could be asked for yet, trying again", "error", err)
		}
	}
}

// errAlone is nats-server's answer to who asks one that is in no cluster for replicas.
var errAlone = &jetstream.APIError{Code: http.StatusInternalServerError, ErrorCode: 10074, Description: "replicas > 1 not supported in non-clustered mode"}

// keep lets what an earlier attempt did not be forgotten over a later one that
// found nothing to do.
func keep(before, now []provision.Result) []provision.Result {
	for i, r := range before {
		if i < len(now) && now[i].Outcome == provision.Fits && (r.Outcome == provision.Made || r.Outcome == provision.Changed) {
			now[i] = r
		}
	}
	return now
}

// attempt ends with the first right that is refused.
func attempt(ctx context.Context, js jetstream.JetStream, cfg config.Config, mode provision.Mode, rights *eventlog.Rights) ([]provision.Result, error) {
	attempt, stop := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() { // ends with the attempt
		select {
		case err := <-rights.Refused():
			stop(&refused{err})
		case <-done:
		}
	}()
	results, err := layout.Ensure(attempt, js, cfg, mode)
	close(done)
	defer stop(nil)
	if cause := (*refused)(nil); errors.As(context.Cause(attempt), &cause) {
		return nil, cause
	}
	return results, err
}

// refused is that a right is missing.
type refused struct{ error }

// connect tries until there is a connection, or ctx ends.
func connect(ctx context.Context, url string, log *slog.Logger, options []nats.Option) (jetstream.JetStream, error) {
	for {
		_, js, err := eventlog.Connect(url, "streams", log, options...)
		if err == nil {
			return js, nil
		}
		if errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || errors.Is(err, nats.ErrAuthRevoked) {
			return nil, fmt.Errorf("connect to nats-server at %s: %w", config.URL(url), err) // an operator has to do something
		}
		log.Warn("no connection to nats-server yet, trying again", "error", err)
		if !pause(ctx) {
			return nil, fmt.Errorf("connect to nats-server at %s: %w", config.URL(url), err)
		}
	}
}

// again reports whether what could not be found out may be later: nothing else
// needs an operator.
func again(results []provision.Result) bool {
	unknown := false
	for _, r := range results {
		if r.Outcome == provision.Unsafe || r.Outcome == provision.Missing {
			return false
		}
		unknown = unknown || r.Outcome == provision.Failed
	}
	return unknown
}

func pause(ctx context.Context) bool {
	select {
	case <-time.After(retryAfter):
		return true
	case <-ctx.Done():
		return false
	}
}

func right(results []provision.Result) bool {
	for _, r := range results {
		if !r.Right() {
			return false
		}
	}
	return true
}

func printResults(w io.Writer, results []provision.Result, format string) error {
	if len(results) == 0 {
		return nil
	}
	if format == "json" {
		out := json.NewEncoder(w)
		out.SetEscapeHTML(false)
		out.SetIndent("", "  ")
		return out.Encode(results)
	}
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range results {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", r.Kind, r.Name, r.Outcome, said(r))
	}
	return out.Flush()
}

// said is what the outcome stands for.
func said(r provision.Result) string {
	var parts []string
	for _, p := range []struct {
		what string
		list []string
	}{{"was: ", r.Changes}, {"left: ", r.Left}, {"unsafe: ", r.Unsafe}} {
		if len(p.list) > 0 {
			parts = append(parts, p.what+strings.Join(p.list, "; "))
		}
	}
	return strings.Join(parts, ". ")
}

func oneOf(format string, allowed ...string) error {
	for _, a := range allowed {
		if format == a {
			return nil
		}
	}
	return fmt.Errorf("--format %q is not allowed, it must be %s", format, strings.Join(allowed, " or "))
}
