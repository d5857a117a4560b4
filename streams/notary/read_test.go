package notary

import (
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// TestAReplicaMayBeLate asks for an entry which the server that is asked gets only after it has been asked.
func TestAReplicaMayBeLate(t *testing.T) {
	server := logtest.Start(t)
	js := server.Connect()
	if err := Provision(t.Context(), js, 1, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	e := grown(t, 0, 5)
	e.Sequence, e.Began = 1, 1
	body, err := json.Marshal(&e)
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan *nats.Msg, replicaAttempts)
	spy := server.Connect().Conn()
	if _, err := spy.ChanSubscribe(subjectGet, asked); err != nil {
		t.Fatal(err)
	}
	if err := spy.Flush(); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() {
		<-asked
		_, err := js.Publish(t.Context(), subjectCheckpoint, body)
		written <- err
	}()
	r := &reader{js: js, last: 1, replicas: 3}
	got, err := r.get(t.Context(), 1)
	if err != nil || got.Size != 5 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	alone := &reader{js: js, last: 2, replicas: 1}
	if got, err := alone.get(t.Context(), 2); !fault.Is(err, fault.Corrupt) || got.Sequence != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if len(asked) > replicaAttempts/2 {
		t.Errorf("asked %d times", len(asked))
	}
}
