package eventlog_test

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// lines is what was logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// wait waits until something was logged so many times.
func (l *lines) wait(t *testing.T, what string, times int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; <-time.After(5 * time.Millisecond) {
		l.mu.Lock()
		text := l.text.String()
		l.mu.Unlock()
		if strings.Count(text, what) >= times {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%q was not logged %d times:\n%s", what, times, text)
		}
	}
}

func TestOfEachOutageTheReasonIsLogged(t *testing.T) {
	s, log := logtest.Start(t), &lines{}
	nc, _, err := eventlog.Connect(s.URL(), "test", slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	for outage := 1; outage <= 2; outage++ {
		s.Stop()
		log.wait(t, "connection refused", outage)
		s.Restart()
		log.wait(t, "reconnected", outage)
	}
}
