package session_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/session"
)

var (
	ctx = context.Background()
	ann = session.User{ID: "5b1c9a1e5b1c9a1e5b1c9a1e5b1c9a1e", Name: "Ann \"é\""}
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(run{m}) }

type run struct{ m *testing.M }

func (r run) Run() int { return logtest.Main(r.m) }

func open(t testing.TB, js jetstream.JetStream, ttl time.Duration) *session.Store {
	t.Helper()
	s := session.Open(js, session.Config{TTL: ttl})
	if err := s.Provision(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

// eager opens sessions of which each is due for renewal at once.
func eager(t testing.TB, js jetstream.JetStream) *session.Store {
	t.Helper()
	open(t, js, time.Hour)
	return session.Open(js, session.Config{TTL: time.Nanosecond})
}

func newID(t testing.TB) string {
	t.Helper()
	id, err := session.NewID()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func create(t testing.TB, s *session.Store, u session.User) string {
	t.Helper()
	id := newID(t)
	if err := s.Create(ctx, id, u); err != nil {
		t.Fatal(err)
	}
	return id
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(40 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("did not come to hold: %s", what)
		}
	}
}

// keys is what the bucket holds, read past this package.
func keys(t testing.TB, js jetstream.JetStream) (jetstream.KeyValue, []string) {
	t.Helper()
	kv, err := js.KeyValue(ctx, "SESSIONS")
	if err != nil {
		t.Fatal(err)
	}
	all, err := kv.Keys(ctx)
	if err != nil && !errors.Is(err, jetstream.ErrNoKeysFound) {
		t.Fatal(err)
	}
	return kv, all
}

func TestASessionIsKnownToEveryGateway(t *testing.T) {
	server := logtest.Start(t)
	here, there := open(t, server.Connect(), time.Hour), open(t, server.Connect(), time.Hour)
	for range 200 {
		id := create(t, here, ann)
		if u, err := there.Find(ctx, id); u != ann || err != nil {
			t.Fatalf("found %+v, %v", u, err)
		}
	}
	if _, err := there.Find(ctx, newID(t)); !errors.Is(err, session.ErrUnknown) {
		t.Errorf("a session that never was: %v", err)
	}
}

func TestASessionSurvivesTheServersRestart(t *testing.T) {
	server := logtest.Start(t)
	id := create(t, open(t, server.Connect(), time.Hour), ann)
	server.Stop()
	server.Restart()
	if u, err := open(t, server.Connect(), time.Hour).Find(ctx, id); u != ann || err != nil {
		t.Errorf("found %+v, %v", u, err)
	}
}

func TestCreatingTwiceIsHarmlessAndNeverTakesOver(t *testing.T) {
	s := open(t, logtest.Start(t).Connect(), time.Hour)
	id := create(t, s, ann)
	if err := s.Create(ctx, id, ann); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if err := s.Create(ctx, id, session.User{ID: "b", Name: "Bob"}); !fault.Is(err, fault.Permanent) {
		t.Errorf("another user's: %v", err)
	}
	if u, err := s.Find(ctx, id); u != ann || err != nil {
		t.Errorf("found %+v, %v", u, err)
	}
}

func TestTheBucketNeverHoldsAnID(t *testing.T) {
	js := logtest.Start(t).Connect()
	s := eager(t, js)
	id := create(t, s, ann)
	if err := s.Renew(ctx, id); err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(ctx, "KV_SESSIONS")
	if err != nil {
		t.Fatal(err)
	}
	info := stream.CachedInfo()
	if info.State.Msgs != 1 {
		t.Errorf("%d messages of one session", info.State.Msgs)
	}
	msg, err := stream.GetMsg(ctx, info.State.LastSeq)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^\$KV\.SESSIONS\.[0-9a-f]{64}$`).MatchString(msg.Subject) {
		t.Errorf("subject %q", msg.Subject)
	}
	for _, header := range msg.Header {
		msg.Data = append(msg.Data, strings.Join(header, " ")...)
	}
	if strings.Contains(msg.Subject+string(msg.Data), id) || strings.Contains(msg.Subject, id[:8]) {
		t.Errorf("the id is in %q %q", msg.Subject, msg.Data)
	}
}

// TestAMalformedIDIsUnknown also where nobody could be asked.
func TestAMalformedIDIsUnknown(t *testing.T) {
	server := logtest.Start(t)
	s := open(t, server.Connect(), time.Hour)
	server.Stop()
	id := newID(t)
	for _, id := range []string{"", "*", ">", id[1:], id + "0", strings.ToUpper(id[:31]) + "F", id[:31] + ".", id[:31] + "\x00", id[:31] + "g"} {
		_, err := s.Find(ctx, id)
		if !errors.Is(err, session.ErrUnknown) || !errors.Is(s.Renew(ctx, id), session.ErrUnknown) {
			t.Errorf("%q: %v", id, err)
		}
		if err := s.Create(ctx, id, ann); !fault.Is(err, fault.Permanent) {
			t.Errorf("created %q: %v", id, err)
		}
	}
}

func TestASessionExpiresUnlessRenewed(t *testing.T) {
	js := logtest.Start(t).Connect()
	s := open(t, js, 2*time.Second)
	onlooker := session.Open(js, session.Config{TTL: time.Hour}) // for it no renewal is due
	began := time.Now()
	renewed, used, idle := create(t, s, ann), create(t, s, ann), create(t, s, ann)
	eventually(t, "the idle session has expired", func() bool {
		if err := s.Renew(ctx, renewed); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Find(ctx, used); err != nil {
			t.Fatal(err)
		}
		_, err := onlooker.Find(ctx, idle)
		return errors.Is(err, session.ErrUnknown)
	})
	if lived := time.Since(began); lived < 1900*time.Millisecond {
		t.Errorf("it expired after %v", lived)
	}
	if err := s.Renew(ctx, idle); !errors.Is(err, session.ErrUnknown) {
		t.Errorf("renewed after it had expired: %v", err)
	}
	if _, err := s.Find(ctx, renewed); err != nil {
		t.Errorf("the renewed session: %v", err)
	}
	if _, held := keys(t, js); len(held) != 2 {
		t.Errorf("the bucket holds %d sessions", len(held))
	}
}

// TestARevokedSessionIsNotResurrected revokes sessions while gateways renew them.
func TestARevokedSessionIsNotResurrected(t *testing.T) {
	server := logtest.Start(t)
	here, there := eager(t, server.Connect()), eager(t, server.Connect())
	bucket, _ := keys(t, server.Connect())
	for range 20 {
		id := create(t, here, ann)
		var all sync.WaitGroup
		for _, s := range []*session.Store{here, there} {
			all.Go(func() {
				for {
					if err := s.Renew(ctx, id); errors.Is(err, session.ErrUnknown) {
						return
					} else if err != nil {
						t.Errorf("renew: %v", err)
						return
					}
				}
			})
		}
		sum := sha256.Sum256([]byte(id))
		if err := bucket.Delete(ctx, hex.EncodeToString(sum[:])); err != nil {
			t.Error(err)
		}
		all.Wait()
		if _, err := here.Find(ctx, id); !errors.Is(err, session.ErrUnknown) {
			t.Fatalf("found after it was revoked: %v", err)
		}
	}
}

func TestWithoutAServerEveryCallFailsAtOnceAndTemporarily(t *testing.T) {
	server := logtest.Start(t)
	js := server.Connect()
	s := open(t, js, time.Hour)
	id := create(t, s, ann)
	server.Stop()
	eventually(t, "the connection is gone", func() bool { return !js.Conn().IsConnected() })
	fails(t, s, id, ctx, time.Second)
	server.Restart()
	eventually(t, "the session is found again", func() bool { _, err := s.Find(ctx, id); return err == nil })
}

func TestAServerThatHangsIsWaitedForNoLongerThanTheContext(t *testing.T) {
	server := logtest.StartProcess(t)
	nc, js, err := eventlog.Connect(server.URL, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	s := open(t, js, time.Hour)
	id := create(t, s, ann)
	server.Pause()
	defer server.Resume()
	eventually(t, "the server stands still", func() bool {
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		_, err := s.Find(short, id)
		return err != nil
	})
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	fails(t, s, id, short, 2*time.Second)
}

// fails asserts that every call is a Temporary failure within a time.
func fails(t *testing.T, s *session.Store, id string, ctx context.Context, within time.Duration) {
	t.Helper()
	began := time.Now()
	_, find := s.Find(ctx, id)
	for what, err := range map[string]error{
		"find": find, "create": s.Create(ctx, newID(t), ann), "renew": s.Renew(ctx, id), "provision": s.Provision(ctx),
	} {
		if !fault.Is(err, fault.Temporary) || errors.Is(err, session.ErrUnknown) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if took := time.Since(began); took > within {
		t.Errorf("it took %v", took)
	}
}

func TestProvisionOnlyEverRaisesTheLifetime(t *testing.T) {
	js := logtest.Start(t).Connect()
	for _, c := range []struct{ ttl, want time.Duration }{
		{0, session.DefaultTTL},
		{time.Hour, session.DefaultTTL},
		{2 * session.DefaultTTL, 2 * session.DefaultTTL},
		{0, 2 * session.DefaultTTL},
	} {
		id := create(t, open(t, js, c.ttl), ann)
		kv, _ := keys(t, js)
		status, err := kv.Status(ctx)
		if err != nil || status.TTL() != c.want {
			t.Errorf("after %v: lifetime %v, %v", c.ttl, status.TTL(), err)
		}
		if _, err := open(t, js, c.ttl).Find(ctx, id); err != nil {
			t.Error(err)
		}
	}
}

// TestABucketThatAnotherToolMadeIsReadFromItsLeader as replicas may lag.
func TestABucketThatAnotherToolMadeIsReadFromItsLeader(t *testing.T) {
	js := logtest.Start(t).Connect()
	if _, err := js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: "SESSIONS"}); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	s := session.Open(js, session.Config{Log: slog.New(slog.NewTextHandler(&said, nil))})
	id := create(t, s, ann) // found the bucket as it was
	if err := s.Provision(ctx); err != nil {
		t.Fatal(err)
	}
	direct, err := js.Conn().SubscribeSync("$JS.API.DIRECT.GET.>")
	if err != nil {
		t.Fatal(err)
	}
	if err := js.Conn().Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Find(ctx, id); err != nil {
		t.Fatal(err)
	}
	if n, _, _ := direct.Pending(); n > 0 {
		t.Error("it was read by a direct get")
	}
	for _, want := range []string{"direct reads is true", "lifetime is 0s", "max bytes is -1"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("not reported: %q in %s", want, said.String())
		}
	}
}

func BenchmarkFind(b *testing.B) {
	s := open(b, logtest.Start(b).Connect(), time.Hour)
	id := create(b, s, ann)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Find(ctx, id); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkCreate waits for an fsync each.
func BenchmarkCreate(b *testing.B) {
	js := logtest.Start(b).Connect()
	s := open(b, js, time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		create(b, s, ann)
	}
	kv, _ := keys(b, js)
	if status, err := kv.Status(ctx); err == nil {
		b.ReportMetric(float64(status.(*jetstream.KeyValueBucketStatus).StreamInfo().State.Bytes)/float64(status.Values()), "B/session")
	}
}

// TestABucketThatHasGoneIsMadeAgain: its sessions are gone, but users may come.
func TestABucketThatHasGoneIsMadeAgain(t *testing.T) {
	js := logtest.Start(t).Connect()
	s := open(t, js, time.Hour)
	id := create(t, s, ann)
	if err := js.DeleteStream(ctx, "KV_SESSIONS"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the session is unknown", func() bool {
		_, err := s.Find(ctx, id)
		return errors.Is(err, session.ErrUnknown)
	})
	again := create(t, s, ann)
	if u, err := s.Find(ctx, again); err != nil || u != ann {
		t.Errorf("found %+v, %v", u, err)
	}
}
