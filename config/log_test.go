package config

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
)

func TestLoggerWritesTheConfiguredForm(t *testing.T) {
	var out strings.Builder
	log := NewLogger(Log{Level: slog.LevelWarn, Format: "json"}, &out)
	log.Info("hidden")
	log.Warn("seen", "offset", 7)
	var record struct {
		Msg    string
		Offset int
	}
	if err := json.Unmarshal([]byte(out.String()), &record); err != nil || record.Msg != "seen" || record.Offset != 7 {
		t.Errorf("%v: %s", err, out.String())
	}

	out.Reset()
	NewLogger(Default().Log, &out).Info("seen")
	if !strings.Contains(out.String(), "level=INFO msg=seen") {
		t.Error(out.String())
	}
}
