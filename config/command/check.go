package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
)

// Check is one thing that a service needs, and how to look whether it is there. Looking changes nothing.
type Check struct {
	Name string // a setting ("gateway.listen"), or what is looked for ("stream CHAT")

	// Needs is the name of an earlier check without which this one says nothing; empty: none. It is skipped where that
	// one has failed.
	Needs string

	// Run returns what was found, in a few words. Its error says what is wrong and what to do; one of [Warning] is no
	// failure. Checks that need nothing of each other run at the same time, and what does not return when ctx ends is
	// left behind.
	Run func(ctx context.Context) (found string, err error)
}

// Warning is what a check found that works now and needs somebody's attention all the same.
func Warning(format string, args ...any) error { return warning{fmt.Errorf(format, args...)} }

type warning struct{ error }

func (w warning) Unwrap() error { return w.error }

// Outcomes of a check.
const (
	checkOK      = "ok"
	checkWarning = "warning"
	checkFailed  = "FAILED"
	checkSkipped = "skipped"
)

// checked is what came of a check.
type checked struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Text   string `json:"text"` // what was found, or is wrong
}

// checkCommand looks at what the service needs.
func checkCommand(s Service) *cobra.Command {
	var format string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the settings, and whether everything they name is there",
		Long: "Check the settings, and whether everything that they name is there, reachable and as it should be. Nothing is\n" +
			"changed, and the service may run meanwhile (its own addresses are in use then).\n\n" +
			"Exit codes: 0 all is well (or there are warnings only), 1 something failed, 2 bad usage or settings.",
		Args: func(cmd *cobra.Command, args []string) error {
			if format != "table" && format != "json" {
				return fmt.Errorf("--format %q is not allowed, it must be table or json", format)
			}
			if timeout <= 0 {
				return fmt.Errorf("--timeout %v is not allowed, it must be above 0", timeout)
			}
			return cobra.NoArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := Load(cmd)
			if err != nil {
				return err
			}
			checks, err := s.Checks(cfg)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			return printChecked(cmd.OutOrStdout(), format, runChecks(ctx, checks))
		},
	}
	cmd.Flags().StringVar(&format, "format", "table", "`form` of the output: table or json")
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Second, "how long everything may take together")
	return cmd
}

// runChecks runs all checks at the same time, but for those that wait for what they need, and returns when the last one
// is done or ctx has ended.
func runChecks(ctx context.Context, checks []Check) []checked {
	results := make([]chan checked, len(checks)) // each is sent one, and passed on by whoever takes it
	byName := make(map[string]chan checked, len(checks))
	for i, c := range checks {
		results[i] = make(chan checked, 1)
		needed := byName[c.Needs]
		byName[c.Name] = results[i]
		go func(result chan<- checked) {
			if needed != nil {
				need := <-needed
				needed <- need
				if need.Status == checkFailed || need.Status == checkSkipped {
					result <- checked{c.Name, checkSkipped, "needs " + c.Needs}
					return
				}
			}
			result <- c.look(ctx)
		}(results[i])
	}
	all := make([]checked, len(checks))
	for i, result := range results {
		all[i] = <-result
		result <- all[i]
	}
	return all
}

// look runs the check, and does not wait for one that hangs.
func (c Check) look(ctx context.Context) checked {
	done := make(chan checked, 1)
	go func() {
		found, err := c.Run(ctx)
		switch {
		case err == nil:
			done <- checked{c.Name, checkOK, found}
		case errors.As(err, new(warning)):
			done <- checked{c.Name, checkWarning, oneLine(err)}
		default:
			done <- checked{c.Name, checkFailed, oneLine(err)}
		}
	}()
	select {
	case result := <-done:
		return result
	case <-ctx.Done():
	}
	select {
	case result := <-done: // it has ended with ctx, and may know more
		return result
	case <-time.After(grace):
		return checked{c.Name, checkFailed, "no answer in time (--timeout)"}
	}
}

// grace is for what a check has to say when its time is over.
const grace = 100 * time.Millisecond

func printChecked(w io.Writer, format string, all []checked) error {
	failed := 0
	for _, c := range all {
		if c.Status == checkFailed {
			failed++
		}
	}
	var err error
	if format == "json" {
		err = printJSON(w, all)
	} else {
		err = printCheckedTable(w, all)
	}
	if err == nil && failed > 0 {
		err = fmt.Errorf("%d of %d checks failed", failed, len(all))
	}
	return err
}
