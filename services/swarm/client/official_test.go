package client_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/services/swarm/client"
)

var transports = []client.Transport{client.WebSocket, client.Polling, client.Upgrade}

// TestItSaysWhatTheOfficialClientSays: the same packets in the same order, for the same things done.
func TestItSaysWhatTheOfficialClientSays(t *testing.T) {
	for _, transport := range transports {
		t.Run(string(transport), func(t *testing.T) {
			t.Parallel()
			official := overheard(t, func(ctx context.Context, url string) { runOfficial(t, ctx, url, transport) })
			ours := overheard(t, func(ctx context.Context, url string) { scenario(t, ctx, url, transport) })
			if !slices.Equal(ours, official) {
				t.Errorf("the official client:\n\t%s\nours:\n\t%s", strings.Join(official, "\n\t"), strings.Join(ours, "\n\t"))
			}
			if n := len(official); n < 8 {
				t.Errorf("only %d things were said: %q", n, official)
			}
		})
	}
}

// overheard is what a server was sent by a client that runs until it has disconnected.
func overheard(t *testing.T, run func(ctx context.Context, url string)) []string {
	f := newFake(t, func(s *session, text string) {
		welcome(s, text)
		switch {
		case strings.HasPrefix(text, "420"):
			s.send(`430[{"ok":true}]`)
		case strings.HasPrefix(text, "421"):
			s.send(`431[]`)
		case strings.HasPrefix(text, `42["ping me"`):
			s.send("2")
		case text == "3":
			s.send(`42["go"]`)
		}
	})
	ctx := testContext(t)
	defer func() {
		if t.Failed() {
			t.Logf("so far: %q", f.notes())
		}
	}()
	run(ctx, f.URL)
	select {
	case <-f.session("s0").over:
	case <-ctx.Done():
		t.Fatalf("no goodbye came: %q", f.notes())
	}
	return f.notes()
}

// scenario is testdata/official.cjs with our client.
func scenario(t *testing.T, ctx context.Context, url string, transport client.Transport) {
	told := make(chan string, 10)
	c, err := client.Dial(ctx, client.Options{URL: url, Transport: transport,
		Auth: struct {
			Username     string `json:"username"`
			ServerOffset int    `json:"serverOffset"`
		}{Username: "<ann>"},
		Event: func(payload []byte) { told <- string(payload) },
	})
	if err != nil {
		t.Error(err)
		return
	}
	try := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	try(c.Emit(client.Payload("first", "Grüße & <b>", 1, nil)))
	try(c.Ask(client.Payload("ask", map[string]string{"text": "x"}), func([]byte) {
		try(c.Ask(client.Payload("ask", []int{}), func([]byte) {
			try(c.Emit(client.Payload("ping me")))
		}))
	}))
	select {
	case payload := <-told:
		if payload != `["go"]` {
			t.Errorf("came %s", payload)
		}
	case <-c.Done():
		t.Error(c.Err())
	case <-ctx.Done():
		t.Error("told nothing")
	}
	c.Close()
	<-c.Done()
}

func runOfficial(t *testing.T, ctx context.Context, url string, transport client.Transport) {
	web, err := filepath.Abs("../../../web")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(web, "node_modules", "socket.io-client")); err != nil {
		t.Fatalf("the official client is not there (%v): `go tool task web:install` gets it", err)
	}
	out, err := exec.CommandContext(ctx, "node", "testdata/official.cjs", web, url, string(transport)).CombinedOutput()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, out)
	}
}
