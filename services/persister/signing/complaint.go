package signing

import (
	"context"
	"log/slog"
	"time"
)

// repeatEvery is how soon the same complaint is made again.
const repeatEvery = 10 * time.Minute

// complaint keeps a log readable while the same thing goes on going wrong. Its zero value is ready; not safe for concurrent use.
type complaint struct {
	text string
	at   time.Time
}

func (c *complaint) log(to *slog.Logger, level slog.Level, message string, err error, args ...any) {
	if text := err.Error(); text != c.text || time.Since(c.at) >= repeatEvery {
		c.text, c.at = text, time.Now()
		to.Log(context.Background(), level, message, append([]any{"error", err}, args...)...)
	}
}
