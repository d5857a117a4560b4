package logview

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

const (
	// askTimeout bounds a question, which goes on when the last viewer leaves: that
	// a right is missing shows only when nobody has answered.
	askTimeout = 2 * time.Second
	// auditPause is how long a stream AUDIT that could not be read is left alone: a
	// missing right is logged at each attempt.
	auditPause = 30 * time.Second
)

// poll finds out how far log, read model and notary are, until ctx ends. Each is
// asked on its own: one that does not answer holds up no other.
func (v *View) poll(ctx context.Context) {
	var asking sync.WaitGroup
	asking.Go(func() {
		for v.turn(ctx, headStatus) {
			v.show(ctx, headStatus, encode("head", v.state()))
		}
	})
	asking.Go(func() {
		for v.turn(ctx, persisterStatus) {
			v.show(ctx, persisterStatus, encode("persister", v.askPersister()))
		}
	})
	asking.Go(func() {
		for v.turn(ctx, checkpointStatus) {
			c := v.askNotary()
			if c.Error != "" {
				v.leaveAlone(checkpointStatus, auditPause)
			}
			v.show(v.ctx, checkpointStatus, encode("checkpoint", c)) // which is kept
		}
	})
	asking.Wait()
}

// turn waits until something may be found out again. It is false if the poller's
// ctx ends.
func (v *View) turn(ctx context.Context, s status) bool {
	v.mu.Lock()
	wait := time.Until(v.next[s])
	v.mu.Unlock()
	select {
	case <-time.After(wait):
	case <-ctx.Done():
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if ctx.Err() != nil {
		return false // another poller may have begun
	}
	v.next[s] = time.Now().Add(pollInterval)
	return true
}

// leaveAlone puts off when something may be found out again.
func (v *View) leaveAlone(s status, pause time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.next[s] = time.Now().Add(pause)
}

// state is how the log stands. The feed may be further than the log was when it
// was last asked.
func (v *View) state() state {
	first, last := v.options.Ends()
	position := v.options.Tail.Position()
	return state{Epoch: v.options.Epoch, First: max(first, 1), Last: max(last, position), Position: position, Time: v.options.Now()}
}

func (v *View) askPersister() persister {
	ctx, cancel := context.WithTimeout(v.ctx, askTimeout)
	defer cancel()
	c, err := v.options.Model.Checkpoint(ctx)
	if err != nil {
		return persister{Error: "the read model does not answer"}
	}
	p := persister{Offset: c.Offset, Epoch: c.Epoch, Lag: floor(v.state().Last, c.Offset)}
	if !c.At.IsZero() {
		p.At = &c.At
	}
	return p
}

func (v *View) askNotary() checkpoint {
	ctx, cancel := context.WithTimeout(v.ctx, askTimeout)
	defer cancel()
	e, err := v.options.Audit.Last(ctx)
	if errors.Is(err, notary.ErrNone) {
		return checkpoint{None: true}
	}
	var c notary.Checkpoint
	if err == nil {
		c, err = e.Checkpoint()
	}
	switch {
	case fault.Is(err, fault.Corrupt):
		return checkpoint{Error: "the newest message of stream AUDIT is no checkpoint"}
	case err != nil:
		return checkpoint{Error: "stream AUDIT cannot be read"}
	}
	return checkpoint{
		Size: c.Size, Root: c.Root.String(), Origin: c.Origin, Key: keyOf(e.Signed), Epoch: c.Epoch, At: &c.Time,
	}
}

// keyOf is the name and the hash of the key that a signed note names, as the
// public key begins: name+hash. Empty if it cannot be read.
func keyOf(signed string) string {
	_, signature, _ := strings.Cut(signed, "\n\n— ")
	name, text, _ := strings.Cut(strings.TrimSpace(signature), " ")
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) < 4 {
		return ""
	}
	return fmt.Sprintf("%s+%08x", name, binary.BigEndian.Uint32(raw))
}
