package config

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEveryFieldIsFilledByExactlyOneSetting(t *testing.T) {
	before := Default()
	changed := map[string]string{ // a value unlike the default
		"address": "127.0.0.1:9", "rate": "7.5", "true|false": "false", "number": "77", "size": "77KiB", "duration": "7s",
		"path": "elsewhere", "path|url": "https://a.example/b", "file": "config_test.go", "origins": "https://a.example", "1|3|5": "5",
		"debug|info|warn|error": "warn", "text|json": "json", "url": "https://a.example/keys", "text": "anything", "ratio": "0.5",
		"networks": "10.0.0.0/8", "ordered|republish": "republish",
	}
	for i := range before.table() {
		c := Default()
		s := c.table()[i]
		value := changed[s.kind]
		switch s.key {
		case "nats.url":
			value = "nats://a:1"
		case "database.url":
			value = "sqlite:a"
		case "gateway.maxContentBytes":
			value = "7KiB"
		}
		if s.kind == "true|false" && s.def == "false" {
			value = "true"
		}
		if err := s.parse(value); err != nil {
			t.Errorf("%s: %q: %v", s.key, value, err)
		}
		if s.text() != value {
			t.Errorf("%s: %q is printed as %q", s.key, value, s.text())
		}
		if n := differences(reflect.ValueOf(before), reflect.ValueOf(c)); n != 1 {
			t.Errorf("%s fills %d fields", s.key, n)
		}
	}
	if fields := leaves(reflect.TypeFor[Config]()); fields != len(before.table()) {
		t.Errorf("%d fields, %d settings", fields, len(before.table()))
	}
}

func leaves(t reflect.Type) (n int) {
	for f := range fields(t) {
		if f.Type.Kind() == reflect.Struct {
			n += leaves(f.Type)
		} else {
			n++
		}
	}
	return n
}

func differences(a, b reflect.Value) (n int) {
	for f := range fields(a.Type()) {
		x, y := a.FieldByIndex(f.Index), b.FieldByIndex(f.Index)
		if f.Type.Kind() == reflect.Struct {
			n += differences(x, y)
		} else if !reflect.DeepEqual(x.Interface(), y.Interface()) {
			n++
		}
	}
	return n
}

// fields are the exported ones.
func fields(t reflect.Type) func(yield func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() && !yield(f) {
				return
			}
		}
	}
}

func TestEveryDefaultIsAllowedAndPrintedAsItIsWritten(t *testing.T) {
	var c Config
	for _, s := range c.table() {
		if err := s.parse(s.def); err != nil {
			t.Errorf("%s: %q is not %s", s.key, s.def, s.allowed)
		}
		if s.text() != s.def {
			t.Errorf("%s: default %q is printed as %q", s.key, s.def, s.text())
		}
	}
}

func TestDefaults(t *testing.T) {
	c := Default()
	for name, ok := range map[string]bool{
		"dataDir":              c.DataDir == ".data",
		"nats.listen":          c.NATS.Listen == "127.0.0.1:4222",
		"nats.replicas":        c.NATS.Replicas == 1,
		"stream.maxBytes":      c.Stream.MaxBytes == 10<<30,
		"stream.dedupWindow":   c.Stream.DedupWindow == 2*time.Hour,
		"gateway.rateLimit":    c.Gateway.RateLimit == 20,
		"gateway.allowGuests":  c.Gateway.AllowGuests,
		"gateway.corsOrigins":  len(c.Gateway.CORSOrigins) == 0,
		"persister.pinTTL":     c.Persister.PinTTL == 3*time.Second,
		"notary.key":           c.Notary.Key == "",
		"notary.every":         c.Notary.Every == 1000,
		"notary.interval":      c.Notary.Interval == 10*time.Second,
		"database.Driver":      c.Database.Driver() == SQLite,
		"database.url is file": c.DatabaseSource() == ".data/tidemark.db",
	} {
		if !ok {
			t.Errorf("%s is not as documented", name)
		}
	}
}

func TestNamesFollowFromTheKey(t *testing.T) {
	for key, want := range map[string]string{
		"dataDir":             "TIDEMARK_DATA_DIR --data-dir",
		"nats.url":            "TIDEMARK_NATS_URL --nats.url",
		"gateway.rateLimit":   "TIDEMARK_GATEWAY_RATE_LIMIT --gateway.rate-limit",
		"gateway.corsOrigins": "TIDEMARK_GATEWAY_CORS_ORIGINS --gateway.cors-origins",
		"persister.pinTTL":    "TIDEMARK_PERSISTER_PIN_TTL --persister.pin-ttl",
		"database.url":        "TIDEMARK_DATABASE_URL --database.url",
	} {
		rows := Default().Settings(key)
		if len(rows) != 1 || rows[0].Env+" "+rows[0].Flag != want {
			t.Errorf("%s: %+v, want %s", key, rows, want)
		}
	}
}

func TestKeysAreUniqueWhateverTheirCase(t *testing.T) {
	var c Config
	seen := make(map[string]bool)
	for _, s := range c.table() {
		for _, name := range []string{strings.ToLower(s.key), s.env(), "--" + s.flag()} {
			if seen[name] {
				t.Errorf("%s stands for two settings", name)
			}
			seen[name] = true
		}
		if !regexp.MustCompile(`^[a-z]+[a-zA-Z]*(\.[a-z]+[a-zA-Z]*)?$`).MatchString(s.key) || s.meaning == "" {
			t.Errorf("%s: odd key or no meaning", s.key)
		}
	}
}

func TestSettingsAreThoseOfTheSections(t *testing.T) {
	var keys []string
	for _, r := range Default().Settings("log", "dataDir", "nats.url") {
		keys = append(keys, r.Key)
	}
	if want := []string{"dataDir", "nats.url", "log.level", "log.format"}; !slices.Equal(keys, want) {
		t.Errorf("got %v, want %v", keys, want)
	}
	if rows := Default().Settings("nat"); rows != nil {
		t.Errorf("half a name is no section: %v", rows)
	}
}

func TestDatabaseSource(t *testing.T) {
	for _, test := range []struct {
		url    URL
		driver Driver
		source string
	}{
		{"", SQLite, "data/tidemark.db"},
		{"sqlite:a/b.db", SQLite, "a/b.db"},
		{"sqlite:/a/b.db", SQLite, "/a/b.db"},
		{"sqlite://a/b.db", SQLite, "a/b.db"},
		{"sqlite:///a/b.db", SQLite, "/a/b.db"},
		{"postgres://u:p@h/d", Postgres, "postgres://u:p@h/d"},
		{"postgresql:///d?host=/run", Postgres, "postgresql:///d?host=/run"},
	} {
		c := Config{DataDir: "data", Database: Database{URL: test.url}}
		if c.Database.Driver() != test.driver || c.DatabaseSource() != test.source {
			t.Errorf("%q: %s %q", test.url, c.Database.Driver(), c.DatabaseSource())
		}
	}
}
