package persister

import (
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/projection"
)

// loudest is how many dead letters of one batch are logged one by one.
const loudest = 5

// report counts what a commit has written, and says aloud what it could not.
func (p *Persister) report(rows int, letters []readmodel.DeadLetter, skipped projection.Skipped) {
	p.metrics.rows.Add(float64(rows))
	p.metrics.deadLetters.Add(float64(len(letters)))
	for i, d := range letters {
		if i == loudest {
			p.log.Error("more events were not projected, see the table dead_letter", "count", len(letters)-i)
			break
		}
		p.log.Error("not projected, see the table dead_letter",
			"offset", d.Offset, "through", d.Through, "subject", d.Stored.Subject, "reason", d.Reason)
	}
	if skipped != (projection.Skipped{}) {
		p.metrics.skipped.WithLabelValues("type").Add(float64(skipped.UnknownType))
		p.metrics.skipped.WithLabelValues("schema").Add(float64(skipped.NewerSchema))
		p.log.Warn("skipped events that this version does not know; the log keeps them",
			"unknownType", skipped.UnknownType, "newerSchema", skipped.NewerSchema)
	}
}
