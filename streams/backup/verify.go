package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/klauspost/compress/s2"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// ErrDamaged is about a file that is not as it was written.
var ErrDamaged = errors.New("the backup is damaged: take another copy of it, or an older one")

// Verify reads a backup to its end: its files are whole, and are those of its manifest. It needs no nats-server.
func Verify(ctx context.Context, dir string, tell Progress) (Manifest, error) {
	m, err := ReadManifest(dir)
	if err != nil {
		return m, err
	}
	if _, ok := m.Streams[eventlog.StreamName]; !ok {
		return m, fmt.Errorf("%s: %w", manifestName, ErrNoLog)
	}
	for _, name := range restoreOrder {
		of, ok := m.Streams[name]
		if !ok {
			continue
		}
		if err := verify(ctx, name, filepath.Join(dir, name), of, tell); err != nil {
			return m, fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
		}
	}
	return m, nil
}

func verify(ctx context.Context, name, dir string, of Stream, tell Progress) error {
	for _, file := range []string{requestName, dataName} {
		f, size, err := open(dir, file)
		if err != nil {
			return err
		}
		digest := sha256.New()
		read := io.TeeReader(&counted{ReadCloser: f, ctx: ctx, tell: func(n uint64) { tell("reading "+name, n, size) }}, digest)
		if file == dataName {
			read = s2.NewReader(read) // its blocks have checksums of nats-server's
		}
		_, err = io.Copy(io.Discard, read)
		f.Close()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return fmt.Errorf("%w (%s: %w)", ErrDamaged, file, err)
		case hex.EncodeToString(digest.Sum(nil)) != of.SHA256[file]:
			return fmt.Errorf("%w (%s is not what was written: its SHA-256 is not that of %s)", ErrDamaged, file, manifestName)
		}
	}
	return nil
}
