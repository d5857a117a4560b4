package config

import (
	"testing"
	"time"
)

// values are checked by key, so that the ranges of the real settings are pinned.
func TestWhatIsAllowed(t *testing.T) {
	for key, test := range map[string]struct{ good, bad []string }{
		"gateway.listen": {
			[]string{"127.0.0.1:3000", ":3000", "0.0.0.0:0", "[::1]:65535", "chat.example.com:80", " :80 "},
			[]string{"", "3000", "localhost", "a:b", "a:65536", "a:-1", "::1:80", "http://a:80", "off", "a b:1", "u@h:1"},
		},
		"nats.listen":             {[]string{"off", "127.0.0.1:4222"}, []string{"", "no", "OFF", "4222"}},
		"nats.url":                {[]string{"", "nats://a", "tls://a:1,nats://u:p@b:2", "wss://a/"}, []string{"a:4222", "http://a", "nats://", "nats://a,", ",", "nats://a b"}},
		"nats.credentials":        {[]string{"", "kind_test.go"}, []string{"missing.creds", "."}},
		"nats.replicas":           {[]string{"1", "3", "5"}, []string{"", "0", "2", "-1", "1.0"}},
		"stream.maxBytes":         {[]string{"64KiB", "10GiB", "65536", "1TiB", "65536B", "64 KiB"}, []string{"", "0", "1", "-1GiB", "10GB", "1.5GiB", "GiB", "10gib", "9999999999TiB"}},
		"stream.dedupWindow":      {[]string{"100ms", "2h", "24h", "1h30m"}, []string{"", "0", "99ms", "24h1s", "-2h", "7200", "2d"}},
		"gateway.rateLimit":       {[]string{"20", "0.5", "off", "1000000"}, []string{"", "0", "-5", "NaN", "Inf", "+Inf", "1e9", "ten"}},
		"gateway.allowGuests":     {[]string{"true", "false"}, []string{"", "yes", "1", "TRUE"}},
		"gateway.maxContentBytes": {[]string{"1", "16KiB", "48KiB"}, []string{"0", "49KiB", "64KiB", "-1"}},
		"gateway.corsOrigins": {
			[]string{"", "*", "https://a.example", "http://localhost:8080, https://b.example"},
			[]string{"a.example", "https://a.example/", "https://a.example/x", "*,https://a.example", "https://", "https://a.example,", "https://u@a.example"},
		},
		"gateway.operations": {[]string{"off", "127.0.0.1:0"}, []string{"", "on"}},
		"gateway.feed":       {[]string{"ordered", "republish"}, []string{"", "ORDERED", "core"}},
		"gateway.userLimit":  {[]string{"off", "1", "1000000"}, []string{"", "0", "-1", "1000001", "1.5"}},
		"gateway.trustedProxies": {
			[]string{"", "10.0.0.0/8", "127.0.0.1, ::1/128,10.1.2.3/8"},
			[]string{"localhost", "10.0.0.0/33", "10.0.0.0/8,", "fe80::1%eth0", "10.0.0.0:80"},
		},
		"auth.jwks":              {[]string{"", "https://id.example/keys", "http://u:p@h:1/x?y"}, []string{"id.example", "file:///x", "https://", "/keys.json"}},
		"auth.leeway":            {[]string{"0s", "5m"}, []string{"", "-1s", "6m"}},
		"auth.issuer":            {[]string{"", "https://id.example/"}, []string{"a\x00"}},
		"telemetry.ratio":        {[]string{"0", "1", "0.01"}, []string{"", "-0.1", "1.1", "NaN", "half"}},
		"gateway.warmEvents":     {[]string{"0", "100000"}, []string{"", "-1", "1.5", "1e3"}},
		"gateway.catchUpWorkers": {[]string{"1", "8"}, []string{"0", "-1", "100000"}},
		"gateway.stallTimeout":   {[]string{"30s"}, []string{"0s", "-1s", "30"}},
		"gateway.sendBudget":     {[]string{"64KiB"}, []string{"63KiB"}},
		"persister.batchSize":    {[]string{"1", "1000"}, []string{"0", "-1"}},
		"database.url": {
			[]string{"", "sqlite:x.db", "sqlite:///x/y.db", "postgres://u:p@h:5432/d?sslmode=disable"},
			[]string{"x.db", "sqlite:", "sqlite://", "sqlite:x?mode=memory", "mysql://h/d", "postgres:h", "postgres://h:port/d"},
		},
		"dataDir":    {[]string{".data", "/var/lib/tidemark"}, []string{"", " ", "a\x00b"}},
		"log.level":  {[]string{"debug", "info", "warn", "error"}, []string{"", "trace", "INFO", "warning"}},
		"log.format": {[]string{"text", "json"}, []string{"", "xml"}},
	} {
		var c Config
		for _, s := range c.table() {
			if s.key != key {
				continue
			}
			for _, text := range test.good {
				if s.parse(text) != nil {
					t.Errorf("%s refuses %q", key, text)
				}
			}
			for _, text := range test.bad {
				if s.parse(text) == nil {
					t.Errorf("%s takes %q", key, text)
				}
			}
		}
	}
}

func TestARefusedValueLeavesTheFieldAlone(t *testing.T) {
	c := Default()
	for _, s := range c.table() {
		_ = s.parse("\x00")
	}
	if n := c.Gateway.RateLimit; n != 20 {
		t.Errorf("rate is %v", n)
	}
}

func TestSizesArePrintedInTheLargestUnitThatDividesThem(t *testing.T) {
	for size, want := range map[Size]string{
		0: "0B", 1: "1B", 1000: "1000B", KiB: "1KiB", 1536: "1536B", 10 * GiB: "10GiB", 2 * TiB: "2TiB", MiB + KiB: "1025KiB",
	} {
		if size.String() != want {
			t.Errorf("%d: %s, want %s", int64(size), size, want)
		}
	}
}

func TestDurationsArePrintedWithoutZeroUnits(t *testing.T) {
	for d, want := range map[time.Duration]string{
		2 * time.Hour: "2h", 90 * time.Minute: "1h30m", time.Hour + time.Second: "1h0m1s", 30 * time.Second: "30s",
		10 * time.Minute: "10m", 100 * time.Millisecond: "100ms", 20*time.Hour + 10*time.Minute: "20h10m",
	} {
		if short(d) != want {
			t.Errorf("%v: %s, want %s", d, short(d), want)
		}
	}
}

func FuzzSizeSurvivesPrinting(f *testing.F) {
	for _, text := range []string{"0", "16KiB", "10GiB", "8388607TiB", "-1", "B"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		size, err := ParseSize(text)
		if err != nil {
			return
		}
		again, err := ParseSize(size.String())
		if err != nil || again != size || size < 0 {
			t.Errorf("%q: %d, printed %q, read %d, %v", text, int64(size), size, int64(again), err)
		}
	})
}
