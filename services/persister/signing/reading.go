package signing

import (
	"context"
	"errors"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

// silence is how long nothing may come while the log is read: longer than reading it again after faults takes.
const silence = time.Minute

var errSilent = fault.New("read leaves", fault.Temporary, errors.New("the log has sent nothing for "+silence.String()))

// read is the history's Leaves, given up after a silence.
func (n *Notary) read(ctx context.Context, after, through uint64, apply func(tlog.Hash) error) (lost uint64, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer timer.Stop()
	lost, err = n.history.Leaves(ctx, after, through, func(leaf tlog.Hash) error {
		timer.Reset(silence)
		return apply(leaf)
	})
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return lost, err
}
