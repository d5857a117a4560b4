package logview

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func feedRequest(ctx context.Context, method string) *http.Request {
	return httptest.NewRequestWithContext(ctx, method, "/log/feed", nil)
}

// fill has as many watch as may.
func (w *world) fill() (all []*viewer) {
	w.t.Helper()
	for range MaxViewers {
		x, err := w.view.join(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(func() { w.view.leave(x) })
		all = append(all, x)
		time.Sleep(time.Millisecond)
	}
	return all
}

func TestWhereTooManyWatchTheNewestTakesThePlaceOfTheOldestButNotAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		all := w.fill()
		refused := httptest.NewRecorder()
		w.view.ServeHTTP(refused, feedRequest(t.Context(), http.MethodGet))
		if refused.Code != http.StatusServiceUnavailable || !strings.Contains(refused.Body.String(), "too many are watching") || refused.Header().Get("Retry-After") != "5" {
			t.Errorf("one more gets %d %q", refused.Code, refused.Body)
		}
		for _, x := range all {
			if x.ctx.Err() != nil {
				t.Error("one was ended who had hardly come")
			}
		}
		time.Sleep(comeBack)
		for range 2 {
			x, err := w.view.join(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer w.view.leave(x)
		}
		for i, x := range all {
			if ended := x.ctx.Err() != nil; ended != (i < 2) {
				t.Errorf("number %d of the first: ended %t", i+1, ended)
			}
		}
		w.view.leave(all[0])
		if n := w.view.Watching(); n != MaxViewers || w.view.stopPoll == nil {
			t.Errorf("%d watch", n)
		}
	})
}

func TestWhoseStreamIsEndedComesBackAfterAWhile(t *testing.T) {
	s := newWorld(t, nil).watch(nil, "")
	if line, err := s.reader.ReadString('\n'); err != nil || line != "retry: 5000\n" {
		t.Errorf("begins with %q, %v", line, err)
	}
}

func TestWhoAsksForHeadersTakesNobodysPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		all := w.fill()
		time.Sleep(comeBack)
		got := httptest.NewRecorder()
		w.view.ServeHTTP(got, feedRequest(t.Context(), http.MethodHead))
		if got.Code != http.StatusOK || got.Header().Get("Content-Type") != "text/event-stream" || got.Body.Len() != 0 {
			t.Errorf("gets %d %v %q", got.Code, got.Header(), got.Body)
		}
		if all[0].ctx.Err() != nil {
			t.Error("the oldest viewer was ended for it")
		}
	})
}

// stuck is a client that takes nothing: a write to it ends at its deadline.
type stuck struct {
	http.ResponseWriter
	armed chan time.Time
}

func (s stuck) SetWriteDeadline(d time.Time) error { s.armed <- d; return nil }
func (s stuck) FlushError() error {
	<-time.After(time.Until(<-s.armed))
	return errors.New("timeout")
}

func TestAViewerThatTakesNothingIsCut(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.writeTimeout = 10 * time.Millisecond })
	w.view.ServeHTTP(stuck{httptest.NewRecorder(), make(chan time.Time, 2)}, feedRequest(t.Context(), http.MethodGet))
	if n := w.view.Watching(); n != 0 {
		t.Errorf("%d still watch", n)
	}
}

// piped is a client that takes what is read from the other end of a pipe.
type piped struct {
	*httptest.ResponseRecorder
	to *io.PipeWriter
}

func (p piped) Write(b []byte) (int, error)      { return p.to.Write(b) }
func (p piped) SetWriteDeadline(time.Time) error { return nil }

func TestAViewerThatReadsLateMissesEventsAndIsToldHowMany(t *testing.T) {
	const last = 4 * queueLength
	w := newWorld(t, func(o *Options) { o.writeTimeout = time.Hour })
	w.apply(1)
	from, to := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan struct{})
	go func() {
		defer close(served)
		w.view.ServeHTTP(piped{httptest.NewRecorder(), to}, feedRequest(ctx, http.MethodGet))
	}()
	defer func() {
		cancel()
		from.Close()
		<-served
	}()
	s := &stream{t: t, reader: bufio.NewReader(from)}
	s.events(2)   // the state, and the first event
	w.apply(last) // of which nobody takes any
	at, seen, skipped := uint64(1), 0, 0
	for at < last {
		m := s.events(1)[0]
		if m.event == "skipped" {
			var count int
			if _, err := fmt.Sscanf(m.data, `{"count":%d}`, &count); err != nil {
				t.Fatal(m, err)
			}
			skipped += count
			continue
		}
		offset, err := strconv.ParseUint(m.id, 10, 64)
		if err != nil || offset <= at || offset != uint64(1+seen+skipped+1) {
			t.Fatalf("%+v after %d, with %d seen and %d skipped", m, at, seen, skipped)
		}
		at, seen = offset, seen+1
	}
	if skipped == 0 {
		t.Errorf("%d events were kept for somebody who does not read", seen)
	}
}
