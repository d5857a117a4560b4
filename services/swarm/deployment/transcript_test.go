package deployment

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestATranscriptComplainsOfWhatNoFaultExcuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	said, err := newTranscript("gateway-1", path)
	if err != nil {
		t.Fatal(err)
	}
	defer said.file.Close()
	const text = "level=INFO msg=ready\nWARNING: DATA RACE\nlevel=ERROR msg=\"disk full\"\npanic: oh\n\ngoroutine 1:\nfatal error: all asleep\n[7] [FTL] no\n" +
		"level=DEBUG msg=\"http: panic serving 127.0.0.1:5: oh\\ngoroutine 1\"\nevent listener panic recovered: oh\n"
	for i := range len(text) { // as a pipe may cut it anywhere
		if _, err := said.Write([]byte{text[i]}); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(said.list(), "|"); got != "gateway-1: WARNING: DATA RACE|gateway-1: panic: oh|gateway-1: fatal error: all asleep|gateway-1: [7] [FTL] no"+
		`|gateway-1: level=DEBUG msg="http: panic serving 127.0.0.1:5: oh\ngoroutine 1"|gateway-1: event listener panic recovered: oh` {
		t.Errorf("complaints %s", got)
	}
	if log, err := os.ReadFile(path); err != nil || string(log) != text || said.tail() != text {
		t.Errorf("log %q, end %q, %v", log, said.tail(), err)
	}
}

func TestATranscriptIsBounded(t *testing.T) {
	said, err := newTranscript("nats-1", filepath.Join(t.TempDir(), "x.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.file.Close()
	line := []byte("panic: " + strings.Repeat("x", 1000) + "\n")
	for range 2000 {
		_, _ = said.Write(line)
	}
	_, _ = said.Write(make([]byte, 1<<20)) // a line without an end
	if n := len(said.list()); n != maxComplaints+1 {
		t.Errorf("%d complaints", n)
	}
	if n := said.end.Len(); n > 2*maxTranscript {
		t.Errorf("%d bytes are kept", n)
	}
	if n := len(said.line); n > maxLine {
		t.Errorf("%d bytes of a line are kept", n)
	}
}

// TestAClockFileHoldsNanoseconds is what tools/clockstep reads.
func TestAClockFileHoldsNanoseconds(t *testing.T) {
	p := &Process{Name: "gateway-1", clock: filepath.Join(t.TempDir(), "clock")}
	for _, offset := range []time.Duration{0, 26 * time.Hour, -1500 * time.Millisecond} {
		if err := p.Step(offset); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(p.clock); err != nil || string(text) != fmt.Sprint(offset.Nanoseconds()) {
			t.Errorf("%v: %q, %v", offset, text, err)
		}
	}
}
