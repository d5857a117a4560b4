package permissions_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/layout"
	"github.com/tidemark-chat/tidemark/streams/permissions"
	"github.com/tidemark-chat/tidemark/streams/permissions/permissionstest"
	"github.com/tidemark-chat/tidemark/streams/provision"
	"github.com/tidemark-chat/tidemark/streams/revocation"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// TestAnswersAndDeliveriesGiveNoRights tries the ways around: who asks says where
// the answer goes, and who makes a consumer where it delivers to.
func TestAnswersAndDeliveriesGiveNoRights(t *testing.T) {
	s := permissionstest.Start(t, permissions.Options{Notary: true})
	if _, err := layout.Ensure(t.Context(), s.Connect(eventlog.Provisioner), config.Default(), provision.Reshape); err != nil {
		t.Fatal(err)
	}
	gateway := s.Connect(eventlog.Gateway)
	if _, err := gateway.Publish(t.Context(), "chat.0.room.ngeneral", []byte("x")); err != nil {
		t.Fatal(err)
	}
	nc := s.Connect(eventlog.Auditor).Conn()
	for _, answer := range []string{"$JS.API.STREAM.DELETE.AUDIT", "$JS.API.STREAM.PURGE.KV_SESSIONS", "$JS.API.CONSUMER.DELETE.CHAT.persister"} {
		if err := nc.PublishRequest("$JS.API.DIRECT.GET.CHAT", answer, []byte(`{"seq":1}`)); err != nil {
			t.Fatal(err)
		}
	}
	for _, target := range []string{"audit.checkpoint", "$KV.SESSIONS.0011", "$KV.REVOCATIONS.user.nann", "$JS.API.STREAM.DELETE.KV_LEASES"} {
		body, err := json.Marshal(map[string]any{"stream_name": "CHAT", "config": map[string]any{
			"name": "own", "deliver_subject": target, "deliver_policy": "all", "ack_policy": "none"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, request := range []string{"CREATE", "DELETE"} {
			if _, err := nc.RequestWithContext(t.Context(), "$JS.API.CONSUMER."+request+".CHAT.own", body); err != nil {
				t.Fatal(err)
			}
		}
	}
	results, err := layout.Ensure(t.Context(), s.Connect(eventlog.Provisioner), config.Default(), provision.Check)
	for _, r := range results {
		if err != nil || !r.Right() {
			t.Errorf("%+v, %v", r, err)
		}
	}
	for stream, want := range map[string]uint64{"CHAT": 1, "AUDIT": 0, "KV_SESSIONS": 0, "KV_REVOCATIONS": 0} {
		if got := messages(t, s.Connect(permissionstest.Root), stream); got != want {
			t.Errorf("%s has %d messages, want %d", stream, got, want)
		}
	}
}

func messages(t *testing.T, js jetstream.JetStream, stream string) uint64 {
	t.Helper()
	found, err := js.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	return found.CachedInfo().State.Msgs
}

// TestARevocationIsNotLiftedByAnAnswer to who may write to the log: what he wrote
// there says that the key was deleted, and is read with the answer sent to the key.
func TestARevocationIsNotLiftedByAnAnswer(t *testing.T) {
	s := permissionstest.Start(t, permissions.Options{})
	if _, err := layout.Ensure(t.Context(), s.Connect(eventlog.Provisioner), config.Default(), provision.Reshape); err != nil {
		t.Fatal(err)
	}
	gateway, ann := s.Connect(eventlog.Gateway), revocation.Target{User: "ann"}
	list := revocation.Open(gateway, revocation.Options{Mode: provision.Check})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- list.Run(ctx) }()
	defer func() { cancel(); <-done }()
	operator := s.Connect(eventlog.Operator)
	if _, err := revocation.Revoke(t.Context(), operator, revocation.Revocation{Target: ann}); err != nil {
		t.Fatal(err)
	}
	fake := nats.NewMsg("chat.0.room.ngeneral")
	fake.Header.Set("KV-Operation", "DEL")
	if _, err := gateway.PublishMsg(t.Context(), fake); err != nil {
		t.Fatal(err)
	}
	key := "$KV.REVOCATIONS.user." + subject.Token(ann.User)
	if err := gateway.Conn().PublishRequest("$JS.API.DIRECT.GET.CHAT", key, []byte(`{"seq":1}`)); err != nil {
		t.Fatal(err)
	}
	// What the operator does next is known after it.
	for _, next := range []string{"bob", "eve"} {
		if err := gateway.Conn().Flush(); err != nil {
			t.Fatal(err)
		}
		other := revocation.Target{User: next}
		if _, err := revocation.Revoke(t.Context(), operator, revocation.Revocation{Target: other}); err != nil {
			t.Fatal(err)
		}
		for {
			since, err := list.Revoked(t.Context(), other)
			if err != nil {
				t.Fatal(err)
			}
			if !since.IsZero() {
				break
			}
			<-time.After(time.Millisecond)
		}
	}
	if since, err := list.Revoked(t.Context(), ann); err != nil || since.IsZero() {
		t.Errorf("ann is revoked since %v, %v", since, err)
	}
}
