package persister

import (
	"github.com/nats-io/nuid"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/readmodel/projection"
	"github.com/tidemark-chat/tidemark/streams/trace"
)

// trace sees to it that batches are traced, if they are to be.
func (p *Persister) trace() (err error) {
	p.tracer, err = trace.New(trace.Options{
		Endpoint: string(p.options.Telemetry.Endpoint), Ratio: p.options.Telemetry.Ratio, Service: "persister", ID: nuid.Next(), Log: p.log,
	})
	return err
}

// traced begins the span of a batch in which some events are traced.
func (p *Persister) traced(batch []projection.Delivery) trace.Span {
	if p.tracer == nil {
		return trace.Span{}
	}
	var parents []string
	for i := range batch {
		if parent := event.TraceOf(batch[i].Stored.Header); parent != "" {
			parents = append(parents, parent)
		}
	}
	return p.tracer.Project(parents).Set("tidemark.events", int64(len(batch)))
}
