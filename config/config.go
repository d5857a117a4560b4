// Package config holds every setting of Tidemark, typed and checked.
//
// A setting stands once: its key, default, kind (what values are allowed) and meaning are one line in the table beside
// the field it fills, and its environment name and flag follow from the key:
//
//	gateway.rateLimit   TIDEMARK_GATEWAY_RATE_LIMIT   --gateway.rate-limit
//
// Values come from defaults, then a file, then the environment, then flags; the later wins. Nothing is guessed: an
// unknown key in the file, an unknown TIDEMARK_ variable or a value out of range is an [Error] that names the key, where
// the value came from and what is allowed.
package config

import "slices"

// Config is all settings of all services. One file or environment may serve every service, so each of them checks all
// of it and uses its own sections.
type Config struct {
	DataDir   string // where a process keeps files; relative to the working directory
	NATS      NATS
	Stream    Stream
	Gateway   Gateway
	Auth      Auth
	Persister Persister
	Notary    Notary
	Database  Database
	Telemetry Telemetry
	Log       Log

	sources map[string]string // by key, for those that are not defaults
	reloads <-chan Config
	takenUp func()
}

// table is every setting, bound to the fields of c, in the order in which they are printed.
func (c *Config) table() []setting {
	return slices.Concat(
		[]setting{set(&c.DataDir, "dataDir", ".data", path(), "directory for the embedded log and the SQLite file")},
		c.NATS.settings(),
		c.Stream.settings(),
		c.Gateway.settings(),
		c.Auth.settings(),
		c.Persister.settings(),
		c.Notary.settings(),
		c.Database.settings(),
		c.Telemetry.settings(),
		c.Log.settings(),
	)
}

// Default is the configuration that no source has touched. Tests start from it and change fields.
func Default() Config {
	var c Config
	for _, s := range c.table() {
		_ = s.parse(s.def) // a test shows that every default is allowed
	}
	return c
}

// Setting is one row of the printed reference. Secrets in Value are masked.
type Setting struct {
	Key     string `json:"key"`
	Env     string `json:"env"`
	Flag    string `json:"flag"`
	Value   string `json:"value"`
	Default string `json:"default"`
	Source  string `json:"source"` // "default", "file <path>", "env <name>" or "flag --<name>"
	Allowed string `json:"allowed"`
	Meaning string `json:"meaning"`
	// Reloadable tells that SIGHUP is enough for another value; otherwise it takes a restart.
	Reloadable bool `json:"reloadable"`
}

// Settings lists the settings that belong to the given sections ("gateway") or keys ("nats.url"); without any, all.
func (c Config) Settings(sections ...string) []Setting {
	var rows []Setting
	for _, s := range c.table() {
		if !s.in(sections) {
			continue
		}
		rows = append(rows, Setting{
			Key: s.key, Env: s.env(), Flag: "--" + s.flag(),
			Value: s.text(), Default: s.def, Source: c.source(s.key),
			Allowed: s.allowed, Meaning: s.meaning, Reloadable: s.live,
		})
	}
	return rows
}

// Invalid is the error of a service that cannot work with the value of key, though the value is well formed: a gateway
// without nats.url, say. It ends the process like any other bad setting.
func (c Config) Invalid(key, reason string) error {
	return &Error{Problems: []Problem{{Key: key, Source: c.source(key), Reason: reason}}}
}

// Reloads brings the settings as they are now each time that they have been read again while the process runs, whether
// one has changed or not: the files that they name may have. Never anything where that is not offered. One consumer takes
// them, and calls TakenUp of those that are in force then; one that is slow gets only the latest.
func (c Config) Reloads() <-chan Config { return c.reloads }

// WithReloads is c with a source of Reloads.
func (c Config) WithReloads(reloads <-chan Config) Config {
	c.reloads = reloads
	return c
}

// TakenUp tells who offered these settings by Reloads that they are in force now. Otherwise they count as refused, and
// the next ones are compared with those before.
func (c Config) TakenUp() {
	if c.takenUp != nil {
		c.takenUp()
	}
}

// OnTakenUp is c with a function that TakenUp calls.
func (c Config) OnTakenUp(f func()) Config {
	c.takenUp = f
	return c
}

func (c Config) source(key string) string {
	if from, ok := c.sources[key]; ok {
		return from
	}
	return "default"
}
