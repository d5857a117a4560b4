package logview

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// farewell is how long a write that is under way may take when the view closes.
const farewell = time.Second

// ServeHTTP streams to one viewer until it goes, does not read, or the view closes.
// Whoever calls it has set headers that all answers have.
func (v *View) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead { // takes nobody's place
		begin(w)
		return
	}
	x, err := v.join(r.Context())
	if err != nil {
		Refuse(w, err.Error())
		return
	}
	defer v.leave(x)
	begin(w)
	out := newWriter(w, v.options.writeTimeout)
	defer context.AfterFunc(x.ctx, out.hurry)()
	_ = v.stream(x, out, had(r)) // whoever it was has gone, or comes back
}

func begin(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a proxy is not to hold it back
	h.Set("Connection", "close")     // its deadlines are no other request's
	w.WriteHeader(http.StatusOK)
}

// Refuse says that the log cannot be watched now, and why.
func Refuse(w http.ResponseWriter, why string) {
	w.Header().Set("Retry-After", strconv.Itoa(int(comeBack.Seconds())))
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, why, http.StatusServiceUnavailable)
}

// had is the last offset that a viewer had, if it says: a browser does when it
// comes back by itself, and a page in the address when it begins anew.
func had(r *http.Request) *uint64 {
	for _, text := range []string{r.Header.Get("Last-Event-ID"), r.URL.Query().Get("after")} {
		if offset, err := strconv.ParseUint(text, 10, 53); err == nil {
			return &offset
		}
	}
	return nil
}

// stream writes to a viewer until that fails or its context ends.
func (v *View) stream(x *viewer, out *writer, after *uint64) error {
	if err := out.write(comeBackFrame()); err != nil {
		return err
	}
	if err := out.write(encode("state", v.state())); err != nil {
		return err
	}
	if err := out.flush(); err != nil { // what follows may wait for the log
		return err
	}
	from, skipped := span(x.held, x.position, after)
	if skipped > 0 {
		if err := out.write(skippedFrame(skipped)); err != nil {
			return err
		}
	}
	if err := v.backlog(x, from, out.write); err != nil {
		return err
	}
	if err := out.flush(); err != nil {
		return err
	}
	idle := time.NewTicker(v.options.keepAlive)
	defer idle.Stop()
	for {
		select {
		case <-x.ready:
		case <-idle.C:
			if err := out.write(frame(": still here\n\n")); err != nil {
				return err
			}
		case <-x.ctx.Done():
			return x.ctx.Err()
		}
		for _, f := range x.take() {
			if err := out.write(f); err != nil {
				return err
			}
		}
		if err := out.flush(); err != nil {
			return err
		}
		idle.Reset(v.options.keepAlive)
		select {
		case <-time.After(gathering):
		case <-x.ctx.Done():
			return x.ctx.Err()
		}
	}
}

// chunk is how many bytes are written at once, at most a frame more.
const chunk = 16 << 10

// writer writes frames to a client, each chunk of them within a time.
type writer struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	gather  bytes.Buffer

	mu      sync.Mutex
	hurried bool
}

func newWriter(w http.ResponseWriter, timeout time.Duration) *writer {
	return &writer{w: w, control: http.NewResponseController(w), timeout: timeout}
}

func (o *writer) write(f frame) error {
	o.gather.Write(f)
	if o.gather.Len() < chunk {
		return nil
	}
	return o.flush()
}

// flush writes what was gathered. It blocks for the timeout at most.
func (o *writer) flush() error {
	if !o.arm(time.Now().Add(o.timeout)) {
		return errors.New("the stream has ended")
	}
	_, err := o.w.Write(o.gather.Bytes())
	o.gather.Reset()
	if err == nil {
		err = o.control.Flush()
	}
	return err
}

// arm sets the time by which a write must be over, unless the stream has ended.
func (o *writer) arm(deadline time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.hurried && o.control.SetWriteDeadline(deadline) == nil
}

// hurry ends the stream: a write that is under way may not take long any more.
func (o *writer) hurry() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hurried = true
	_ = o.control.SetWriteDeadline(time.Now().Add(farewell))
}
