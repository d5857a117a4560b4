// Package trial is one run of a crowd against a deployment, from the first connection to the report: who comes, what
// happens meanwhile, how it ends, and what the oracle says of it.
//
//	Run: connect ─▶ During (talk, faults, a storm) ─▶ settle ─▶ leave ─▶ read the log ─▶ judge ─▶ report
package trial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/crowd"
	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/services/swarm/measure"
	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
	"github.com/tidemark-chat/tidemark/services/swarm/report"
	"github.com/tidemark-chat/tidemark/services/swarm/report/view"
)

const (
	// arrival is how long everybody may take to connect and catch up at the beginning.
	arrival = time.Minute
	// settling is how long everybody may take to be sent the rest at the end. Watermarks, by which those know where
	// they are whom the last messages do not concern, come every 25 s by default.
	settling = 90 * time.Second
)

// Trial is what is to be done.
type Trial struct {
	Command   string            // names it in the report
	Arguments map[string]string // for the report
	Version   string
	Crowd     crowd.Options // without its meter, which Run makes
	Length    time.Duration // of During, for the view
	// During is what happens once everybody has connected. It returns when it has happened or ctx ends, with an error
	// if the run then proves nothing, unless something is found.
	During func(ctx context.Context, r *Running) error
	// Judge reads the log, and lets the oracle judge the run. Otherwise only figures are taken.
	Judge bool
	Log   *NATS // where the log is read; nil: it is put together from what the clients saw
	// Complaints says, at the end, what the processes of the deployment have to be blamed for.
	Complaints func() []string
	View       io.Writer // where the run is shown while it lasts
}

// Running is a trial under way.
type Running struct {
	Crowd *crowd.Crowd
	Meter *measure.Meter

	began   time.Time
	mu      sync.Mutex
	faults  []report.Fault
	leftOut []string
	notes   []string
	flaws   []string
}

// Flaw takes down why the run, as it went, proves less than it was to: without findings it proves nothing then.
func (r *Running) Flaw(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flaws = append(r.flaws, what)
}

// LeaveOut takes down what is not done, and why.
func (r *Running) LeaveOut(what ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leftOut = append(r.leftOut, what...)
}

// Fault takes down that something was broken, or mended. Its time is set here.
func (r *Running) Fault(f report.Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f.At = time.Since(r.began).Seconds()
	r.faults = append(r.faults, f)
}

// Say sets what the view says of what is going on.
func (r *Running) Say(notes ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = notes
}

func (r *Running) said() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.notes
}

// Run carries it out. An error says that it could not be done, or that what was done proves nothing: then there may be
// a report all the same, of what was measured until then.
func (t *Trial) Run(ctx context.Context) (*report.Report, error) {
	start, err := t.begin(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	meter := measure.New(began)
	o := t.Crowd
	o.Meter, o.Record = meter, t.Judge
	r := &Running{Crowd: crowd.New(o), Meter: meter, began: began}

	defer beside(ctx, func(ctx context.Context) { view.Run(ctx, t.View, t.Command, t.Length, meter.Snapshot, r.said) })()
	stopWatching := beside(ctx, func(ctx context.Context) { watchMemory(ctx, meter, o.Gateways) })
	stopMeasuring := beside(ctx, meter.Run)
	behind, err := t.happen(ctx, r)
	stopMeasuring()
	stopWatching()
	if err != nil {
		return t.report(r), err
	}
	result := t.report(r)
	if t.Judge {
		t.judge(context.WithoutCancel(ctx), r, start, behind, result) // also of a run that was cut short
	}
	result.LeftOut = append(result.LeftOut, r.flaws...)
	if len(r.flaws) > 0 && result.Verdict != report.Found {
		result.Verdict = report.NotChecked
		return result, errors.New(list(r.flaws))
	}
	return result, nil
}

// beside runs something until it is told to stop, whatever becomes of ctx, and then waits for it.
func beside(ctx context.Context, run func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

// happen is the part of the run in which there is a crowd. It returns who was behind at its end.
func (t *Trial) happen(ctx context.Context, r *Running) (behind []string, err error) {
	crowdCtx, leave := context.WithCancel(context.WithoutCancel(ctx))
	var present sync.WaitGroup
	present.Go(func() { r.Crowd.Run(crowdCtx) })
	defer present.Wait()
	defer leave()

	r.Say("connecting")
	arriving, cancel := context.WithTimeout(ctx, arrival+t.Crowd.Spread)
	defer cancel()
	if missing := r.Crowd.Ready(arriving); len(missing) > 0 {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%d of %d clients could not connect: %s (%s)", len(missing), t.Crowd.Mix.Total(), list(missing), list(r.Crowd.Refusals()))
	}
	r.Say()
	if err := t.During(ctx, r); err != nil {
		r.Flaw(err.Error())
	}
	r.Say("settling")
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), settling)
	defer cancel()
	behind = r.Crowd.Settle(end)
	if r.Crowd.Reached() == 0 || r.Meter.Received.Load() == 0 {
		r.Flaw("no message was acked and received")
	}
	return behind, nil
}

func (t *Trial) report(r *Running) *report.Report {
	result := &report.Report{
		Command: t.Command, Arguments: t.Arguments, Version: t.Version, RunID: r.Crowd.History().ID, Seed: t.Crowd.Seed,
		Began: r.began.UTC(), Took: time.Since(r.began).Seconds(), Machine: report.ThisMachine(), Addresses: t.Crowd.Gateways,
		Faults: r.faults, LeftOut: r.leftOut,
	}
	result.Measured(r.Meter)
	if refusals := r.Crowd.Refusals(); len(refusals) > 0 {
		result.LeftOut = append(result.LeftOut, "attempts to connect that failed: "+list(refusals))
	}
	result.Judge()
	return result
}

// list is the first few of some texts.
func list(texts []string) string {
	const most = 5
	text := strings.Join(texts[:min(most, len(texts))], "; ")
	if more := len(texts) - most; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

// begin finds out where the log ends before the run.
func (t *Trial) begin(ctx context.Context) (after uint64, err error) {
	if !t.Judge || t.Log == nil {
		return 0, nil
	}
	return t.Log.Head(ctx)
}

// judge reads the log and has the run judged by it.
func (t *Trial) judge(ctx context.Context, r *Running, after uint64, behind []string, result *report.Report) {
	if t.Crowd.Mix["newcomer"] > 0 {
		after = 0 // they are sent all there is
	}
	log, findings, err := t.evidence(ctx, r, after)
	if err != nil {
		r.Flaw(err.Error())
	}
	if t.Log != nil && log.Epoch == "" {
		return // it could not be read
	}
	r.Say("judging")
	if told := toldEpoch(r.Crowd.History()); t.Log != nil && told != "" && told != log.Epoch {
		r.Flaw(fmt.Sprintf("the log that was read is not the one of these gateways: its epoch is %s, the clients were told %s", log.Epoch, told))
		return
	}
	findings = append(findings, oracle.Check(r.Crowd.History(), log, oracle.Options{Quiet: true, Present: r.Crowd.Tabs(), UpTo: r.Crowd.Reached()})...)
	findings = append(findings, findingsOf(oracle.Reached, "at the end ", behind)...)
	findings = append(findings, findingsOf(oracle.Contract, "", r.Crowd.Breaches())...)
	if t.Complaints != nil {
		findings = append(findings, findingsOf(oracle.Alive, "", t.Complaints())...)
	}
	result.Rules, result.Findings = told(findings, t.Log != nil, t.Complaints != nil)
	if t.Log == nil {
		result.LeftOut = append(result.LeftOut, "the log was not read: it was put together from what the clients were acked and sent, so that what all of them missed, or were told alike, is not found")
	}
	result.Judge()
}

// findingsOf makes findings that are no client's.
func findingsOf(rule oracle.Rule, begins string, texts []string) (findings []oracle.Finding) {
	for _, text := range texts {
		findings = append(findings, oracle.Finding{Rule: rule, Connection: -1, Text: begins + text})
	}
	return findings
}

// toldEpoch is the epoch that the clients were told, or "" if they were told several, or none.
func toldEpoch(run *history.Run) (epoch string) {
	for _, a := range run.Actors {
		for _, c := range a.Connections {
			for _, e := range c.Entries {
				switch {
				case e.Recovery == nil || e.Recovery.Epoch == epoch:
				case epoch != "":
					return ""
				default:
					epoch = e.Recovery.Epoch
				}
			}
		}
	}
	return epoch
}

// evidence is the log, and what is wrong with it by itself. With a log, an error is about the read model.
func (t *Trial) evidence(ctx context.Context, r *Running, after uint64) (oracle.Log, []oracle.Finding, error) {
	if t.Log == nil {
		log, findings := oracle.Observed(r.Crowd.History())
		return log, findings, nil
	}
	return t.Log.Read(ctx, after, func(what string, done, total uint64) { r.Say(fmt.Sprintf("judging: %d of %d %s", done, total, what)) })
}

// told is what the report says of rules and findings.
func told(findings []oracle.Finding, read, watched bool) (rules []report.Rule, stories []report.Finding) {
	count := map[oracle.Rule]int{}
	for _, f := range findings {
		count[f.Rule]++
		if f.More > 0 {
			count[f.Rule] += f.More - 1 // it stands for them
		}
		stories = append(stories, report.Finding{
			Rule: string(f.Rule), Actor: f.Actor, Connection: f.Connection, Offset: f.Offset, Text: f.Text, Timeline: f.Timeline,
		})
	}
	for _, m := range oracle.Rules() {
		checked := true
		switch m.Rule {
		case oracle.Dense, oracle.Digest, oracle.ReadModel:
			checked = read
		case oracle.Alive:
			checked = watched
		}
		if checked {
			rules = append(rules, report.Rule{Name: string(m.Rule), Meaning: m.Meaning, Findings: count[m.Rule]})
		}
	}
	return rules, stories
}
