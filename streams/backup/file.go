package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"
)

// file is a new file that is on the disk, with its name, when it is closed, and counts and sums up what goes into it.
type file struct {
	*os.File
	digest  hash.Hash
	written uint64
	tell    func(written uint64)
	closed  error
}

func create(dir, name string, tell func(uint64)) (*file, error) {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	return &file{File: f, digest: sha256.New(), tell: tell}, err
}

func (f *file) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	f.digest.Write(p[:n])
	f.written += uint64(n)
	f.tell(f.written)
	return n, err
}

// sum is the SHA-256 of what was written, in hex.
func (f *file) sum() string { return hex.EncodeToString(f.digest.Sum(nil)) }

func (f *file) Close() error {
	f.closed = errors.Join(f.Sync(), f.File.Close(), syncDirectory(filepath.Dir(f.Name())))
	return f.closed
}

func syncDirectory(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// counted tells how much of a file has been read, and ends with ctx.
type counted struct {
	io.ReadCloser
	ctx  context.Context
	read uint64
	tell func(read uint64)
}

func (c *counted) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	n, err := c.ReadCloser.Read(p)
	c.read += uint64(n)
	c.tell(c.read)
	return n, err
}
