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
	askTimeout = 2 * time.Second
	// auditPause is how long a stream AUDIT that could not be read is left alone: a
	// missing right is logged at each attempt.
	auditPause = 30 * time.Second
)

// poll finds out how far log, read model and notary are, until ctx ends.
func (v *View) poll(ctx context.Context) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	var auditAgain time.Time
	for {
		var asking sync.WaitGroup
		asking.Go(func() { v.show(ctx, headStatus, encode("head", v.state())) })
		asking.Go(func() { v.show(ctx, persisterStatus, encode("persister", v.askPersister(ctx))) })
		if !time.Now().Before(auditAgain) {
			asking.Go(func() {
				c := v.askNotary(ctx)
				if c.Error != "" {
					auditAgain = time.Now().Add(auditPause)
				}
				v.show(ctx, checkpointStatus, encode("checkpoint", c))
			})
		}
		asking.Wait()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// state is how the log stands. The feed may be further than the log was when it
// was last asked.
func (v *View) state() state {
	first, last := v.options.Ends()
	position := v.options.Tail.Position()
	return state{Epoch: v.options.Epoch, First: max(first, 1), Last: max(last, position), Position: position, Time: v.options.Now()}
}

func (v *View) askPersister(ctx context.Context) persister {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
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

func (v *View) askNotary(ctx context.Context) checkpoint {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
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
