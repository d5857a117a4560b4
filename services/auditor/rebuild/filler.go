package rebuild

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/services/auditor/progress"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/projection"
	"github.com/tidemark-chat/tidemark/streams/replay"
)

// What one transaction takes, whichever comes first.
const (
	batchEvents = 1000
	batchBytes  = 8 << 20
)

// filler writes records of the log to a store, as a persister does: dense ones in one transaction, so that one begins with each
// hole.
type filler struct {
	store    readmodel.Store
	position readmodel.Position // of the store
	epoch    string
	report   *Report
	bar      *progress.Bar

	batch []projection.Delivery // dense
	bytes int                   // of their content
}

func (f *filler) run(ctx context.Context, js jetstream.JetStream, through uint64) error {
	missing, err := replay.Log(ctx, js, f.position.Offset, through, func(r replay.Record) error { return f.take(ctx, &r) })
	if err == nil {
		err = f.flush(ctx)
	}
	f.report.MissingAtEnd, f.report.Through = missing, f.position.Offset
	return err
}

func (f *filler) take(ctx context.Context, r *replay.Record) error {
	n := len(f.batch)
	if n > 0 && (n == batchEvents || f.bytes >= batchBytes || r.Offset != f.batch[n-1].Offset+1) {
		if err := f.flush(ctx); err != nil {
			return err
		}
	}
	f.bytes += len(r.Content)
	f.batch = append(f.batch, projection.Delivery{
		Offset: r.Offset, At: r.At,
		Stored: readmodel.Stored{Subject: r.Subject, Header: r.Header, Content: r.Content},
	})
	return nil
}

// flush writes what is in hand, unless ctx has ended.
func (f *filler) flush(ctx context.Context) error {
	if len(f.batch) == 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	batch, skipped := projection.Project(f.position, f.epoch, f.batch)
	refused, err := f.store.Append(ctx, batch)
	if err != nil {
		return err
	}
	f.position, f.bytes = batch.Next, 0
	clear(f.batch)
	f.batch = f.batch[:0]
	f.report.Events += uint64(len(batch.Messages) + len(batch.Users) - len(refused))
	f.report.DeadLetters += uint64(len(batch.DeadLetters) + len(refused))
	f.report.Skipped += uint64(skipped.UnknownType + skipped.NewerSchema)
	f.bar.Set(f.position.Offset)
	return nil
}
