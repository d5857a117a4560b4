package transport

import (
	"log/slog"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/seldom"
)

// panics logs panics that cost one connection and not the process.
type panics struct {
	logger *slog.Logger
	seldom seldom.Log
}

func (p *panics) log(reason any, stack []byte) {
	p.seldom.Log(p.logger, slog.LevelError, "panic: a mistake in this program, which closes a connection", "reason", reason, "stack", string(stack))
}
