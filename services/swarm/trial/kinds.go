package trial

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/report"
)

// Talk lets the crowd talk for a while.
func Talk(length time.Duration) func(context.Context, *Running) error {
	return func(ctx context.Context, _ *Running) error {
		t := time.NewTimer(length)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
		return nil
	}
}

// Outage is what takes everybody's connections away, beside the clients themselves, and what brings back what they need to
// return. The zero value is none.
type Outage struct {
	Text  string // for the report
	Begin func()
	End   func(context.Context) error
}

// Storm cuts everybody, publishes some messages meanwhile, and lets everybody come back within a time, so many times.
func Storm(rounds, missed int, spread time.Duration, outage Outage) func(context.Context, *Running) error {
	return func(ctx context.Context, r *Running) error {
		defer r.Crowd.Gather(0) // whatever goes wrong
		for round := range rounds {
			r.Say(fmt.Sprintf("round %d of %d: everybody away, %d messages", round+1, rounds, missed))
			r.Fault(report.Fault{Phase: report.Begins, Kind: "away", Target: "everybody", Text: cmp.Or(outage.Text, "all connections are cut by the clients")})
			if outage.Begin != nil {
				outage.Begin()
			}
			r.Crowd.Scatter(ctx)
			if err := r.Crowd.Publish(ctx, missed); err != nil {
				return err
			}
			if outage.End != nil {
				if err := outage.End(ctx); err != nil {
					return err
				}
			}
			r.Say(fmt.Sprintf("round %d of %d: everybody comes back", round+1, rounds))
			came := time.Now()
			r.Crowd.Gather(spread)
			waiting, cancel := context.WithTimeout(ctx, spread+settling)
			missing := r.Crowd.Ready(waiting)
			cancel()
			if len(missing) > 0 && ctx.Err() == nil {
				return fmt.Errorf("%d clients did not come back within %v: %s", len(missing), spread+settling, list(missing))
			}
			r.Fault(report.Fault{
				Phase: report.Ends, Kind: "away", Target: "everybody",
				Text: fmt.Sprintf("all are back with everything after %v", time.Since(came).Round(time.Millisecond)),
			})
		}
		return nil
	}
}
