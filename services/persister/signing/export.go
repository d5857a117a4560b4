package signing

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// exportRetry is when a checkpoint that could not be handed over is tried again, unless there is a newer one.
const exportRetry = 30 * time.Second

// target is where checkpoints are handed to. A send that takes longer than ctx lasts is cut off, as far as that is possible.
type target interface {
	send(ctx context.Context, checkpoint []byte) error
	close()
}

// target is what the options name; nil for none.
func (o Options) target() target {
	switch {
	case o.ExportPath != "":
		return file(o.ExportPath)
	case o.ExportURL != "":
		return newEndpoint(o.ExportURL)
	}
	return nil
}

// exporter hands checkpoints over, so that whoever takes them holds up nobody but the exporter. It holds one: a newer one
// replaces it, and covers it.
type exporter struct {
	target  target
	metrics *Metrics
	log     *slog.Logger
	next    chan []byte // bound 1
	said    complaint
}

func newExporter(t target, metrics *Metrics, log *slog.Logger) *exporter {
	return &exporter{target: t, metrics: metrics, log: log, next: make(chan []byte, 1)}
}

// start begins to hand over what is offered. stop waits until the last offer is handed over, for stopWait at most.
func (e *exporter) start() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { e.run(ctx) })
	return func() {
		close(e.next)
		timer := time.AfterFunc(stopWait, cancel)
		running.Wait()
		timer.Stop()
		cancel()
		e.target.close()
	}
}

// offer does not block. Only one goroutine may call it, and not after stop.
func (e *exporter) offer(checkpoint []byte) {
	select {
	case <-e.next: // too late for that one
	default:
	}
	e.next <- checkpoint // there is room: nobody else puts anything there
}

func (e *exporter) run(ctx context.Context) {
	var checkpoint []byte
	var retry <-chan time.Time
	for {
		select {
		case newer, ok := <-e.next:
			if !ok {
				return
			}
			checkpoint = newer
		case <-retry:
		}
		retry = nil
		if err := e.target.send(ctx, checkpoint); err != nil {
			e.metrics.exportFailures.Inc()
			e.said.log(e.log, slog.LevelWarn, "a checkpoint could not be exported; the next one covers it", err)
			retry = time.After(exportRetry)
		} else {
			e.said = complaint{}
		}
	}
}
