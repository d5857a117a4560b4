// Package seldom keeps a log readable when something goes wrong for thousands at once.
package seldom

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// Log writes at most one line a second, and drops the others. The zero value is ready; safe for concurrent use.
type Log struct{ second atomic.Int64 } // Unix time of the last line

// Log writes a line to a logger, if its turn has come.
func (l *Log) Log(to *slog.Logger, level slog.Level, message string, args ...any) {
	now := time.Now().Unix()
	if l.second.Swap(now) != now {
		to.Log(context.Background(), level, message, args...)
	}
}
