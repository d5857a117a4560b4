package deployment_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/services/swarm/deployment"
	"github.com/tidemark-chat/tidemark/services/swarm/deployment/deploymenttest"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

func TestMain(m *testing.M) {
	os.Exit(deploymenttest.Run(m, func() error { return goleak.Find() }))
}

var ctx = context.Background()

func TestASingleServerIsReadyThroughItsLinks(t *testing.T) {
	t.Parallel()
	d := deploymenttest.Start(t, deployment.Options{})
	for _, url := range d.Gateways() {
		response, err := http.Get(url + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", url, response.Status)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	var names []string
	for _, w := range d.Ways() {
		names = append(names, w.Name())
		if w.From != deployment.Clients && w.Connections() == 0 {
			t.Errorf("nothing goes through %s", w.Name())
		}
	}
	slices.Sort(names)
	if got, want := strings.Join(names, " "), "clients-gateway-1 clients-gateway-2 gateway-1-nats gateway-2-nats persister-1-nats persister-2-nats"; got != want {
		t.Errorf("links %s", got)
	}
}

func TestAClusterIsJoinedByItsLinksAlone(t *testing.T) {
	t.Parallel()
	d := deploymenttest.Start(t, deployment.Options{Cluster: true})
	var routes []deployment.Way
	for _, w := range d.Ways() {
		if strings.HasPrefix(w.From, "nats-") {
			routes = append(routes, w)
		}
	}
	if len(routes) != 3 || len(d.Ways()) != 3+2+4*3 {
		t.Fatalf("%d links between servers, %d in all", len(routes), len(d.Ways()))
	}
	for _, w := range routes {
		if w.Connections() == 0 {
			t.Errorf("nothing goes through %s", w.Name())
		}
		w.Cut()
	}
	nats := d.Process("nats-1")
	eventually(t, "a server without the others is not ready", func() bool { return nats.Ready(ctx) != nil })
	for _, w := range routes {
		if err := w.Heal(); err != nil {
			t.Fatal(err)
		}
	}
	ready(t, d)
}

func TestASecuredServerLetsInWhoeverIsKnownAndNobodyElse(t *testing.T) {
	t.Parallel()
	d := deploymenttest.Start(t, deployment.Options{Secured: true, Republish: true})
	if text := d.String(); text != "1 nats-server, 2 gateways, 2 persisters, SQLite, the RePublish feed, least rights" {
		t.Errorf("it calls itself %s", text)
	}
	nc, err := nats.Connect(d.NATS(), nats.CustomInboxPrefix("_INBOX_au"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, err := nc.Request("$JS.API.STREAM.INFO.CHAT", nil, 2*time.Second); err != nil {
		t.Errorf("the swarm may not ask for the log: %v", err)
	}
	_, anybody, _ := strings.Cut(d.NATS(), "@")
	if nobody, err := nats.Connect("nats://" + anybody); !errors.Is(err, nats.ErrAuthorization) {
		nobody.Close()
		t.Errorf("without a name: %v", err)
	}
}

func TestAnAddressThatIsTakenIsNamed(t *testing.T) {
	host := fmt.Sprintf("127.%d.%d.1", 1+rand.IntN(254), rand.IntN(256))
	taken, err := net.Listen("tcp", host+":4222")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	_, err = deployment.Start(t.Context(), deployment.Options{Bin: t.TempDir(), Dir: t.TempDir(), Standing: true, Host: host})
	if !errors.Is(err, deployment.ErrTaken) || !strings.Contains(err.Error(), host+":4222") {
		t.Error(err)
	}
}

func TestAStandingClusterIsWhereItIsExpectedAndKeepsWhatItStored(t *testing.T) {
	t.Parallel()
	o := deployment.Options{
		Bin: deploymenttest.Binaries(), Dir: t.TempDir(), Cluster: true, Secured: true, Postgres: true, Standing: true,
		Host: fmt.Sprintf("127.%d.%d.1", 1+rand.IntN(254), rand.IntN(256)),
	}
	ended := make(chan string, 1)
	o.Ended = func(p *deployment.Process, _ error) { ended <- p.Name }
	var epochs []string
	for range 2 {
		d, err := deployment.Start(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Stop()
		if got := d.Gateways(); !slices.Equal(got, []string{"http://" + o.Host + ":3000", "http://" + o.Host + ":3001"}) || len(d.Ways()) > 0 {
			t.Errorf("gateways %v, %d links", got, len(d.Ways()))
		}
		epochs = append(epochs, epoch(t, d))
		p := d.Process("gateway-1")
		self, err := os.FindProcess(p.PID())
		if err == nil {
			err = self.Kill()
		}
		if err != nil {
			t.Fatal(err)
		}
		if name := <-ended; name != "gateway-1" || p.PID() != 0 {
			t.Errorf("%s has ended, gateway-1 is process %d", name, p.PID())
		}
		d.Postgres().Kill()
		if err := d.Postgres().Start(ctx); err != nil {
			t.Error(err)
		}
		d.Stop()
	}
	if epochs[0] == "" || epochs[0] != epochs[1] {
		t.Errorf("the logs are %q", epochs)
	}
}

// epoch says which log a deployment has.
func epoch(t *testing.T, d *deployment.Deployment) string {
	t.Helper()
	nc, js, err := eventlog.Connect(d.NATS(), "test", slog.New(slog.DiscardHandler), nats.CustomInboxPrefix("_INBOX_au"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	state, err := eventlog.Open(js).State(ctx)
	if err != nil {
		t.Error(err)
	}
	return state.Epoch
}

func TestWhatEndsByItselfIsStartedAgainAndComplainedOf(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, err := deployment.Start(ctx, deployment.Options{Bin: deploymenttest.Binaries(), Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Stop()
	p := d.Process("gateway-1")
	before := p.PID()
	self, err := os.FindProcess(before)
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it runs again", func() bool { pid := p.PID(); return pid != 0 && pid != before })
	ready(t, d)
	d.Stop()
	if got := d.Complaints(); len(got) != 1 || got[0] != "gateway-1: ended by itself: signal: killed" {
		t.Errorf("complaints %q", got)
	}
	if log, err := os.ReadFile(filepath.Join(dir, "gateway-1.log")); err != nil || strings.Count(string(log), "gateway listens") != 2 {
		t.Errorf("its log, %v:\n%s", err, log)
	}
}

func TestAMissingBinaryIsNamed(t *testing.T) {
	t.Parallel()
	_, err := deployment.Start(ctx, deployment.Options{Bin: deploymenttest.Binaries(), Dir: t.TempDir(), Gateway: "nowhere/gateway"})
	if err == nil || !strings.Contains(err.Error(), "nowhere/gateway") || !strings.Contains(err.Error(), "prove:build") {
		t.Errorf("got %v", err)
	}
}

func TestClocksThatCannotBeSteppedAreNamed(t *testing.T) {
	t.Parallel()
	d := deploymenttest.Start(t, deployment.Options{})
	if err := d.Clocks(); err == nil || !strings.Contains(err.Error(), "built without tools/clockstep: nats-1, persister-1, persister-2, gateway-1, gateway-2") {
		t.Errorf("got %v", err)
	}
}

func ready(t *testing.T, d *deployment.Deployment) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := d.Ready(ctx); err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}
