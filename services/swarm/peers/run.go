package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Options is what to measure.
type Options struct {
	Installed Installed
	Plan      Plan
	Rounds    int
	Only      []string  // names of targets; none: all
	Kinds     []string  // of scenarios; none: all
	Progress  io.Writer // a line for each measurement
}

// Results is everything that was measured, as it was.
type Results struct {
	Began    time.Time `json:"began"`
	Took     float64   `json:"took_seconds"`
	Machine  Machine   `json:"machine"`
	Plan     Plan      `json:"plan"`
	Rounds   int       `json:"rounds"`
	Samples  []Sample  `json:"samples"`
	Failures []string  `json:"failures,omitempty"` // of measurements, which have no sample
}

// Sample is one number.
type Sample struct {
	Round    int     `json:"round"`
	Scenario string  `json:"scenario"`
	Target   string  `json:"target"`
	Metric   Metric  `json:"metric"`
	Value    float64 `json:"value"`
}

// measurementAtMost is how long one scenario with one target may take.
const measurementAtMost = 3 * time.Minute

// Run measures in rounds, one target at a time. A measurement that fails is told in the results and the others go on; an
// error is returned if nothing can be measured, or when ctx ends.
func Run(ctx context.Context, o Options) (Results, error) {
	targets, scenarios, err := o.chosen()
	if err != nil {
		return Results{}, err
	}
	r := Results{Began: time.Now().UTC().Truncate(time.Second), Plan: o.Plan, Rounds: o.Rounds}
	if r.Machine, err = describe(o.Installed); err != nil {
		return Results{}, err
	}
	began := time.Now()
	for round := range o.Rounds {
		for _, scenario := range scenarios {
			for i := range targets {
				target := targets[(i+round)%len(targets)]
				values, err := measureOne(ctx, o.Installed, target, scenario)
				if ctx.Err() != nil {
					return Results{}, context.Cause(ctx)
				}
				r.add(o.Progress, round+1, scenario, target, values, err)
			}
		}
	}
	r.Took = time.Since(began).Seconds()
	return r, nil
}

// Check is the error of options that name what there is not.
func (o Options) Check() error {
	_, _, err := o.chosen()
	return err
}

// chosen are the targets and scenarios of the options.
func (o Options) chosen() (targets []Target, scenarios []Scenario, err error) {
	var names, kinds []string
	for _, t := range Targets() {
		names = append(names, t.Name)
		if len(o.Only) == 0 || slices.Contains(o.Only, t.Name) {
			targets = append(targets, t)
		}
	}
	for _, s := range o.Plan.Scenarios() {
		kinds = append(kinds, s.Kind)
		if len(o.Kinds) == 0 || slices.Contains(o.Kinds, s.Kind) {
			scenarios = append(scenarios, s)
		}
	}
	return targets, scenarios, errors.Join(known("target", o.Only, names), known("scenario", o.Kinds, slices.Compact(kinds)))
}

func known(what string, chosen, all []string) error {
	for _, name := range chosen {
		if !slices.Contains(all, name) {
			return fmt.Errorf("there is no %s %q, but %s", what, name, strings.Join(all, ", "))
		}
	}
	return nil
}

// measureOne measures one scenario on a server of its own.
func measureOne(ctx context.Context, i Installed, t Target, scenario Scenario) (Values, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, measurementAtMost, fmt.Errorf("it took more than %v", measurementAtMost))
	defer cancel()
	s, err := startServer(ctx, i, t, scenario.recovering)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	values, err := scenario.run(ctx, s)
	return values, errors.Join(err, s.ended())
}

// add keeps what a measurement gave, and says it.
func (r *Results) add(progress io.Writer, round int, scenario Scenario, t Target, values Values, err error) {
	line := fmt.Sprintf("round %d/%d  %-12s %-9s", round, r.Rounds, scenario.Name, t.Name)
	if err != nil {
		r.Failures = append(r.Failures, fmt.Sprintf("round %d, %s, %s: %v", round, scenario.Name, t.Name, err))
		fmt.Fprintf(progress, "%s FAILED: %v\n", line, err)
		return
	}
	for _, row := range rows(scenario.Kind) {
		value, is := values[row.metric]
		if !is {
			continue
		}
		r.Samples = append(r.Samples, Sample{round, scenario.Name, t.Name, row.metric, value})
		line += fmt.Sprintf("  %s %s", row.format(value), row.short)
	}
	fmt.Fprintln(progress, line)
}
