// Package command is the command line that all services share, so that a main is one call:
//
//	func main() {
//		os.Exit(command.Main(command.Service{
//			Name: "gateway", Short: "...", Sections: []string{"nats", "stream", "gateway"}, Run: run,
//		}))
//	}
//
// Without a subcommand the service runs; "check" looks whether it could, "config" prints every setting with its value and
// where that came from, "version" what was built. The first SIGINT or SIGTERM asks the service to stop, the second does
// not wait for it (the same one again within a second counts as one). SIGHUP has a running service read its settings
// again: what can be taken up is, what needs a restart is named, and what is not allowed changes nothing.
//
// Exit codes: 0 clean stop, 1 failure, 2 bad usage or settings; a subcommand may have others ([Exit]). Errors are one
// line on standard error.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config"
)

// Exit codes.
const (
	clean   = 0
	failure = 1
	usage   = 2
)

// Service is what a main tells about its service.
type Service struct {
	Name    string // of the binary
	Short   string // one line
	Long    string // what it does and what it needs
	Example string // indented by two spaces

	// Sections are those parts of the configuration that apply: sections ("gateway") or single keys ("dataDir"). They
	// get flags and are printed; "log" always is. None: all of them.
	Sections []string

	// Run serves until ctx is done, then stops in an orderly way and returns nil or ctx's error; any other error is a
	// failure. Nil for a binary that only has subcommands.
	Run func(ctx context.Context, cfg config.Config, log *slog.Logger) error

	// Checks are what the subcommand "check" looks at; nil for a binary that has none. Its error is about settings that
	// the service cannot work with.
	Checks func(cfg config.Config) ([]Check, error)

	// Extra are further subcommands. In their RunE, [Load] gives the configuration and cmd.Context() ends with a signal.
	Extra []*cobra.Command
}

// Main runs the command line of the process and returns its exit code.
func Main(s Service) int {
	signals, stop := notify()
	defer stop()
	return run(s, os.Args[1:], os.Stdout, os.Stderr, signals)
}

// run is Main with everything it touches. It returns before the service has stopped if a second signal arrives.
func run(s Service, args []string, stdout, stderr io.Writer, signals <-chan os.Signal) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	root := s.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)

	done := make(chan error, 1)
	go func() { done <- root.ExecuteContext(ctx) }()

	err, killed := wait(done, signals, cancel)
	if killed {
		fmt.Fprintf(stderr, "%s: killed by a second signal\n", s.Name)
		return failure
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = nil // it stopped because it was told to
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %s\n", s.Name, oneLine(err))
	}
	return exitCode(err)
}

// Load is the configuration of a subcommand and a logger to standard error.
func Load(cmd *cobra.Command) (config.Config, *slog.Logger, error) {
	cfg, err := config.Load(cmd.Flags())
	if err != nil {
		return config.Config{}, nil, err
	}
	return cfg, config.NewLogger(cfg.Log, cmd.ErrOrStderr()), nil
}

// root builds the whole command tree.
func (s Service) root() *cobra.Command {
	if len(s.Sections) > 0 {
		s.Sections = append([]string{"log"}, s.Sections...)
	}
	root := &cobra.Command{
		Use: s.Name, Short: s.Short, Long: s.Long, Example: s.Example,
		Args: cobra.NoArgs, SilenceErrors: true, SilenceUsage: true,
	}
	if s.Run != nil {
		root.RunE = func(cmd *cobra.Command, _ []string) error { return s.serve(cmd) }
	}
	if root.RunE == nil { // so that an unknown subcommand is an error
		root.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	config.Flags(root.PersistentFlags(), s.Sections...)
	root.SetGlobalNormalizationFunc(root.PersistentFlags().GetNormalizeFunc())
	root.AddCommand(configCommand(s.Sections), versionCommand(s.Name))
	if s.Checks != nil {
		root.AddCommand(checkCommand(s))
	}
	root.AddCommand(s.Extra...)
	markFailures(root)
	return root
}

// failed marks what a command reports after its arguments were accepted; cobra's own errors are about usage.
type failed struct{ error }

func (f failed) Unwrap() error { return f.error }

func markFailures(cmd *cobra.Command) {
	if runE := cmd.RunE; runE != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if err := runE(cmd, args); err != nil {
				return failed{err}
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		markFailures(sub)
	}
}

// Exit is an error of a subcommand whose exit code says more than that it failed.
type Exit struct {
	Code int
	Err  error
}

func (e *Exit) Error() string { return e.Err.Error() }
func (e *Exit) Unwrap() error { return e.Err }

func exitCode(err error) int {
	exit := (*Exit)(nil)
	switch {
	case err == nil:
		return clean
	case errors.As(err, &exit):
		return exit.Code
	case errors.As(err, new(*config.Error)):
		return usage
	case errors.As(err, new(failed)):
		return failure
	default:
		return usage
	}
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
