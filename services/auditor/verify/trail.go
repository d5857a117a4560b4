package verify

import (
	"context"
	"errors"
	"iter"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

const inAudit = "stream AUDIT"

// trail is stream AUDIT as it was when it was opened, one entry after the other.
//
//	entry   1  2  3 | 4  5 | 6  7  8
//	tree    of an     aban-  the newest one, whose leaves are
//	        earlier   doned  walked beside the log's
//	        log
type trail struct {
	began uint64 // the first entry of the newest tree
	next  func() (notary.Entry, error, bool)
	stop  func()
	head  step
}

// step is what the stream has at a sequence.
type step struct {
	entry notary.Entry
	err   error // Corrupt: entry has only its sequence, or does not follow from the one before
	ok    bool  // false: the end
}

// openTrail fixes how far the stream goes. notary.ErrNone if there is no checkpoint. Close it.
func openTrail(ctx context.Context, audit *notary.Audit) (*trail, error) {
	t := &trail{}
	var err error
	if t.began, err = newestTree(ctx, audit); err != nil {
		return nil, err
	}
	t.next, t.stop = iter.Pull2(audit.Entries(ctx))
	t.step() // now the stream has been opened
	return t, nil
}

// newestTree is the sequence at which the newest tree begins.
func newestTree(ctx context.Context, audit *notary.Audit) (began uint64, err error) {
	last, err := audit.Last(ctx)
	if err == nil || errors.Is(err, notary.ErrNone) || !fault.Is(err, fault.Corrupt) {
		return last.Began, err
	}
	for e, err := range audit.Entries(ctx) { // the newest message is no entry: the tree is that of the newest one that is
		if err != nil && !fault.Is(err, fault.Corrupt) {
			return 0, err
		}
		began = max(began, e.Began)
	}
	return began, nil
}

// step takes the next entry.
func (t *trail) step() (taken step) {
	taken = t.head
	t.head.entry, t.head.err, t.head.ok = t.next()
	return taken
}

// before takes the next entry if it is one of before the newest tree.
func (t *trail) before() (step, bool) {
	if !t.head.ok || t.head.entry.Sequence >= t.began {
		return step{}, false
	}
	return t.step(), true
}

func (t *trail) close() { t.stop() }
