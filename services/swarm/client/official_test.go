package client_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/services/swarm/client"
)

var transports = []client.Transport{client.WebSocket, client.Polling, client.Upgrade}

// TestItSaysWhatTheOfficialClientSays: the same packets in the same order, for the same things done and suffered.
func TestItSaysWhatTheOfficialClientSays(t *testing.T) {
	for name, answer := range map[string]func(s *session, text string){
		"disconnects": func(s *session, text string) { converse(s, text, `42["go"]`) },
		"is sent off": func(s *session, text string) { converse(s, text, "41") },
		"is refused":  refuse,
	} {
		for _, transport := range transports {
			if name == "is refused" && transport == client.Upgrade {
				continue // what comes first, the answer to the probe or the refusal, is chance
			}
			t.Run(name+" over "+string(transport), func(t *testing.T) {
				t.Parallel()
				official := overheard(t, answer, func(ctx context.Context, url string) { runOfficial(t, ctx, url, transport) })
				ours := overheard(t, answer, func(ctx context.Context, url string) { scenario(t, ctx, url, transport) })
				if !slices.Equal(ours, official) {
					t.Errorf("the official client:\n\t%s\nours:\n\t%s", strings.Join(official, "\n\t"), strings.Join(ours, "\n\t"))
				}
			})
		}
	}
}

// converse has a client do all that it can, and at the end is sent something.
func converse(s *session, text, last string) {
	welcome(s, text)
	switch {
	case strings.HasPrefix(text, "420"):
		s.send(`430[{"ok":true}]`)
	case strings.HasPrefix(text, "421"):
		s.send(`431[]`)
	case strings.HasPrefix(text, `42["ping me"`):
		s.send("2")
	case text == "3":
		s.send(last)
	}
}

func refuse(s *session, text string) {
	if strings.HasPrefix(text, "40") {
		s.send(`44{"message":"no"}`)
	}
}

// overheard is what a server was sent by a client that runs until it has left.
func overheard(t *testing.T, answer func(s *session, text string), run func(ctx context.Context, url string)) []string {
	f := newFake(t, answer)
	ctx := testContext(t)
	run(ctx, f.URL)
	select {
	case <-f.session("s0").over:
	case <-ctx.Done():
		t.Errorf("no goodbye came: %q", f.notes())
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
	if refused := new(client.Refused); errors.As(err, &refused) && refused.Message == "no" {
		return
	}
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
		if !errors.Is(c.Err(), client.ErrDisconnected) {
			t.Error(c.Err())
		}
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
