package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/peers"
)

func TestWhatTheCommandLineAsksForMustExist(t *testing.T) {
	for _, args := range [][]string{
		{"--only", "tidemarks"}, {"--scenarios", "fanout-200"}, {"--rounds", "0"}, {"--format", "xml"}, {"--no-such-flag"}, {"argument"},
	} {
		if code := run(t.Context(), args); code != usage {
			t.Errorf("%q ends with %d", args, code)
		}
	}
}

func TestWhatCannotBeMeasuredIsAFailure(t *testing.T) {
	dir := t.TempDir()
	raw := filepath.Join(dir, "raw", "results.json")
	args := []string{"--quick", "--only", "tidemark", "--scenarios", "recovery", "--rounds", "1", "--format", "json",
		"--standalone", filepath.Join(dir, "nothing"), "--node", dir, "--data", filepath.Join(dir, "data"), "--raw", raw}
	if code := run(t.Context(), args); code != failure {
		t.Errorf("it ends with %d", code)
	}
	text, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	var r peers.Results
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Failures) != 1 || !strings.Contains(r.Failures[0], "recovery, tidemark") || len(r.Samples) != 0 {
		t.Errorf("failures: %q, samples: %v", r.Failures, r.Samples)
	}
}

func TestThePageIsMadeAgainFromKeptNumbers(t *testing.T) {
	dir := t.TempDir()
	kept, page := filepath.Join(dir, "results.json"), filepath.Join(dir, "benchmarks.md")
	text, err := json.Marshal(peers.Results{
		Began: time.Now(), Plan: peers.Full(), Rounds: 1,
		Samples: []peers.Sample{{Round: 1, Scenario: "connect", Target: "tidemark", Metric: peers.ConnectRate, Value: 4321}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ours, err := os.ReadFile("../../../../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(page, ours, 0o644); err != nil {
		t.Fatal(err)
	}
	if code := run(t.Context(), []string{"--from", kept, "--out", dir}); code != failure {
		t.Errorf("without the file it ends with %d", code)
	}
	if err := os.WriteFile(kept, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if code := run(t.Context(), []string{"--from", kept, "--out", dir}); code != measured {
		t.Errorf("it ends with %d", code)
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(got), "| connects per second | 4,321 |") {
		t.Errorf("the number is not on the page:\n%s", got)
	}
}
