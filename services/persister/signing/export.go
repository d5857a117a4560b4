package signing

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// exportRetry is when a checkpoint that could not be handed over is tried again, unless there is a newer one.
const exportRetry = 30 * time.Second

// stopGrace is how long an export that was told to end may take to do so.
const stopGrace = time.Second

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

// CheckExport says what is wrong with ExportPath for good, as far as that shows before there is something to export. Its
// directory has to be there: the first that would be said of it otherwise is that a checkpoint could not be exported, perhaps
// days later.
func (o Options) CheckExport() error {
	if o.ExportPath == "" {
		return nil
	}
	dir := filepath.Dir(o.ExportPath)
	if info, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return fmt.Errorf("there is no directory %s: make it, or mount it, before the persister starts", dir)
	}
	return file(o.ExportPath).check()
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

// start begins to hand over what is offered. stop waits until the last offer is handed over, for stopWait at most, and then a
// little for what was cut off. A write to a file cannot be cut off (its disk may hang): that is left to end with the process.
func (e *exporter) start() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		e.run(ctx)
	}()
	return func() {
		close(e.next)
		defer e.target.close()
		defer cancel()
		timer := time.AfterFunc(stopWait, cancel)
		defer timer.Stop()
		select {
		case <-ended:
		case <-time.After(stopWait + stopGrace):
			e.log.Warn("the export of a checkpoint hangs, not waiting for it")
		}
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
