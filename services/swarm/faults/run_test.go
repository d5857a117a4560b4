package faults_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/services/swarm/deployment"
	"github.com/tidemark-chat/tidemark/services/swarm/deployment/deploymenttest"
	"github.com/tidemark-chat/tidemark/services/swarm/faults"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

func TestMain(m *testing.M) {
	os.Exit(deploymenttest.Run(m, func() error { return goleak.Find() }))
}

var ctx = context.Background()

// during carries out some steps and fails if something does not come to hold before they end. Run has shown, when it
// returns, that all is ready again.
func during(t *testing.T, d *deployment.Deployment, effect string, holds func() bool, steps ...faults.Step) {
	t.Helper()
	over := make(chan error, 1)
	go func() { over <- faults.Run(ctx, steps, d, func(faults.Event) {}) }()
	for seen := false; ; <-time.After(10 * time.Millisecond) {
		seen = seen || holds()
		select {
		case err := <-over:
			if err != nil {
				t.Error(err)
			}
			if !seen {
				t.Errorf("%v: not seen: %s", steps, effect)
			}
			return
		default:
		}
	}
}

var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}, Timeout: 3 * time.Second}

// get asks a gateway through its link.
func get(d *deployment.Deployment, path string) (size int, took time.Duration, err error) {
	began := time.Now()
	response, err := client.Get(d.Gateways()[0] + path)
	if err != nil {
		return 0, 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return len(body), time.Since(began), err
}

func works(t *testing.T, d *deployment.Deployment) {
	t.Helper()
	if _, _, err := get(d, "/readyz"); err != nil {
		t.Error(err)
	}
}

// TestFaultsOfProcessesAndLinks shows of each kind what it does and that it is healed.
func TestFaultsOfProcessesAndLinks(t *testing.T) {
	t.Parallel()
	d := deploymenttest.Start(t, deployment.Options{})
	gateway := d.Process("gateway-1")

	for _, k := range []faults.Kind{faults.Kill, faults.Restart} {
		for _, name := range []string{"gateway-1", "nats-1"} {
			p := d.Process(name)
			before := p.PID()
			during(t, d, "it is gone", func() bool { return p.PID() == 0 }, faults.Step{Kind: k, Target: name, Length: time.Second})
			if after := p.PID(); after == 0 || after == before {
				t.Errorf("%s %s: process %d, then %d", k, name, before, after)
			}
		}
	}
	during(t, d, "it does not answer, and its connections are taken", func() bool {
		short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		return errors.Is(gateway.Ready(short), context.DeadlineExceeded)
	}, faults.Step{Kind: faults.Stop, Target: "gateway-1", Length: time.Second})
	works(t, d)

	during(t, d, "clients are refused", func() bool {
		_, _, err := get(d, "/healthz")
		return errors.Is(err, syscall.ECONNREFUSED)
	}, faults.Step{Kind: faults.Cut, Target: "clients-gateway-1", Length: time.Second})
	works(t, d)
	// A gateway asks the log every second and waits 2 s for an answer.
	for k, length := range map[faults.Kind]time.Duration{faults.Cut: 2 * time.Second, faults.Drop: 4 * time.Second} {
		during(t, d, "the gateway is not ready", func() bool { return gateway.Ready(ctx) != nil },
			faults.Step{Kind: k, Target: "gateway-1-nats", Length: length})
		works(t, d)
	}
	during(t, d, "answers are late", func() bool {
		_, took, err := get(d, "/healthz")
		return err == nil && took > 300*time.Millisecond
	}, faults.Step{Kind: faults.Delay, Target: "clients-gateway-1", Length: 2 * time.Second, Latency: 200 * time.Millisecond, Jitter: 50 * time.Millisecond})
	during(t, d, "answers are slow", func() bool {
		size, took, err := get(d, "/metrics")
		return err == nil && size > 5000 && took > time.Duration(size)*time.Second/20_000/2
	}, faults.Step{Kind: faults.Slow, Target: "clients-gateway-1", Length: 3 * time.Second, Rate: 20})
	works(t, d)
}

// TestADiskIsFullAndHasRoomAgain fills a server's disk and the persisters'.
func TestADiskIsFullAndHasRoomAgain(t *testing.T) {
	t.Parallel()
	d := deploymenttest.Start(t, deployment.Options{})
	targets, absent := faults.Aim(d)
	if _, err := d.Disks(); err != nil {
		if targets[faults.Disk] != nil || !slices.ContainsFunc(absent, func(a faults.Absence) bool { return a.Kind == faults.Disk && a.Why == err }) {
			t.Errorf("disks cannot be had (%v): %v, %v", err, targets[faults.Disk], absent)
		}
		return
	}
	nc, js, err := eventlog.Connect(d.NATS(), "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "OTHER", Subjects: []string{"other"}}); err != nil {
		t.Fatal(err)
	}
	publish := func(patience time.Duration) error {
		short, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		_, err := js.Publish(short, "other", make([]byte, 100_000))
		return err
	}
	if err := publish(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	during(t, d, "the server does not ack what it cannot store", func() bool { return publish(500*time.Millisecond) != nil },
		faults.Step{Kind: faults.Disk, Target: "disk-nats-1", Length: 2 * time.Second})
	for deadline := time.Now().Add(30 * time.Second); ; {
		if err := publish(2 * time.Second); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("there is room, and nothing is stored: %v", err)
		}
	}

	sent := 0
	during(t, d, "no persister gets on", func() bool {
		if sent++; sent <= 50 {
			logtest.Publish(t, js, logtest.Message(t, "general", strings.Repeat("much ", 3000)))
		}
		return d.Process("persister-1").Ready(ctx) != nil || d.Process("persister-2").Ready(ctx) != nil
	}, faults.Step{Kind: faults.Disk, Target: "disk-database", Length: 3 * time.Second})
}

// TestACluster changes leaders, cuts servers off and fills a disk.
func TestACluster(t *testing.T) {
	t.Parallel()
	d := deploymenttest.Start(t, deployment.Options{Cluster: true})
	targets, absent := faults.Aim(d)
	if len(absent) == 0 || absent[0].Kind != faults.Clock || !strings.Contains(absent[0].String(), "tools/clockstep") || len(targets[faults.Leader]) != 3 {
		t.Errorf("absent: %v; %v", absent, targets[faults.Leader])
	}
	nc, err := nats.Connect(d.NATS())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	leaders := map[string]func() string{
		"leader-stream": func() string {
			if s, err := js.Stream(ctx, eventlog.StreamName); err == nil && s.CachedInfo().Cluster != nil {
				return s.CachedInfo().Cluster.Leader
			}
			return ""
		},
		"leader-consumer": func() string {
			if c, err := js.Consumer(ctx, eventlog.StreamName, "persister"); err == nil && c.CachedInfo().Cluster != nil {
				return c.CachedInfo().Cluster.Leader
			}
			return ""
		},
		"leader-meta": func() string { return metaLeader(t, d) },
	}
	for name, leader := range leaders {
		before := leader()
		changed := func() bool { now := leader(); return now != "" && now != before }
		for range 5 { // the others may elect the same again
			step := faults.Step{Kind: faults.Leader, Target: name, Length: time.Second}
			if err := faults.Run(ctx, []faults.Step{step}, d, func(faults.Event) {}); err != nil {
				t.Error(err)
			}
			if changed() {
				break
			}
		}
		if !changed() {
			t.Errorf("%s was and is %q", name, before)
		}
	}
	gateway := d.Process("gateway-1")
	during(t, d, "a gateway without any server is not ready", func() bool { return gateway.Ready(ctx) != nil },
		faults.Step{Kind: faults.Cut, Target: "gateway-1-nats", Length: 3 * time.Second})
	during(t, d, "two servers lack each other", func() bool {
		return slices.ContainsFunc(d.Ways(), func(w deployment.Way) bool { return w.Name() == "nats-1-nats-2" && w.Connections() == 0 })
	}, faults.Step{Kind: faults.Cut, Target: "nats-1-nats-2", Length: time.Second})
}

// metaLeader is who leads the cluster, by the system account.
func metaLeader(t *testing.T, d *deployment.Deployment) string {
	t.Helper()
	nc, err := nats.Connect(d.System())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	reply, err := nc.Request("$SYS.REQ.SERVER.PING.JSZ", nil, time.Second)
	if err != nil {
		return ""
	}
	_, after, _ := strings.Cut(string(reply.Data), `"leader":"`)
	name, _, _ := strings.Cut(after, `"`)
	return name
}

// TestARollRestartsEachAndLeavesTheOthersReady rolls all roles of a cluster.
func TestARollRestartsEachAndLeavesTheOthersReady(t *testing.T) {
	t.Parallel()
	d := deploymenttest.Start(t, deployment.Options{Cluster: true})
	targets, _ := faults.Aim(d)
	if len(targets[faults.Roll]) != 3 {
		t.Fatalf("%v", targets[faults.Roll])
	}
	for _, target := range targets[faults.Roll] {
		before := make(map[string]int)
		for _, name := range target.Touches {
			before[name] = d.Process(name).PID()
		}
		most := 0
		watching, stop := context.WithCancel(ctx)
		watched := make(chan struct{})
		go func() {
			defer close(watched)
			for watching.Err() == nil {
				away := 0
				for _, name := range target.Touches {
					if d.Process(name).PID() == 0 {
						away++
					}
				}
				most = max(most, away)
			}
		}()
		err := faults.Run(ctx, []faults.Step{{Kind: faults.Roll, Target: target.Name}}, d, func(faults.Event) {})
		stop()
		<-watched
		if err != nil || most != 1 {
			t.Errorf("%s: %d away at a time, %v", target.Name, most, err)
		}
		for name, pid := range before {
			if now := d.Process(name).PID(); now == 0 || now == pid {
				t.Errorf("%s was process %d and is %d", name, pid, now)
			}
		}
	}
	patient, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := d.ServersInSync(patient); err != nil {
		t.Error(err)
	}
	d.Process("nats-2").Kill()
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := d.ServersInSync(short); err == nil {
		t.Error("in sync without one of the servers")
	}
	if err := d.Process("nats-2").Start(); err != nil {
		t.Fatal(err)
	}
}

// TestAFailoverTellsHowLongItTook kills the persister that projects, while messages come.
func TestAFailoverTellsHowLongItTook(t *testing.T) {
	t.Parallel()
	d := deploymenttest.Start(t, deployment.Options{})
	nc, js, err := eventlog.Connect(d.NATS(), "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	talking, stop := context.WithCancel(ctx)
	talked := make(chan struct{})
	go func() {
		defer close(talked)
		for talking.Err() == nil {
			e := logtest.Message(t, "general", "hi")
			_, _ = js.PublishMsg(talking, e.Encode())
		}
	}()
	var took time.Duration
	err = faults.Run(ctx, []faults.Step{{Kind: faults.Failover, Target: "persisters"}}, d, func(e faults.Event) { took = e.Took })
	stop()
	<-talked
	if err != nil || took < time.Second || took > 15*time.Second {
		t.Errorf("it took %v, %v", took, err)
	}
}

// TestWhatIsCutShortIsHealed ends a plan in the middle of a stop and a cut that would last for long.
func TestWhatIsCutShortIsHealed(t *testing.T) {
	t.Parallel()
	d := deploymenttest.Start(t, deployment.Options{})
	ctx, cancel := context.WithCancel(ctx)
	var events []string
	err := faults.Run(ctx, []faults.Step{
		{Kind: faults.Stop, Target: "gateway-1", Length: time.Hour},
		{Kind: faults.Cut, Target: "clients-gateway-1", Length: time.Hour},
		{Kind: faults.Kill, Target: "nats-1", Begin: time.Hour},
	}, d, func(e faults.Event) {
		if events = append(events, e.Phase); len(events) == 2 {
			cancel()
		}
	})
	if err != nil || strings.Join(events, " ") != "begin begin end end" {
		t.Errorf("%v, %v", events, err)
	}
	works(t, d)
}

// TestAWholePlan carries out some seconds of everything.
func TestAWholePlan(t *testing.T) {
	t.Parallel()
	d := deploymenttest.Start(t, deployment.Options{Cluster: true})
	targets, _ := faults.Aim(d)
	plan := faults.Plan(7, 8*time.Second, targets, faults.Kinds())
	begun, ended := 0, 0
	err := faults.Run(ctx, plan, d, func(e faults.Event) {
		t.Log(e.At.Round(time.Millisecond), e.Phase, e.Step)
		switch e.Phase {
		case "begin":
			begun++
		case "end":
			ended++
		}
	})
	if err != nil || begun != ended || begun < len(plan)/2 {
		t.Errorf("%d of %d begun, %d ended, %v", begun, len(plan), ended, err)
	}
	works(t, d)
}
