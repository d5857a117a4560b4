package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/jsm.go"
	"github.com/nats-io/jsm.go/api"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// Files of one stream in a backup, as the library names them.
const (
	requestName = "backup.json" // what nats-server is asked with to put it back
	dataName    = "stream.tar.s2"
)

// restoreOrder has the log last: nobody is let in, and nothing is appended, before that is there. So whatever becomes of
// the rest, nobody who was revoked comes in meanwhile.
var restoreOrder = []string{"KV_REVOCATIONS", "KV_SESSIONS", "AUDIT", eventlog.StreamName}

// Restored is what was put back.
type Restored struct {
	Manifest        // of the backup
	Now      string `json:"restoredEpoch"` // of the log that is there now
}

// Restore puts back all streams of a backup with so many replicas, once it has read all of it. Where one of them exists
// nothing is touched. If it fails in between, what was put back stays, and the error names it. It closes the connection
// when ctx ends.
func Restore(ctx context.Context, nc *nats.Conn, dir string, replicas int, tell Progress) (r Restored, err error) {
	if r.Manifest, err = Verify(ctx, dir, tell); err != nil {
		return r, err
	}
	manager, err := jsm.New(nc)
	if err != nil {
		return r, err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return r, err
	}
	ctx, stop := whileConnected(ctx, nc)
	defer stop()
	defer context.AfterFunc(ctx, nc.Close)() // the library (v0.4.1) waits for an hour, whatever becomes of ctx
	if err := nothingThere(manager, r.Manifest); err != nil {
		return r, err
	}
	var made []string
	for _, name := range restoreOrder {
		if _, ok := r.Streams[name]; !ok {
			continue
		}
		if err := restore(ctx, manager, name, filepath.Join(dir, name), replicas, r.Manifest, tell); err != nil {
			err = fmt.Errorf("restore stream %s: %w", name, errors.Join(context.Cause(ctx), err))
			return r, errors.Join(err, leftBehind(append(made, name)))
		}
		made = append(made, name)
	}
	state, err := eventlog.Open(js).State(ctx)
	r.Now = state.Epoch
	return r, err
}

// nothingThere says what exists already of what is to be put back.
func nothingThere(manager *jsm.Manager, m Manifest) error {
	var there []string
	for _, name := range restoreOrder {
		if _, ok := m.Streams[name]; !ok {
			continue
		}
		known, err := manager.IsKnownStream(name)
		if err != nil {
			return fmt.Errorf("look for stream %s: %w", name, err)
		}
		if known {
			there = append(there, name)
		}
	}
	if len(there) > 0 {
		return fmt.Errorf("%s: %w", strings.Join(there, ", "), ErrExists)
	}
	return nil
}

// leftBehind says how an operator gets rid of what a restore that failed has made. The last stream is the one at which it
// failed, which may not be there.
func leftBehind(streams []string) error {
	var commands []string
	for _, name := range streams {
		commands = append(commands, "nats stream rm --force "+name)
	}
	return fmt.Errorf("what was put back before that stays, and would be in the way: before it is tried again remove it as an administrator "+
		"of nats-server, since this user may not (the last one may not be there): %s", strings.Join(commands, "; "))
}

func restore(ctx context.Context, manager *jsm.Manager, name, dir string, replicas int, m Manifest, tell Progress) error {
	request, err := readRequest(dir)
	if err != nil {
		return err
	}
	config := request.Config
	config.Replicas = replicas
	if name == eventlog.StreamName {
		config.AllowAtomicPublish = replicas == 1
		at := time.Now()
		if at.Before(m.At) { // this machine's clock is behind
			at = m.At
		}
		config.Metadata = eventlog.NextEpoch(config.Metadata, at)
	}
	data, size, err := open(dir, dataName)
	if err != nil {
		return err
	}
	asked, _, err := open(dir, requestName)
	if err != nil {
		return errors.Join(err, data.Close())
	}
	data = &counted{ReadCloser: data, tell: func(read uint64) { tell(name, read, size) }, ctx: ctx}
	state, err := manager.RestoreSnapshotFromBuffer(ctx, name, data, asked, jsm.RestoreConfiguration(config)) // closes both
	of := m.Streams[name]
	switch {
	case err != nil:
		return err
	case state.LastSeq != of.Last || state.Msgs != of.Messages:
		return fmt.Errorf("it ends at %d with %d messages; the backup's manifest says %d and %d", state.LastSeq, state.Msgs, of.Last, of.Messages)
	}
	return nil
}

// readRequest reads the configuration and state of a stream when it was copied.
func readRequest(dir string) (request api.JSApiStreamRestoreRequest, err error) {
	text, err := os.ReadFile(filepath.Join(dir, requestName))
	if err != nil {
		return request, err
	}
	return request, json.Unmarshal(text, &request)
}

func open(dir, name string) (f io.ReadCloser, size uint64, err error) {
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	f, err = os.Open(path)
	return f, uint64(info.Size()), err
}
