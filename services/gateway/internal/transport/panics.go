package transport

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// panics logs panics that cost one connection and not the process: at most one a
// second, as what is wrong for one is wrong for many.
type panics struct {
	logger *slog.Logger
	second atomic.Int64 // Unix time of the last line
}

func (p *panics) log(reason any, stack []byte) {
	now := time.Now().Unix()
	if p.second.Swap(now) != now {
		p.logger.Error("panic: a mistake in this program, which closes a connection", "reason", reason, "stack", string(stack))
	}
}
