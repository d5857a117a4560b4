package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/deployment"
)

const (
	// healTimeout bounds how long a deployment may take to be ready again when all is healed.
	healTimeout = 60 * time.Second
	// quorumTimeout bounds how long a step that hurts a cluster waits until it is whole. After that it is left out, as is
	// a step that comes late by more than lateness because others took longer than planned.
	quorumTimeout = 10 * time.Second
	lateness      = 10 * time.Second
)

// Event is something that happens to the deployment.
type Event struct {
	At     time.Duration // since Run began
	Step   string        // in words; of an end, also what went wrong
	Kind   Kind
	Target string
	Phase  string // "begin", "end", or "left out"
	// Took is, at the end of a failover, the time from the kill of the persister that projects until the other one projects.
	Took time.Duration
}

// Run carries out a plan. It calls note, one call at a time, with what happens when it happens. It returns when all is
// healed and all processes are ready, also if ctx ends before the plan does; an error names what could not be done or
// healed and what is not ready after 60 s.
func Run(ctx context.Context, plan []Step, d *deployment.Deployment, note func(Event)) error {
	r := &run{d: d, note: note, began: time.Now(), slots: make(chan struct{}, atOnce), locks: make(map[string]*sync.Mutex)}
	for _, s := range plan {
		for _, name := range s.holds() {
			r.locks[name] = new(sync.Mutex)
		}
	}
	for _, s := range plan {
		if !sleep(ctx, s.Begin-time.Since(r.began)) {
			break
		}
		r.steps.Go(func() { r.step(ctx, s) })
	}
	r.steps.Wait()
	r.fail(healAll(d))
	ready, cancel := context.WithTimeout(context.WithoutCancel(ctx), healTimeout)
	defer cancel()
	r.fail(d.Ready(ready))
	return r.err
}

// run is a plan that is carried out.
type run struct {
	d     *deployment.Deployment
	began time.Time
	steps sync.WaitGroup
	slots chan struct{}          // taken by a step under way
	locks map[string]*sync.Mutex // by what a step holds; not written to while steps run

	noting sync.Mutex // guards what follows
	note   func(Event)
	err    error
}

// step carries out one, if it can be done about when it was planned: a step before it on the same target may take longer
// to heal than planned.
func (r *run) step(ctx context.Context, s Step) {
	for _, name := range s.holds() {
		r.locks[name].Lock()
		defer r.locks[name].Unlock()
	}
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return
	}
	if err := r.timely(ctx, s); err != nil {
		r.tell(s, "left out", 0, err)
		return
	}
	r.tell(s, "begin", 0, nil)
	took, err := do(ctx, r.d, s)
	err = errors.Join(err, end(r.d, s)) // also of what has begun by half
	r.fail(err)
	r.tell(s, "end", took, err)
}

// timely says why a step cannot begin now, or nil.
func (r *run) timely(ctx context.Context, s Step) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if s.quorum {
		ctx, cancel := context.WithTimeout(ctx, quorumTimeout)
		defer cancel()
		if err := r.d.ServersReady(ctx); err != nil {
			return fmt.Errorf("the cluster is not whole: %w", err)
		}
	}
	if late := time.Since(r.began) - s.Begin; late > lateness {
		return fmt.Errorf("late by %v", late.Round(time.Second))
	}
	return nil
}

// holds are the names of what nobody else may touch meanwhile, sorted, so that no two steps wait for each other.
func (s Step) holds() []string {
	names := append([]string{s.Target}, s.touches...)
	if s.quorum {
		names = append(names, "the cluster")
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (r *run) tell(s Step, phase string, took time.Duration, err error) {
	text := s.String()
	if took > 0 {
		text += fmt.Sprintf(": the other one went on after %v", took.Round(10*time.Millisecond))
	}
	if err != nil {
		text += ": " + err.Error()
	}
	r.noting.Lock()
	defer r.noting.Unlock()
	r.note(Event{At: time.Since(r.began), Step: text, Kind: s.Kind, Target: s.Target, Phase: phase, Took: took})
}

func (r *run) fail(err error) {
	r.noting.Lock()
	defer r.noting.Unlock()
	r.err = errors.Join(r.err, err)
}

// sleep reports whether ctx lasted as long.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
