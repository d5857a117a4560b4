package standalone_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/services/persister"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/layout"
	"github.com/tidemark-chat/tidemark/streams/notary"
	"github.com/tidemark-chat/tidemark/streams/permissions"
	"github.com/tidemark-chat/tidemark/streams/permissions/permissionstest"
	"github.com/tidemark-chat/tidemark/streams/provision"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/revocation"
	"github.com/tidemark-chat/tidemark/streams/session"
)

// TestAllWorksWithTheLeastRights uses everything that gateways, a persister and a
// notary do, each with its own user and without provisioning: nats-server must not
// have had to refuse anything.
func TestAllWorksWithTheLeastRights(t *testing.T) {
	for _, feed := range []config.Feed{config.Ordered, config.Republish} {
		t.Run(strings.ToLower(fmt.Sprint(feed)), func(t *testing.T) { worksWithTheLeastRights(t, feed) })
	}
}

func worksWithTheLeastRights(t *testing.T, feed config.Feed) {
	s := permissionstest.Start(t, permissions.Options{LogView: true, Republish: feed == config.Republish, Notary: true})
	ctx, cancel := context.WithTimeout(t.Context(), 3*gatewaytest.Timeout)
	defer cancel()
	cfg := leastRights(t, feed)
	if _, err := layout.Ensure(ctx, s.Connect(eventlog.Provisioner), cfg, provision.Reshape); err != nil {
		t.Fatal(err)
	}
	stop := runPersister(t, s, cfg)
	at := cfg
	at.NATS.URL = config.URL(s.URL(eventlog.Gateway))
	a, b := gatewaytest.Start(t, at), gatewaytest.Start(t, at)

	ann := gatewaytest.Join(t, a.Address, gatewaytest.Auth{"username": "ann", "rooms": []string{"general", "kitchen"}})
	bob := gatewaytest.Join(t, b.Address, gatewaytest.Auth{"username": "bob", "rooms": []string{"general", "kitchen"}})
	say := func(i int) {
		t.Helper()
		if ack, err := ann.Send(ctx, "chat message", fmt.Sprint("hello ", i), fmt.Sprint("key ", i)); err != nil || !ack.OK {
			t.Fatalf("%+v, %v", ack, err)
		}
	}
	for i := range 100 {
		say(i)
	}
	if ack, err := ann.Send(ctx, "private message", map[string]any{"to": bob.UserID, "content": "psst"}); err != nil || !ack.OK {
		t.Errorf("%+v, %v", ack, err)
	}
	if ack, err := ann.Send(ctx, "private message", map[string]any{"to": "nobody", "content": "?"}); err != nil || ack.OK {
		t.Errorf("to nobody: %+v, %v", ack, err)
	}
	if err := ann.Emit("typing", map[string]any{"room": "kitchen"}); err != nil {
		t.Error(err)
	}
	if _, err := bob.Next(ctx, "typing"); err != nil {
		t.Error(err)
	}
	eve := gatewaytest.Join(t, b.Address, gatewaytest.Auth{"sessionID": ann.SessionID, "serverOffset": 5})
	if eve.UserID != ann.UserID {
		t.Errorf("a session is %s's, not %s's", eve.UserID, ann.UserID)
	}
	var page map[string]any
	if _, err := bob.Ask(ctx, &page, "history", map[string]any{"room": "general", "limit": 10}); err != nil {
		t.Error(err)
	}
	showsTheLog(ctx, t, a.Address)

	operator := s.Connect(eventlog.Operator)
	if _, err := revocation.Revoke(ctx, operator, revocation.Revocation{Target: revocation.Target{User: bob.UserID}}); err != nil {
		t.Error(err)
	}
	<-bob.Done()
	if lifted, err := revocation.Lift(ctx, operator, revocation.Target{User: bob.UserID}); err != nil || !lifted {
		t.Errorf("lifted: %v, %v", lifted, err)
	}
	if err := session.Open(operator, session.Config{}).Remove(ctx, session.Hash(bob.SessionID)); err != nil {
		t.Error(err)
	}

	eve.Close() // an old one has gone, then a gateway; its presence is cleared away
	if err := b.Stop(); err != nil {
		t.Error(err)
	}
	stop()
	say(100)
	stop = runPersister(t, s, cfg)
	reaches(ctx, t, s, 100)
	stop()
	if refusals := s.Refusals(); len(refusals) > 0 {
		t.Errorf("nats-server refused %q", refusals)
	}
}

// leastRights are the settings of all services.
func leastRights(t *testing.T, feed config.Feed) config.Config {
	t.Helper()
	cfg := gatewaytest.Config("")
	cfg.NATS.Provision = false
	cfg.Stream.Republish, cfg.Gateway.Feed = feed == config.Republish, feed
	cfg.Gateway.LogView, cfg.Gateway.PresenceLease, cfg.Gateway.SessionTTL = true, time.Second, time.Minute
	cfg.Gateway.TailBytes, cfg.Gateway.WarmEvents = 64<<10, 10
	cfg.DataDir, cfg.Persister.Listen = t.TempDir(), ""
	cfg.Notary.Key, cfg.Notary.Every = filepath.Join(cfg.DataDir, "notary.key"), 7
	if _, err := notary.EnsureKey(cfg.Notary.Key, "test"); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// runPersister runs one until stop, or the test's end.
func runPersister(t *testing.T, s *permissionstest.Server, cfg config.Config) (stop func()) {
	t.Helper()
	cfg.NATS.URL = config.URL(s.URL(eventlog.Persister))
	options, err := persister.Configure(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p, err := persister.New(options, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the persister ended with: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// reaches waits until the read model and the notary are at an offset, at least.
func reaches(ctx context.Context, t *testing.T, s *permissionstest.Server, offset uint64) {
	t.Helper()
	auditor := s.Connect(eventlog.Auditor)
	model, audit := query.NewClient(auditor.Conn()), notary.OpenAudit(auditor)
	eventually(t, "all is projected and signed", func() bool {
		at, err1 := model.Checkpoint(ctx)
		last, err2 := audit.Last(ctx)
		return err1 == nil && err2 == nil && at.Offset >= offset && last.Size >= offset
	})
}

// showsTheLog waits until the log view says how far the notary is.
func showsTheLog(ctx context.Context, t *testing.T, address string) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/log/feed", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var all strings.Builder
	part := make([]byte, 4096)
	for !strings.Contains(all.String(), "event: checkpoint") {
		n, err := response.Body.Read(part)
		all.Write(part[:n])
		if err != nil {
			t.Fatalf("%v after %s", err, all.String())
		}
	}
}
