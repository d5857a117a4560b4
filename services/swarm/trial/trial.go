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
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/client"
	"github.com/tidemark-chat/tidemark/services/swarm/crowd"
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
	briefly  = 5 * time.Second // where nothing is judged
	probing  = 10 * time.Second
)

// Trial is what is to be done.
type Trial struct {
	Command   string            // names it in the report
	Arguments map[string]string // for the report
	Version   string
	// Deployment says what is deployed for the run: "3 nats-servers, ..."; empty: it was there.
	Deployment string
	Crowd      crowd.Options // without its meter, which Run makes
	Length     time.Duration // of During, for the view
	// During is what happens once everybody has connected. It returns when it has happened, with an error if the run then
	// proves nothing, unless something is found; or when ctx ends.
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
	epoch   string // of the log that is read
	mu      sync.Mutex
	faults  []report.Fault
	leftOut []string
	notes   []string
	flaws   []string
	noted   []string
	checked []oracle.Rule // by what happened during the run
	found   []oracle.Finding
	noEnd   bool // there was no quiet end, at which everybody is where they should be
}

// Flaw takes down why the run, as it went, proves less than it was to: without findings it proves nothing then.
func (r *Running) Flaw(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flaws = append(r.flaws, what)
}

// Note takes down what was measured beside, in a sentence.
func (r *Running) Note(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.noted = append(r.noted, what)
}

// Check takes down that a rule was checked that is no client's, and how it did not hold; "" says that it did.
func (r *Running) Check(rule oracle.Rule, broken string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checked = append(r.checked, rule)
	if broken != "" {
		r.found = append(r.found, findingsOf(rule, "", []string{broken})...)
	}
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
	start, epoch, err := t.begin(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	meter := measure.New(began)
	o := t.Crowd
	o.Meter, o.Record = meter, t.Judge
	r := &Running{Crowd: crowd.New(o), Meter: meter, began: began, epoch: epoch}

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
	if !t.Judge {
		result.Verdict = report.Measured
	}
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
			return nil, errors.New("the run was cut short before everybody had connected")
		}
		return nil, fmt.Errorf("%d of %d connections were not opened within a minute: %s (%s)", len(missing), r.Crowd.Seats(), list(missing), list(r.Crowd.Refusals()))
	}
	if err := otherLogs(r.Crowd.Epochs(), r.epoch); err != nil {
		return nil, err
	}
	r.Say()
	err = t.During(ctx, r)
	if ctx.Err() != nil {
		r.noEnd = true // nobody wants to wait for one
		r.Flaw(fmt.Sprintf("the run was cut short after %v", time.Since(r.began).Round(time.Second)))
		return nil, nil
	}
	if err != nil {
		r.Flaw(err.Error())
	}
	longest := settling
	if !t.Judge {
		longest = briefly
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), longest)
	defer cancel()
	behind = r.Crowd.Settle(end, func(behind []string) {
		r.Say(fmt.Sprintf("settling, for at most %v: waiting for %d, %s", longest, len(behind), behind[0]))
	})
	switch {
	case r.Meter.Connected.Load() == 0:
		behind = nil
		r.noEnd = true
		r.Flaw("at the end no gateway could be reached")
	case !t.Judge && int(r.Meter.Connected.Load()) < r.Crowd.Seats():
		r.Flaw(fmt.Sprintf("at the end %d of %d connections were open", r.Meter.Connected.Load(), r.Crowd.Seats()))
	}
	if r.Crowd.Reached() == 0 || r.Meter.Received.Load() == 0 {
		r.Flaw("no message was acked and received")
	}
	return behind, nil
}

func (t *Trial) report(r *Running) *report.Report {
	result := &report.Report{
		Command: t.Command, Arguments: t.Arguments, Version: t.Version, RunID: r.Crowd.History().ID, Seed: t.Crowd.Seed,
		Began: r.began.UTC(), Took: time.Since(r.began).Seconds(), Machine: report.ThisMachine(), Deployment: t.Deployment, Addresses: t.Crowd.Gateways,
		Faults: r.faults, Noted: r.noted, LeftOut: r.leftOut,
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

// begin makes sure that there is something to talk to, and finds out where the log ends before the run.
func (t *Trial) begin(ctx context.Context) (after uint64, epoch string, err error) {
	for _, url := range t.Crowd.Gateways {
		if err := probe(ctx, url); err != nil {
			return 0, "", fmt.Errorf("%s does not answer as a Socket.IO server: %w", url, err)
		}
	}
	if !t.Judge || t.Log == nil {
		return 0, "", nil
	}
	return t.Log.Head(ctx)
}

// probe connects once. To be refused is an answer, too.
func probe(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, probing)
	defer cancel()
	c, err := client.Dial(ctx, client.Options{URL: url, Auth: map[string]any{"serverOffset": "latest"}, Event: func([]byte) {}})
	if refused := (*client.Refused)(nil); err == nil {
		c.Close()
		<-c.Done()
	} else if errors.As(err, &refused) {
		return nil
	}
	return err
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
	if err := otherLogs(r.Crowd.Epochs(), log.Epoch); err != nil {
		r.Flaw(err.Error())
		return
	}
	options := oracle.Options{Quiet: true, Present: r.Crowd.Tabs(), UpTo: r.Crowd.Reached()}
	if r.noEnd {
		options = oracle.Options{}
	}
	findings = append(findings, oracle.Check(r.Crowd.History(), log, options)...)
	findings = append(findings, findingsOf(oracle.Reached, "at the end ", behind)...)
	findings = append(findings, findingsOf(oracle.Contract, "", r.Crowd.Breaches())...)
	if t.Complaints != nil {
		findings = append(findings, findingsOf(oracle.Alive, "", t.Complaints())...)
	}
	findings = append(findings, r.found...)
	result.Rules, result.Findings = told(findings, t.Log != nil, t.Complaints != nil, r.checked)
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

// otherLogs says if the gateways follow several logs, or another one than is read, whose epoch is empty if none is. told are
// the epochs that clients were told, by gateway.
func otherLogs(told map[string][]string, read string) error {
	all := map[string]bool{}
	for _, epochs := range told {
		if len(epochs) > 1 {
			return nil // a gateway that contradicts itself is for the oracle to judge
		}
		all[epochs[0]] = true
	}
	switch {
	case len(all) > 1:
		return fmt.Errorf("these gateways do not share a log: their clients were told of the epochs %q", slices.Sorted(maps.Keys(all)))
	case len(all) == 1 && read != "" && !all[read]:
		return fmt.Errorf("the log that is read is not the one of these gateways: its epoch is %q, the clients were told of %q", read, slices.Collect(maps.Keys(all)))
	}
	return nil
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
func told(findings []oracle.Finding, read, watched bool, also []oracle.Rule) (rules []report.Rule, stories []report.Finding) {
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
		case oracle.TakeOver:
			checked = slices.Contains(also, m.Rule)
		}
		if checked {
			rules = append(rules, report.Rule{Name: string(m.Rule), Meaning: m.Meaning, Findings: count[m.Rule]})
		}
	}
	return rules, stories
}
