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

func TestWhatIsKeptOfEntriesIsBounded(t *testing.T) {
	c := &chain{last: &Entry{Sequence: 1 << 40}}
	for _, size := range []int{1 << 18, 0} {
		for i := range uint64(200_000) {
			if size > 0 && i > 1000 {
				break
			}
			c.keep(i, &Entry{Sequence: i, Hashes: make([]byte, size)})
			kept, err := c.entry(i)
			if err != nil || kept.Sequence != i {
				t.Fatalf("entry %d is not kept: %v", i, err)
			}
		}
		bytes := 0
		for _, e := range c.kept {
			bytes += len(e.Hashes) + keptEach
		}
		if bytes > maxKept || bytes != c.bytes || bytes < maxKept/10 {
			t.Errorf("%d bytes are kept, %d said", bytes, c.bytes)
		}
	}
}
