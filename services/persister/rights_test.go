package persister

import (
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/layout"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/permissions"
	"github.com/tidemark-chat/tidemark/streams/permissions/permissionstest"
	"github.com/tidemark-chat/tidemark/streams/provision"
)

func TestWhereAnOperatorProvisionsAPersisterMakesNothingAndWaits(t *testing.T) {
	server := logtest.Start(t)
	options := testOptions(server.URL(), database(t))
	options.Log.Mode = provision.Check
	p := run(t, options)
	says := func(what string) func() bool {
		return func() bool { return strings.Contains(p.status.report().Problem, what) }
	}
	eventually(t, "it waits for the log", says("provision stream CHAT: it has not been made yet; run: streams provision"))
	js := server.Provision(logtest.Config())
	last := logtest.Publish(t, js, logtest.Message(t, "general", "hi"))
	eventually(t, "it waits for the consumer", says("provision consumer persister: it has not been made yet; run: streams provision"))
	if _, err := js.Consumer(t.Context(), eventlog.StreamName, eventlog.ConsumerName); !errors.Is(err, jetstream.ErrConsumerNotFound) {
		t.Errorf("the consumer: %v", err)
	}
	if _, err := layout.Ensure(t.Context(), js, config.Default(), provision.Reshape); err != nil {
		t.Fatal(err)
	}
	p.reaches(last)
}

func TestWhereAnOperatorProvisionsAnUnfitConsumerIsAnError(t *testing.T) {
	server := logtest.Start(t)
	js := server.Provision(logtest.Config())
	if _, err := js.CreateConsumer(t.Context(), eventlog.StreamName, jetstream.ConsumerConfig{Durable: eventlog.ConsumerName, AckPolicy: jetstream.AckAllPolicy}); err != nil {
		t.Fatal(err)
	}
	options := testOptions(server.URL(), database(t))
	options.Log.Mode = provision.Check
	if err := run(t, options).fails(); !strings.Contains(err.Error(), "priority policy") || !strings.Contains(err.Error(), "nats.provision") {
		t.Error(err)
	}
}

func TestAPersisterThatLacksARightEndsAndNamesIt(t *testing.T) {
	s := permissionstest.Start(t, permissions.Options{})
	if _, err := layout.Ensure(t.Context(), s.Connect(eventlog.Provisioner), config.Default(), provision.Reshape); err != nil {
		t.Fatal(err)
	}
	if err := run(t, testOptions(s.URL(eventlog.Auditor), database(t))).fails(); !strings.Contains(err.Error(), "does not grant what a persister needs") {
		t.Error(err)
	}
}
