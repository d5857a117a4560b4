package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/services/swarm/report"
	"github.com/tidemark-chat/tidemark/services/swarm/trial"
)

// Exit codes beside 0.
const (
	foundSomething = 1
	provesNothing  = 2
)

var errFindings = errors.New("promises were broken")

// run carries a trial out and hands in its report.
func (f *flags) run(cmd *cobra.Command, t *trial.Trial) error {
	result, err := t.Run(cmd.Context())
	if result != nil {
		err = errors.Join(err, f.handIn(cmd, result))
	}
	switch {
	case err != nil:
		return &command.Exit{Code: provesNothing, Err: err}
	case result.Verdict == report.Found:
		return &command.Exit{Code: foundSomething, Err: errFindings}
	}
	return nil
}

// handIn writes the report where it is wanted.
func (f *flags) handIn(cmd *cobra.Command, r *report.Report) error {
	write := r.WriteText
	if f.format == "json" {
		write = r.WriteJSON
	}
	err := write(cmd.OutOrStdout())
	if f.out != "" {
		err = errors.Join(err, r.Save(f.out))
		if err == nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "report.html and report.json are in %s\n", f.out)
		}
	}
	return err
}

// usage marks an error about what was asked.
func usage(err error) error {
	if err != nil {
		return &command.Exit{Code: provesNothing, Err: err}
	}
	return nil
}
