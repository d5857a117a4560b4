package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/services/auditor/playback"
	"github.com/tidemark-chat/tidemark/services/auditor/progress"
	"github.com/tidemark-chat/tidemark/services/auditor/render"
)

// replaying is one run of the command replay.
type replaying struct {
	*replayFlags
	link     *link
	cmd      *cobra.Command
	playback *playback.Playback
	bar      *progress.Bar
	began    time.Time
}

func runReplay(cmd *cobra.Command, flags *replayFlags) error {
	// A pipe that is closed at its other end (| head) is an error of a write, not the end of the process.
	signal.Ignore(syscall.SIGPIPE)
	l, err := open(cmd)
	if err != nil {
		return err
	}
	defer l.close()
	r := replaying{replayFlags: flags, link: l, cmd: cmd}
	through, err := r.prepare(cmd.Context())
	if err != nil {
		return could(err)
	}
	err = r.read(cmd.Context(), through)
	r.bar.Stop()
	return r.ended(cmd.Context(), err)
}

// prepare finds out what is to be read.
func (r *replaying) prepare(ctx context.Context) (through uint64, err error) {
	r.selection.Growing = r.follow
	after, through, err := r.selection.Span(ctx, r.link.js, r.link.state)
	if err != nil {
		return 0, err
	}
	match, err := r.selection.Matcher(ctx, r.link.js)
	if err != nil {
		return 0, err
	}
	stdout := r.cmd.OutOrStdout()
	out, err := render.New(r.format, stdout, onTerminal(stdout))
	if err != nil {
		return 0, err
	}
	options := playback.Options{
		Selection: &r.selection, Match: match, Out: out, Remarks: r.cmd.ErrOrStderr(), Reached: func(uint64) {},
		Speed: float64(r.speed), MaxGap: r.maxGap,
	}
	if !r.quiet && !onTerminal(stdout) {
		r.bar = progress.Start(r.cmd.ErrOrStderr(), "replay", through-after)
		options.Remarks, options.Reached = r.bar, func(offset uint64) { r.bar.Set(offset - after) }
	}
	r.began = time.Now()
	r.playback = playback.New(r.link.js, after, options)
	return through, nil
}

func (r *replaying) read(ctx context.Context, through uint64) error {
	if !r.follow {
		return r.playback.Through(ctx, through)
	}
	if err := r.playback.CatchUp(ctx); err != nil {
		return err
	}
	r.bar.Stop()
	_, log, err := command.Load(r.cmd)
	if err != nil {
		return err
	}
	return r.playback.Follow(ctx, log)
}

// ended makes what read returned the command's own result, and sums up.
func (r *replaying) ended(ctx context.Context, err error) error {
	if errors.As(err, new(*playback.OutputError)) {
		if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
			return nil // whoever reads has seen enough
		}
		return could(err)
	}
	if !r.quiet {
		fmt.Fprintln(r.cmd.ErrOrStderr(), summary(&r.playback.Tally, time.Since(r.began)))
	}
	goOn := fmt.Sprintf("go on with --from %d", r.playback.Last+1)
	stopped := fmt.Errorf("stopped after offset %d; %s", r.playback.Last, goOn)
	switch {
	case r.follow && ctx.Err() != nil:
		fmt.Fprintln(r.cmd.ErrOrStderr(), stopped)
	case err != nil && ctx.Err() != nil:
		return could(stopped)
	case err != nil:
		return could(fmt.Errorf("%w; %s", err, goOn))
	}
	if !r.playback.Whole() {
		return &command.Exit{Code: foundSomething, Err: errors.New("the log is not whole")}
	}
	return nil
}

// summary is one line on what was read.
func summary(t *playback.Tally, took time.Duration) string {
	line := fmt.Sprintf("replay: %s events read, %s written", progress.Count(t.Read), progress.Count(t.Written))
	if !t.Whole() {
		line += fmt.Sprintf(", %s damaged, %s missing", progress.Count(t.Damaged), progress.Count(t.Missing))
	}
	if seconds := took.Seconds(); seconds > 0 {
		line += fmt.Sprintf(", %s/s", progress.Count(uint64(float64(t.Read)/seconds)))
	}
	return line
}
