package layout_test

import (
	"testing"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/layout"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

func TestALogThatRepublishesIsAsItShouldBeForServicesThatDoNotListen(t *testing.T) {
	js := logtest.Start(t).Connect()
	cfg := config.Default()
	cfg.Stream.Republish = true
	if _, err := layout.Ensure(t.Context(), js, cfg, provision.Reshape); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []provision.Mode{provision.Make, provision.Check} {
		stream, result, err := eventlog.Stream(layout.Log(config.Default())).Ensure(t.Context(), js, mode)
		if err != nil || result.Outcome != provision.Fits {
			t.Errorf("%v, %+v", err, result)
		} else if stream.CachedInfo().Config.RePublish == nil {
			t.Error("it does not republish any more")
		}
	}
	stream, err := js.Stream(t.Context(), eventlog.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := stream.CachedInfo().Config
	elsewhere.RePublish.Destination = "elsewhere.>"
	if _, err := js.UpdateStream(t.Context(), elsewhere); err != nil {
		t.Fatal(err)
	}
	if _, result, err := eventlog.Stream(layout.Log(config.Default())).Ensure(t.Context(), js, provision.Check); err != nil || len(result.Left) != 1 {
		t.Errorf("a log that tells others: %v, %+v", err, result)
	}
}
