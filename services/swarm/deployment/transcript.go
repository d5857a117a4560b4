package deployment

import (
	"bytes"
	"fmt"
	"os"
	"sync"
)

const (
	// maxTranscript bounds what is kept of a process's output in memory; all of it goes into a file.
	maxTranscript = 256 << 10
	// maxComplaints bounds those of one process: after so many it is known that something is wrong.
	maxComplaints = 20
	// maxLine bounds the part of a line that is looked at.
	maxLine = 8 << 10
)

// scandals are what no fault excuses, wherever it stands in a line of output. They come from Go's runtime, which ends the
// process, or from its race detector, which does not; "[FTL]" is nats-server's last word. A panic that was recovered is a
// scandal as well: net/http and the Socket.IO library (of its listeners and queues) tell of one, and go on.
var scandals = [][]byte{
	[]byte("DATA RACE"), []byte("panic: "), []byte("fatal error: "), []byte("[FTL]"),
	[]byte("http: panic serving "), []byte(" panic recovered: "),
}

// transcript is what a process has said and what there is to complain of.
type transcript struct {
	who  string
	file *os.File

	mu         sync.Mutex
	end        bytes.Buffer
	line       []byte // the last one, as long as it has no end
	complaints []string
}

func newTranscript(who, path string) (*transcript, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", who, err)
	}
	return &transcript{who: who, file: file}, nil
}

// Write is called by the goroutine that copies the process's output.
func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.end.Len() > maxTranscript {
		t.end.Next(t.end.Len() / 2)
	}
	t.end.Write(p[max(0, len(p)-maxTranscript):])
	t.read(p)
	_, _ = t.file.Write(p) // a full disk must not stop the process that speaks
	return len(p), nil
}

// read looks for scandals, line by line.
func (t *transcript) read(p []byte) {
	for len(p) > 0 {
		part, rest, whole := bytes.Cut(p, []byte("\n"))
		t.line = append(t.line, part[:min(len(part), maxLine-len(t.line))]...)
		if p = rest; !whole {
			return
		}
		for _, s := range scandals {
			if bytes.Contains(t.line, s) {
				t.add(string(t.line))
				break
			}
		}
		t.line = t.line[:0]
	}
}

// complain adds a complaint that is not in the output.
func (t *transcript) complain(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(fmt.Sprintf(format, args...))
}

func (t *transcript) add(what string) {
	switch n := len(t.complaints); {
	case n < maxComplaints:
		t.complaints = append(t.complaints, t.who+": "+what)
	case n == maxComplaints:
		t.complaints = append(t.complaints, t.who+": and more, which is in its log")
	}
}

func (t *transcript) list() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.complaints...)
}

// tail is the end of the output.
func (t *transcript) tail() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.end.String()
}
