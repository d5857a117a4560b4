// Package backup copies the log, and what belongs to it, out of a running nats-server into a directory, and puts it
// back where there is none.
//
//	dir/CHAT/{backup.json,stream.tar.s2}    one folder a stream, as nats-server gives it
//	dir/KV_SESSIONS/...
//	dir/manifest.json                       written last: without it the backup was not finished
//
// A log that is put back is not the log that was lost: offsets that were given out after the backup will be given out
// again. So Restore gives it another epoch, by which clients, gateways, the persister and the notary know.
package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/jsm.go"
	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

const manifestName = "manifest.json"

// Names are the streams that are copied, in this order. The log comes last but for what must be newer than it: signed
// checkpoints must not be ahead of the log they are about, and a revocation must not be lost that came before an event.
var Names = []string{"AUDIT", "KV_SESSIONS", eventlog.StreamName, "KV_REVOCATIONS"}

// Errors of an operator's making.
var (
	ErrNotEmpty   = errors.New("the directory is not empty")
	ErrUnfinished = errors.New("there is no finished backup in the directory: " + manifestName + " is missing")
	ErrExists     = errors.New("exists already, and is never replaced: if it is not needed an administrator of nats-server removes it first (nats stream rm)")
	ErrNoLog      = errors.New("there is no log")
	ErrCut        = errors.New("the connection to nats-server was cut: begin again")
)

// Manifest says what a backup holds.
type Manifest struct {
	At      time.Time         `json:"at"`    // by nats-server's clock, when all was copied
	Epoch   string            `json:"epoch"` // of the log
	Streams map[string]Stream `json:"streams"`
}

// Stream is one stream in a backup.
type Stream struct {
	First    uint64 `json:"first"`
	Last     uint64 `json:"last"`
	Messages uint64 `json:"messages"`
	Bytes    uint64 `json:"bytes"` // in the stream; the file is compressed
	// SHA256 of each of its files, by name, in hex.
	SHA256 map[string]string `json:"sha256"`
}

// Progress is told of bytes copied, compressed as they are; of is 0 where nobody knows how many there will be. Before a
// restore there is "reading CHAT" and so on. It must return at once.
type Progress func(stream string, bytes, of uint64)

// Save copies all streams that there are into a directory, which it makes. There must be a log. What could not be copied
// to its end is removed again.
func Save(ctx context.Context, nc *nats.Conn, dir string, log *eventlog.Log, tell Progress) (m Manifest, err error) {
	if err := mustBeEmpty(dir); err != nil {
		return m, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, remove(dir))
		}
	}()
	state, err := log.State(ctx)
	if err != nil {
		return m, err
	}
	manager, err := jsm.New(nc)
	if err != nil {
		return m, err
	}
	ctx, stop := whileConnected(ctx, nc)
	defer stop()
	m = Manifest{Epoch: state.Epoch, Streams: make(map[string]Stream)}
	for _, name := range Names {
		known, err := manager.IsKnownStream(name)
		if err != nil {
			return m, fmt.Errorf("look for stream %s: %w", name, err)
		}
		if !known {
			continue
		}
		if m.Streams[name], err = save(ctx, manager, name, filepath.Join(dir, name), tell); err != nil {
			return m, fmt.Errorf("back up stream %s: %w", name, err)
		}
	}
	if _, ok := m.Streams[eventlog.StreamName]; !ok {
		return m, ErrNoLog
	}
	if state, err = log.State(ctx); err != nil {
		return m, err
	}
	m.At = state.Now.UTC()
	return m, writeManifest(dir, m)
}

func mustBeEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(dir, manifestName)); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: %w; it holds no finished backup (no %s): if it is what is left of one, it can be removed", dir, ErrNotEmpty, manifestName)
		}
		return fmt.Errorf("%s: %w: it holds a backup", dir, ErrNotEmpty)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// remove removes what was written of a backup into a directory that was empty, and leaves the directory.
func remove(dir string) error {
	var errs []error
	for _, name := range append([]string{manifestName}, Names...) {
		errs = append(errs, os.RemoveAll(filepath.Join(dir, name)))
	}
	return errors.Join(errs...)
}

func save(ctx context.Context, manager *jsm.Manager, name, dir string, tell Progress) (s Stream, err error) {
	stream, err := manager.LoadStream(name)
	if err != nil {
		return s, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return s, err
	}
	data, err := create(dir, dataName, func(written uint64) { tell(name, written, 0) })
	if err != nil {
		return s, err
	}
	request, err := create(dir, requestName, func(uint64) {})
	if err != nil {
		return s, errors.Join(err, data.Close())
	}
	_, err = stream.SnapshotToBuffer(ctx, data, request, jsm.SnapshotHealthCheck())
	// The library (v0.4.1) takes the end of ctx for the end of the stream, and does not look at what closing comes to.
	if err = errors.Join(err, context.Cause(ctx), data.closed, request.closed); err != nil {
		return s, err
	}
	asked, err := readRequest(dir)
	state := asked.State
	return Stream{
		First: state.FirstSeq, Last: state.LastSeq, Messages: state.Msgs, Bytes: state.Bytes,
		SHA256: map[string]string{dataName: data.sum(), requestName: request.sum()},
	}, err
}

// ReadManifest reads what a backup holds.
func ReadManifest(dir string) (m Manifest, err error) {
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("%s: %w", dir, ErrUnfinished)
	}
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%s: %w", manifestName, err)
	}
	return m, nil
}

func writeManifest(dir string, m Manifest) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	f, err := create(dir, manifestName, func(uint64) {})
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	return errors.Join(err, f.Close())
}
