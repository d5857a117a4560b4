package trial_test

import (
	"bytes"
	"context"
	"io"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/crowd"
	"github.com/tidemark-chat/tidemark/services/swarm/deployment"
	"github.com/tidemark-chat/tidemark/services/swarm/deployment/deploymenttest"
	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
	"github.com/tidemark-chat/tidemark/services/swarm/report"
	"github.com/tidemark-chat/tidemark/services/swarm/trial"
)

func TestMain(m *testing.M) { os.Exit(deploymenttest.Run(m)) }

// against is a trial that is judged by a deployment's log.
func against(t *testing.T, d *deployment.Deployment, mix crowd.Mix) *trial.Trial {
	t.Helper()
	log, err := trial.OpenNATS(d.NATS(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	return &trial.Trial{
		Command: "test", Judge: true, Log: log, Complaints: d.Complaints, View: io.Discard,
		Crowd: crowd.Options{Gateways: d.Gateways(), Mix: mix, Seed: 1, Rooms: 3, Size: 80, Transports: crowd.AllTransports, AckTimeout: 2 * time.Second},
	}
}

// said lets the crowd talk until so many messages are acked.
func said(messages int64) func(context.Context, *trial.Running) error {
	return func(ctx context.Context, r *trial.Running) error {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for r.Meter.Acked.Load() < messages {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}
}

func mustRun(t *testing.T, trial *trial.Trial) *report.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	r, err := trial.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mustBeClean(t *testing.T, r *report.Report) {
	t.Helper()
	if r.Verdict != report.Clean || len(r.Rules) == 0 {
		var text bytes.Buffer
		_ = r.WriteText(&text)
		t.Errorf("%s", text.String())
	}
}

func TestADeploymentInOrderIsFoundClean(t *testing.T) {
	d := deploymenttest.Start(t, deployment.Options{GatewayEnv: []string{"TIDEMARK_GATEWAY_RATE_LIMIT=off"}})
	talk := against(t, d, crowd.Everybody)
	talk.Crowd.Rate = 150
	talk.During = said(300)
	r := mustRun(t, talk)
	mustBeClean(t, r)
	if r.Totals.Acked < 300 || r.Totals.Received == 0 || r.Latencies.Delivery.Count == 0 || len(r.Series) == 0 {
		t.Errorf("the report tells of %+v, %+v and %d points", r.Totals, r.Latencies, len(r.Series))
	}

	storm := against(t, d, crowd.Mix{"guest": 30, "user": 10})
	storm.Crowd.Publisher, storm.Crowd.Rooms = true, 0
	storm.Crowd.Gateways, storm.Crowd.Aside = d.Gateways()[:1], d.Gateways()[1]
	home := d.Process("gateway-1")
	storm.During = trial.Storm(2, 100, 10*time.Millisecond, trial.Outage{Begin: home.Kill, End: func(ctx context.Context) error {
		if err := home.Start(); err != nil {
			return err
		}
		return home.WaitReady(ctx)
	}})
	r = mustRun(t, storm)
	mustBeClean(t, r)
	if got := r.Latencies.Recovery.Count; got < 2*40 {
		t.Errorf("%d recoveries, want two at least of each of 40", got)
	}

	load := against(t, d, crowd.Mix{"guest": 3, "user": 3})
	load.Judge, load.Crowd.Rate, load.During = false, 100, said(30)
	if r := mustRun(t, load); r.Verdict != report.Measured || len(r.Rules) > 0 || r.Totals.Acked < 30 {
		t.Errorf("a load: %+v", r)
	}

	blind := against(t, d, crowd.Mix{"user": 4})
	blind.Log, blind.Crowd.Rate, blind.During = nil, 50, said(30)
	r = mustRun(t, blind)
	mustBeClean(t, r)
	if left := strings.Join(r.LeftOut, "\n"); !strings.Contains(left, "the log was not read") {
		t.Errorf("left out: %q", left)
	}
}

func TestWhatHappenedDuringARunIsJudgedWithIt(t *testing.T) {
	d := deploymenttest.Start(t, deployment.Options{})
	for _, broken := range []string{"", "It took 20 s."} {
		talk := against(t, d, crowd.Mix{"user": 2})
		talk.Crowd.Rate = 50
		talk.During = func(ctx context.Context, r *trial.Running) error {
			r.Note("It took so long.")
			r.Check(oracle.TakeOver, broken)
			return said(5)(ctx, r)
		}
		r := mustRun(t, talk)
		if (r.Verdict == report.Clean) != (broken == "") || len(r.Noted) != 1 {
			t.Errorf("%q: %s, noted %q", broken, r.Verdict, r.Noted)
		}
		if !slices.ContainsFunc(r.Rules, func(rule report.Rule) bool { return rule.Name == string(oracle.TakeOver) }) {
			t.Errorf("%q: the rule is not among those checked", broken)
		}
	}
}

func TestWhatCannotBeReachedProvesNothing(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	unreachable := &trial.Trial{
		Judge: true, View: io.Discard, During: said(1),
		Crowd: crowd.Options{Gateways: []string{gone.URL}, Mix: crowd.Mix{"guest": 1}, AckTimeout: time.Second},
	}
	if r, err := unreachable.Run(ctx); err == nil || r != nil || !strings.Contains(err.Error(), "does not answer as a Socket.IO server") {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestARunThatIsCutShortIsNotClean stops one while it connects, one in the middle of a storm and one that talks.
func TestARunThatIsCutShortIsNotClean(t *testing.T) {
	d := deploymenttest.Start(t, deployment.Options{})
	for name, cut := range map[string]struct {
		spread time.Duration
		during func(cancel func()) func(context.Context, *trial.Running) error
	}{
		"connecting": {time.Hour, func(cancel func()) func(context.Context, *trial.Running) error {
			time.AfterFunc(100*time.Millisecond, cancel)
			return said(1)
		}},
		"storm": {0, func(cancel func()) func(context.Context, *trial.Running) error {
			return func(ctx context.Context, r *trial.Running) error {
				time.AfterFunc(100*time.Millisecond, cancel)
				return trial.Storm(1, 1, time.Hour, trial.Outage{})(ctx, r)
			}
		}},
		"talk": {0, func(cancel func()) func(context.Context, *trial.Running) error {
			return func(ctx context.Context, r *trial.Running) error {
				cancel()
				return trial.Talk(time.Hour)(ctx, r)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			short := against(t, d, crowd.Mix{"guest": 3, "user": 3})
			short.Crowd.Spread, short.Crowd.Publisher = cut.spread, true
			short.During = cut.during(cancel)
			if r, err := short.Run(ctx); err == nil || r == nil || r.Verdict != report.NotChecked || len(r.Findings) > 0 {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

func TestGatewaysOfSeveralLogsProveNothing(t *testing.T) {
	one, other := deploymenttest.Start(t, deployment.Options{}), deploymenttest.Start(t, deployment.Options{})
	mixed := against(t, one, crowd.Mix{"guest": 20})
	mixed.Crowd.Gateways = append(one.Gateways(), other.Gateways()...)
	mixed.Crowd.Rate, mixed.During = 100, said(20)
	r, err := mixed.Run(t.Context())
	if err == nil || r == nil || r.Verdict != report.NotChecked || !strings.Contains(err.Error(), "do not share a log") {
		t.Errorf("%+v, %v", r, err)
	}
}
