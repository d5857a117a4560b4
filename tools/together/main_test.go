//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// script writes a shell script and returns the command that runs it.
func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program.sh")
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return "sh " + path
}

// patient ends well when it is asked to, and says so.
const patient = "trap 'echo bye; exit 0' INT\necho up\nwhile :; do sleep 0.05; done\n"

// page is an output that tells when a text has appeared n times.
type page struct {
	mu   sync.Mutex
	text string
	want string
	n    int
	seen chan struct{}
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := strings.Count(p.text, p.want)
	p.text += string(b)
	if p.want != "" && before < p.n && strings.Count(p.text, p.want) >= p.n {
		close(p.seen)
	}
	return len(b), nil
}

func TestAllStopInReverseOrderAtASignal(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out := &page{want: "| up", n: 2, seen: make(chan struct{})}
	go func() { <-out.seen; cancel() }()
	if err := run(ctx, []string{"one=" + script(t, patient), "two=" + script(t, patient)}, out); err != nil {
		t.Fatal(err)
	}
	first, second := strings.Index(out.text, "two | bye"), strings.Index(out.text, "one | bye")
	if first < 0 || second < first {
		t.Errorf("output:\n%s", out.text)
	}
}

func TestOneThatEndsTakesTheOthersAlong(t *testing.T) {
	out := &page{}
	err := run(t.Context(), []string{"one=" + script(t, patient), "two=" + script(t, "exit 3")}, out)
	if err == nil || !strings.Contains(err.Error(), "two ended before") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("error: %v", err)
	}
}

func TestWhatCannotStartStopsTheOthers(t *testing.T) {
	for _, spec := range []string{"two=/no/such/program", "two=", "two", "=sh"} {
		err := run(t.Context(), []string{"one=" + script(t, patient), spec}, &page{})
		if err == nil {
			t.Errorf("%q: no error", spec)
		}
	}
}
