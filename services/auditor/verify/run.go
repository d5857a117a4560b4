package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidemark-chat/tidemark/services/auditor/progress"
	"github.com/tidemark-chat/tidemark/services/auditor/render"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/sqlite"
	"github.com/tidemark-chat/tidemark/streams/replay"
)

// run is one run.
type run struct {
	Options
	began    time.Time
	report   Report
	findings []*findings
	state    eventlog.State
	after    uint64 // the span: after < offset <= through
	through  uint64

	position readmodel.Position
	trail    *trail
	lanes    []*lane
}

func (r *run) check(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx) // for what reads beside the log
	defer cancel()
	defer r.close()
	r.fixReadModel(ctx)
	r.fixCheckpoints(ctx)
	if err := r.fixLog(ctx); err != nil {
		r.unchecked("", err)
		return
	}
	r.addRules(ctx)
	r.addReadModel(ctx)
	r.addCheckpoints(ctx)
	r.pass(ctx)
}

func (r *run) close() {
	for _, l := range r.lanes {
		for _, c := range l.checks {
			c.close()
		}
	}
	if r.trail != nil {
		r.trail.close()
	}
}

// asked reports whether a part is to be checked and can still be.
func (r *run) asked(p Part) bool {
	return slices.Contains(r.Parts, p) && !slices.ContainsFunc(r.report.Unchecked, func(u Unchecked) bool { return u.Part == p })
}

// unchecked notes that a part, or if it is empty whatever was asked for, could not be checked.
func (r *run) unchecked(p Part, why error) {
	u := Unchecked{Part: p, Why: render.Visible(why.Error())}
	var others []string
	for _, other := range r.Parts {
		if other != p && p != "" {
			others = append(others, string(other))
		}
	}
	u.Only = strings.Join(others, ",")
	r.report.Unchecked = append(r.report.Unchecked, u)
}

// remark notes what follows from something for who reads the report.
func (r *run) remark(format string, args ...any) {
	r.report.Remarks = append(r.report.Remarks, fmt.Sprintf(format, args...))
}

// of makes the findings of a rule.
func (r *run) of(rule Rule) *findings {
	f := &findings{rule: rule}
	r.findings = append(r.findings, f)
	return f
}

// fixLog fixes what of the log is read.
func (r *run) fixLog(ctx context.Context) (err error) {
	if r.state, err = eventlog.Open(r.JS).State(ctx); err != nil {
		return err
	}
	r.after, r.through = max(r.From, 1)-1, r.state.Last
	if r.To > 0 {
		r.through = min(r.To, r.state.Last)
	}
	r.report.Log = LogReport{Epoch: r.state.Epoch, Last: r.state.Last, From: r.after + 1, Through: r.through, Reached: r.after}
	if r.From > max(r.through, 1) {
		return fmt.Errorf("there is nothing from offset %d on: the log ends at offset %d", r.From, r.state.Last)
	}
	if r.To > r.state.Last {
		r.remark("the log ends at offset %d, before what was asked for", r.state.Last)
	}
	if r.part() {
		r.remark("this is a part of the log: keys, the order of times and checkpoints were judged within it only")
	}
	return nil
}

// part reports whether only a part of the log is read.
func (r *run) part() bool { return r.after > 0 || r.through < r.state.Last }

// addRules adds the rules of the log itself.
func (r *run) addRules(ctx context.Context) {
	if !r.asked(OfLog) {
		return
	}
	seen := &RulesReport{Types: map[string]uint64{}}
	r.report.Rules = seen
	r.lanes = append(r.lanes, newLane(OfLog, r.after,
		denseCheck{found: r.of(Dense)},
		intactCheck{digest: r.of(Intact), schema: r.of(Schema), seen: seen},
		&orderCheck{found: r.of(Order), seen: seen},
		newKeyCheck(ctx, r.of(Key), seen),
	))
}

// pass reads the log for all checks.
func (r *run) pass(ctx context.Context) {
	after := r.after
	for _, l := range r.lanes {
		after = min(after, l.after)
	}
	bar := (*progress.Bar)(nil)
	if r.Progress != nil {
		bar = r.Progress(r.through - after)
		defer bar.Stop()
	}
	log := &r.report.Log
	err := pass(ctx, r.read, after, r.through, r.lanes, func(it *item) {
		bar.Set(it.Offset - after)
		if it.Offset > r.after {
			log.Events++
			log.Content += uint64(len(it.Content))
			log.Reached = it.Offset
		}
	})
	if ctx.Err() != nil {
		r.unchecked("", fmt.Errorf("it was interrupted at offset %d of %d", log.Reached, r.through))
		return
	}
	if err != nil {
		r.unchecked("", fmt.Errorf("the log was read through offset %d of %d: %w", log.Reached, r.through, err))
	} else {
		log.Reached = r.through
	}
	if c := r.report.Checkpoints; c != nil {
		c.NotCovered = r.through - min(max(c.Covered, r.after), r.through)
	}
	for _, l := range r.lanes {
		if err := l.err(); err != nil {
			r.unchecked(l.part, err)
			r.forget(err)
		}
	}
}

// forget drops what was found in a read model that was written to while it was read: it need not have been there.
func (r *run) forget(err error) {
	for _, f := range r.findings {
		if f.rule == ReadModel && errors.Is(err, sqlite.ErrWritten) {
			f.kept, f.count = nil, 0
		}
	}
}

func (r *run) read(ctx context.Context, after, through uint64, apply func(replay.Record) error) (uint64, error) {
	return replay.Log(ctx, r.JS, after, through, apply)
}
