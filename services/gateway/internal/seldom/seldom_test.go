package seldom

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestThereIsOneLineASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // in which time.Sleep costs no time
		var out bytes.Buffer
		var l Log
		log := slog.New(slog.NewTextHandler(&out, nil))
		for second := range 3 {
			l.Log(log, slog.LevelWarn, "one", "error", "a")
			l.Log(log, slog.LevelError, "two")
			if n := strings.Count(out.String(), "\n"); n != second+1 {
				t.Errorf("%d lines in %d seconds", n, second+1)
			}
			time.Sleep(time.Second)
		}
		if text := out.String(); strings.Contains(text, "two") || !strings.Contains(text, "level=WARN msg=one error=a") {
			t.Error(text)
		}
	})
}
