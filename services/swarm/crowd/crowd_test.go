package crowd_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/services/swarm/crowd"
	"github.com/tidemark-chat/tidemark/services/swarm/measure"
	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// TestACrowdOfAllProfilesIsHeardOut lets everybody talk to a real gateway until enough has been said.
func TestACrowdOfAllProfilesIsHeardOut(t *testing.T) {
	server := logtest.Start(t)
	cfg := gatewaytest.Config(server.URL())
	cfg.Gateway.WatermarkInterval = 100 * time.Millisecond
	g := gatewaytest.Start(t, cfg) // makes the log
	gatewaytest.ServeReadModel(t, server)
	meter := measure.New(time.Now())
	c := crowd.New(crowd.Options{
		Gateways: []string{"http://" + g.Address}, Mix: crowd.Everybody, Seed: 1, Rate: 300, Size: 100, Rooms: 4,
		Transports: crowd.AllTransports, AckTimeout: time.Second, Record: true, Meter: meter,
	})
	ctx, leave := context.WithCancel(t.Context())
	var present sync.WaitGroup
	present.Go(func() { c.Run(ctx) })
	defer present.Wait()
	defer leave()
	if missing := c.Ready(timeout(t)); len(missing) > 0 {
		t.Fatalf("not connected: %v, %v", missing, c.Refusals())
	}
	for meter.Acked.Load() < 500 && timeout(t).Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if behind := c.Settle(timeout(t), func([]string) {}); len(behind) > 0 {
		t.Fatalf("behind: %v", behind)
	}
	leave()
	present.Wait()
	log, findings := oracle.Observed(c.History())
	findings = append(findings, oracle.Check(c.History(), log, oracle.Options{Quiet: true, Present: c.Tabs(), UpTo: c.Reached()})...)
	for _, b := range c.Breaches() {
		t.Error(b)
	}
	for _, f := range findings {
		t.Errorf("%s: %s\n%q", f.Rule, f.Text, f.Timeline)
	}
	t.Logf("%d messages, refusals %q, %+v", len(log.Messages), c.Refusals(), meter.Snapshot().Totals)
}

func timeout(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}
