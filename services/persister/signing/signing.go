// Package signing is the notary at work: it follows the projection through the log and signs how the log stands.
//
//	log ──▶ leaves ──▶ tree ──▶ signed checkpoint ──▶ stream AUDIT ──▶ export: a file, or an HTTP endpoint
//	        (only what is projected)                  (one chain: an append names the entry it follows)
//
// It stands beside the projection and never in its way: whatever goes wrong here is logged, counted and tried again, and what was
// not signed meanwhile is signed later, in portions. Of several persisters the one that projects signs; should two sign
// nevertheless, AUDIT takes one entry and the other notary goes on from there.
//
// A notary does not sign a log that contradicts what was signed: see differs. It trusts AUDIT no further than it can check: a
// checkpoint that its own key did not sign is believed when its root has been made again from the log, and before
// it goes on behind that, or begins a tree, the log must fit what its own key has signed under the same epoch.
package signing

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

// Options is what a notary needs to know.
type Options struct {
	Key      notary.Key    // its Signer is nil: there is no notary
	Every    int           // leaves of one entry at most, 1 to notary.MaxLeaves
	Interval time.Duration // how long an event waits for its checkpoint at most, give or take a look
	Replicas int           // of the stream AUDIT, if it has to be made
	Mode     provision.Mode
	// ExportPath or ExportURL is where each checkpoint is handed to; both empty: nowhere.
	ExportPath, ExportURL string
}

// Projected is how far the projection is.
type Projected struct {
	Offset uint64
	Epoch  string // of the log that it was made from; may be empty while Offset is 0
	Mine   bool   // whether this persister is the one that projects
}

// Notary is one notary. Run it once. Report may be called at any time.
type Notary struct {
	options Options
	log     *slog.Logger
	metrics *Metrics
	outside *exporter // nil: nothing is exported

	history   history
	ledger    ledger
	projected func() Projected

	// Of the goroutine that runs it:
	chain    *chain    // nil: to be read from the ledger
	signed   time.Time // when the last checkpoint was; zero: not by this notary
	failures int       // in a row
	said     complaint

	mu     sync.Mutex
	report Report
}

// Report is what a notary says about itself.
type Report struct {
	Size    uint64 `json:"size"` // offset up to which the log is signed, as it last knew
	Problem string `json:"problem,omitempty"`
}

// New makes a notary. What it exports to is not looked at before there is something to export.
func New(options Options, metrics *Metrics, log *slog.Logger) *Notary {
	n := &Notary{options: options, metrics: metrics, log: log}
	if target := options.target(); target != nil {
		n.outside = newExporter(target, metrics, log)
	}
	return n
}

// Report is safe for concurrent use.
func (n *Notary) Report() Report {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.report
}

// stopWait bounds what a notary still does when it is told to stop: to sign what is left, and then to export it.
const stopWait = 2 * time.Second

// Run signs what projected says is projected, until ctx is done. Then it signs what is left, as far as a few seconds allow, and
// returns; so projected must then still tell how far the projection came. js should be of a connection of its own.
func (n *Notary) Run(ctx context.Context, js jetstream.JetStream, projected func() Projected) {
	n.run(ctx, stream{eventlog.Open(js), js}, audit{notary.OpenAudit(js), js, n.options.Replicas, n.options.Mode, n.log}, projected)
}

func (n *Notary) run(ctx context.Context, h history, l ledger, projected func() Projected) {
	n.history, n.ledger, n.projected = h, l, projected
	if n.outside != nil {
		defer n.outside.start()()
	}
	for pause(ctx, n.turn(ctx, false)) {
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWait)
	defer cancel()
	n.turn(last, true)
}

// turn does what is due and returns how long to wait before the next one. The last turn does not wait for the interval.
func (n *Notary) turn(ctx context.Context, last bool) time.Duration {
	p := n.projected()
	if !p.Mine {
		n.chain = nil // another notary is at work
		n.well()
		return look
	}
	more, err := n.step(ctx, p, last)
	switch {
	case err == nil && more && ctx.Err() == nil:
		return 0
	case err == nil:
		return look
	}
	n.chain = nil
	switch {
	case errors.Is(err, notary.ErrFenced):
		n.log.Info("another notary was quicker, going on from its checkpoint")
		n.signed = time.Now()
		return look
	case ctx.Err() != nil && !last:
		return 0 // it was interrupted
	case needsOperator(err):
		n.refuse(err)
		return refusedEvery
	case last:
		n.log.Warn("what was left could not be signed; it will be after the next start", "error", err)
		return 0
	default:
		n.failures++
		n.metrics.failures.Inc()
		wait := backoff(n.failures)
		n.said.log(n.log, slog.LevelWarn, "nothing could be signed, trying again", err, "in", wait)
		return wait
	}
}

// step signs one portion of what is due, and reports whether there is more.
func (n *Notary) step(ctx context.Context, p Projected, last bool) (more bool, err error) {
	if n.chain == nil {
		if n.chain, err = n.load(ctx); err != nil {
			return false, err
		}
		n.covers(n.chain.size())
	}
	size := n.chain.size()
	if p.Epoch != n.chain.epoch {
		size = 0
	}
	waited := time.Since(n.signed)
	if last {
		waited = n.options.Interval
	}
	through := due(size, p.Offset, n.options.Every, waited, n.options.Interval)
	if through == 0 {
		n.well()
		return false, nil
	}
	state, err := n.confirm(ctx, n.chain)
	if err != nil {
		return false, err
	}
	if state.Epoch != p.Epoch || state.Last < through {
		return false, nil // the log has just become another one, which the projection is about to see
	}
	if state.Epoch != n.chain.epoch {
		if err := n.begin(ctx, state.Epoch); err != nil {
			return false, err
		}
	}
	portion := min(through, size+maxPortion/uint64(n.options.Every)*uint64(n.options.Every))
	if err = n.extend(ctx, portion, state.Replicas); err == nil {
		n.well()
	}
	return portion < through, err
}

// refuse says that nothing is signed, and why.
func (n *Notary) refuse(reason error) {
	n.metrics.problem.Set(1)
	n.mu.Lock()
	n.report.Problem = reason.Error()
	n.mu.Unlock()
	n.said.log(n.log, slog.LevelError, "the notary refuses to sign", reason)
}

// well takes back what was said of failures and problems.
func (n *Notary) well() {
	n.failures, n.said = 0, complaint{}
	n.metrics.problem.Set(0)
	n.mu.Lock()
	n.report.Problem = ""
	n.mu.Unlock()
}

// covers says how far the log is signed.
func (n *Notary) covers(size uint64) {
	n.metrics.size.Set(float64(size))
	n.mu.Lock()
	n.report.Size = size
	n.mu.Unlock()
}

// begin turns to a log of another epoch, which has a tree of its own.
func (n *Notary) begin(ctx context.Context, epoch string) error {
	if err := n.standsBy(ctx, epoch); err != nil {
		return err
	}
	if n.chain.size() > 0 {
		n.log.Warn("the log is another one than was signed, by its epoch: its tree is begun anew",
			"was", n.chain.epoch, "is", epoch, "signed", n.chain.size())
	}
	n.chain = before(n.chain.last.Sequence, epoch)
	return nil
}

// pause waits and reports whether ctx still lasts.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
