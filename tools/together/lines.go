//go:build unix

package main

import (
	"bytes"
	"io"
	"sync"
)

// lines lets several programs write to one place, a whole line at a time.
type lines struct {
	mu  sync.Mutex
	out io.Writer
}

func (l *lines) named(name string) io.Writer {
	return &prefixed{lines: l, prefix: name + " | "}
}

// prefixed is one program's writer, used by one goroutine. A last line without an end is lost, and one longer than 1 MiB
// is cut in two.
type prefixed struct {
	lines  *lines
	prefix string
	rest   []byte
}

func (p *prefixed) Write(b []byte) (int, error) {
	p.rest = append(p.rest, b...)
	for {
		i := bytes.IndexByte(p.rest, '\n')
		switch {
		case i >= 0:
			p.print(p.rest[:i])
			p.rest = p.rest[i+1:]
		case len(p.rest) > 1<<20:
			p.print(p.rest)
			p.rest = nil
		default:
			return len(b), nil
		}
	}
}

func (p *prefixed) print(line []byte) {
	p.lines.mu.Lock()
	defer p.lines.mu.Unlock()
	_, _ = io.WriteString(p.lines.out, p.prefix+string(line)+"\n")
}
