package layout_test

import (
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/streams/layout"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/presence"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

// Where services make nothing, nobody would make again what a server has forgotten.
func TestNothingThatAnOperatorMakesIsLostByARestart(t *testing.T) {
	server := logtest.Start(t)
	js := server.Connect()
	if _, err := layout.Ensure(t.Context(), js, config.Default(), provision.Reshape); err != nil {
		t.Fatal(err)
	}
	js.Conn().Close()
	server.Stop()
	server.Restart()
	results, err := layout.Ensure(t.Context(), server.Connect(), config.Default(), provision.Check)
	if err != nil {
		t.Error(err)
	}
	for _, r := range results {
		if !r.Right() {
			t.Errorf("%+v", r)
		}
	}
}

func TestBucketsThatGatewaysMadeInMemoryAreAsTheyShouldBe(t *testing.T) {
	js := logtest.Start(t).Connect()
	for _, b := range presence.Buckets(presence.Options{Mode: provision.Make}) {
		stream, _, err := b.Ensure(t.Context(), js, provision.Make)
		if err != nil || stream.CachedInfo().Config.Storage != jetstream.MemoryStorage {
			t.Fatalf("%s is not made in memory: %v", b.Name, err)
		}
	}
	for _, mode := range []provision.Mode{provision.Check, provision.Reshape} {
		results, _ := layout.Ensure(t.Context(), js, config.Default(), mode)
		for _, r := range results {
			if (r.Name == "PRESENCE" || r.Name == "LEASES") && r.Outcome != provision.Fits {
				t.Errorf("%+v", r)
			}
		}
	}
}
