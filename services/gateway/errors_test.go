package gateway

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestAPanicOfAHandlerIsAnErrorInTheLog(t *testing.T) {
	var out bytes.Buffer
	e := httpErrors{slog.New(slog.NewTextHandler(&out, nil))}
	for _, line := range []string{"http: URL query contains semicolon\n", "http: panic serving 127.0.0.1:1: boom\n"} {
		if n, err := e.Write([]byte(line)); n != len(line) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if got := out.String(); strings.Contains(got, "semicolon") || !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "panic serving") {
		t.Error(got)
	}
}
