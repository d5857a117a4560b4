package notary_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/logtest"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

func TestProvisionTwiceChangesNothing(t *testing.T) {
	d := open(t)
	d.write(3)
	before, err := d.js.Stream(ctx, notary.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	if err := notary.Provision(ctx, d.js, 3, quiet); err != nil { // what somebody else has chosen is left
		t.Fatal(err)
	}
	after, err := d.js.Stream(ctx, notary.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	was, is := before.CachedInfo(), after.CachedInfo()
	if is.State.Msgs != 1 || !is.Created.Equal(was.Created) || is.Config.Replicas != 1 {
		t.Errorf("%+v", is)
	}
	config := is.Config
	if !config.DenyDelete || !config.DenyPurge || !config.AllowDirect || config.MaxAge != 0 || config.MaxMsgs != -1 ||
		config.MaxBytes != -1 || config.MaxMsgsPerSubject != -1 || config.Storage != jetstream.FileStorage ||
		config.Retention != jetstream.LimitsPolicy || config.Metadata["tidemark-schema"] != "1" {
		t.Errorf("%+v", config)
	}
}

func TestAStreamThatCouldLoseCheckpointsIsRefused(t *testing.T) {
	for want, change := range map[string]func(*jetstream.StreamConfig){
		"":                         func(*jetstream.StreamConfig) {},
		"deny delete is false":     func(c *jetstream.StreamConfig) { c.DenyDelete = false },
		"deny purge is false":      func(c *jetstream.StreamConfig) { c.DenyPurge = false },
		"max age is 1h0m0s":        func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
		"max messages is 1000":     func(c *jetstream.StreamConfig) { c.MaxMsgs = 1000 },
		"per subject is 1":         func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 1 },
		"max bytes is 1000":        func(c *jetstream.StreamConfig) { c.MaxBytes = 1000 },
		"storage is Memory":        func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage },
		"retention is Interest":    func(c *jetstream.StreamConfig) { c.Retention = jetstream.InterestPolicy },
		"subjects is audit.*":      func(c *jetstream.StreamConfig) { c.Subjects = []string{"audit.*"} },
		"message TTL allowed is t": func(c *jetstream.StreamConfig) { c.AllowMsgTTL = true },
		"direct get is false":      func(c *jetstream.StreamConfig) { c.AllowDirect = false },
		"no ack is true":           func(c *jetstream.StreamConfig) { c.NoAck = true },
	} {
		js := logtest.Start(t).Connect() // one each: a server removes a deleted stream's files when it likes
		config := jetstream.StreamConfig{Name: notary.StreamName, Subjects: []string{"audit.>"}, DenyDelete: true, DenyPurge: true, AllowDirect: true}
		change(&config)
		if _, err := js.CreateStream(ctx, config); err != nil {
			t.Fatalf("%s: %v", want, err)
		}
		err := notary.Provision(ctx, js, 1, quiet)
		if want == "" && err != nil || want != "" && (!fault.Is(err, fault.Permanent) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

func TestAFullStreamRefusesAndLosesNothing(t *testing.T) {
	js := logtest.Start(t).Connect()
	_, err := js.CreateStream(ctx, jetstream.StreamConfig{
		Name: notary.StreamName, Subjects: []string{"audit.>"}, DenyDelete: true, DenyPurge: true, AllowDirect: true,
		MaxBytes: 4000, Discard: jetstream.DiscardNew,
	})
	if err != nil {
		t.Fatal(err)
	}
	d := sit(t, js)
	d.write(10, 10)
	e := d.make(50)
	if err := d.audit.Append(ctx, 2, &e); !fault.Is(err, fault.Temporary) {
		t.Errorf("%v", err)
	}
	if good, bad := d.entries(); len(good) != 2 || len(bad) > 0 {
		t.Errorf("%d entries, bad %v", len(good), bad)
	}
}

func TestProvisionWithoutAServerIsTemporary(t *testing.T) {
	server := logtest.Start(t)
	js := server.Connect()
	server.Stop()
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if err := notary.Provision(short, js, 1, quiet); !fault.Is(err, fault.Temporary) {
		t.Errorf("%v", err)
	}
}
