package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretsAreMasked(t *testing.T) {
	for in, want := range map[URL]string{
		"":                                        "",
		"nats://a:4222":                           "nats://a:4222",
		"nats://u:hush@a:4222":                    "nats://u:***@a:4222",
		"nats://hush@a":                           "nats://***@a",
		"nats://u:hush@a,tls://hush@b":            "nats://u:***@a,tls://***@b",
		"nats://a,nats://u:hush@b":                "nats://a,nats://u:***@b",
		"postgres://u:hu/s@h@h:5432/d":            "postgres://u:***@h:5432/d",
		"postgres://u:hu,sh@h/d":                  "postgres://u:***@h/d",
		"postgres://h/d?password=hush":            "postgres://h/d?password=***",
		"postgres://h/d?a=b&sslpassword=hush&c=d": "postgres://h/d?a=b&sslpassword=***&c=d",
		"sqlite:tidemark.db":                      "sqlite:tidemark.db",
	} {
		if in.String() != want {
			t.Errorf("%q: %q, want %q", string(in), in, want)
		}
	}
}

func TestSecretsStayOutOfEveryPrintedForm(t *testing.T) {
	c := Default()
	c.NATS.URL = "nats://u:hush@a"
	c.Database.URL = "postgres://u:hush@a/d"
	var out strings.Builder
	slog.New(slog.NewTextHandler(&out, nil)).Info("start", "config", c, "url", c.NATS.URL)
	fmt.Fprintf(&out, "%v %+v %s %q", c, c, c.NATS.URL, c.Database.URL)
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "%s %v", asJSON, c.Settings())
	if strings.Contains(out.String(), "hush") {
		t.Error(out.String())
	}
}
