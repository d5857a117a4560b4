package config

import (
	"io"
	"log/slog"
)

// Log is what a process says about itself.
type Log struct {
	Level  slog.Level
	Format string // "text" or "json"
}

func (l *Log) settings() []setting {
	levels := oneOf(slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError)
	return []setting{
		set(&l.Level, "log.level", "info", levels, "least severe record that is written").reloadable(),
		set(&l.Format, "log.format", "text", oneOf("text", "json"), "form of a record"),
	}
}

// NewLogger writes to w in the configured form.
func NewLogger(l Log, w io.Writer) *slog.Logger { return NewLoggerFrom(l, w, l.Level) }

// NewLoggerFrom is NewLogger with another level, which may change while it writes.
func NewLoggerFrom(l Log, w io.Writer, level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
