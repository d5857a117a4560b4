package verify

import (
	"fmt"

	"github.com/tidemark-chat/tidemark/streams/notary"
)

// maxEpochs is how many earlier logs are named.
const maxEpochs = 100

// epochs tells checkpoints of this log from those of others. Those of an earlier one are no finding: an operator may begin another
// log. But then checkpoints of this one follow.
type epochs struct {
	where   string // the checkpoints are
	epoch   string // the log's
	earlier []EarlierTrees
	foreign *notary.Checkpoint // the newest one, if none of this log has come since
}

// own reports whether a checkpoint, the next one, is of this log.
func (e *epochs) own(c notary.Checkpoint) bool {
	if c.Epoch == e.epoch {
		e.foreign = nil
		return true
	}
	e.foreign = &c
	last := len(e.earlier) - 1
	if last < 0 || e.earlier[last].Epoch != c.Epoch && last+1 < maxEpochs {
		e.earlier = append(e.earlier, EarlierTrees{Where: e.where, Epoch: c.Epoch})
		last++
	}
	e.earlier[last].Checkpoints++
	e.earlier[last].Offset = max(e.earlier[last].Offset, c.Size)
	return false
}

// end adds what has been seen to the report.
func (e *epochs) end(found *findings, seen *CheckpointReport) {
	seen.Earlier = append(seen.Earlier, e.earlier...)
	if e.foreign != nil {
		found.add(Finding{Offset: e.foreign.Size, What: fmt.Sprintf(
			"%s: the newest checkpoint, of %s, is of a log of epoch %q; this log, of epoch %q, has been made anew or put in its place since",
			e.where, timeText(e.foreign.Time), short(e.foreign.Epoch), e.epoch)})
	}
}
