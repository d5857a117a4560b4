//go:build faultyfeed

package trial_test

import (
	"slices"
	"testing"

	"github.com/tidemark-chat/tidemark/services/swarm/crowd"
	"github.com/tidemark-chat/tidemark/services/swarm/deployment"
	"github.com/tidemark-chat/tidemark/services/swarm/deployment/deploymenttest"
	"github.com/tidemark-chat/tidemark/services/swarm/report"
	"github.com/tidemark-chat/tidemark/streams/feed/faulty"
)

// TestTheProofFindsAFeedThatIsWrong shows that the proof can fail: with this tag the gateway's feed loses, doubles or
// swaps one event in 10,000, if it is told to, and otherwise all is well.
func TestTheProofFindsAFeedThatIsWrong(t *testing.T) {
	for kind, rules := range map[faulty.Kind][]string{
		"":            nil,
		faulty.Drop:   {"complete"},
		faulty.Double: {"as-in-log"},
		faulty.Swap:   {"as-in-log"},
	} {
		t.Run(string(kind), func(t *testing.T) {
			d := deploymenttest.Start(t, deployment.Options{GatewayEnv: []string{"FAULTY_FEED=" + string(kind), "TIDEMARK_GATEWAY_RATE_LIMIT=off"}})
			talk := against(t, d, crowd.Mix{"guest": 8}) // so that every event is somebody's to be sent
			talk.Crowd.Rate = 5000
			talk.During = said(faulty.Every + faulty.Every/2)
			r := mustRun(t, talk)
			if kind == "" {
				mustBeClean(t, r)
				return
			}
			if r.Verdict != report.Found {
				t.Fatalf("the verdict is %q", r.Verdict)
			}
			for _, f := range r.Findings[:min(3, len(r.Findings))] {
				t.Logf("%s: %s", f.Rule, f.Text)
			}
			for _, rule := range rules {
				if !slices.ContainsFunc(r.Rules, func(checked report.Rule) bool { return checked.Name == rule && checked.Findings > 0 }) {
					t.Errorf("the rule %q was held to hold", rule)
				}
			}
		})
	}
}
