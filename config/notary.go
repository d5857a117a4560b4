package config

import (
	"strings"
	"time"
)

// Notary is who signs how the log stands. It runs within the persister.
type Notary struct {
	Key      string // path of the secret key; empty: no notary, except in standalone
	Every    int    // events
	Interval time.Duration
	Export   URL // path of a file, or http(s) URL; empty: nowhere
}

func (n *Notary) settings() []setting {
	return []setting{
		set(&n.Key, "notary.key", "", pathOrNone(), "the notary's secret key, a file; empty: no notary (standalone: notary.key in dataDir, made at its first start)"),
		set(&n.Every, "notary.every", "1000", number(1, 4000), "events that one signed checkpoint adds at most"),
		set(&n.Interval, "notary.interval", "10s", duration(time.Second, 24*time.Hour), "how long events wait for their checkpoint at most"),
		set(&n.Export, "notary.export", "", export(), "file to append each checkpoint to, or URL to POST it to; best out of the operator's reach"),
	}
}

// ExportPath is the file that checkpoints are appended to; empty if there is none.
func (n Notary) ExportPath() string {
	if strings.Contains(string(n.Export), "://") {
		return ""
	}
	return string(n.Export)
}

// ExportURL is where checkpoints are POSTed to, secrets included; empty for nowhere.
func (n Notary) ExportURL() string {
	if n.ExportPath() != "" {
		return ""
	}
	return string(n.Export)
}

// export is a path, http://... or https://..., or nothing. A URL may hold a password.
func export() kind[URL] {
	return kind[URL]{
		name: "path|url", allowed: "a path, http://host/path, https://host/path, or nothing", secret: true,
		parse: func(text string) (URL, bool) {
			if !strings.Contains(text, "://") {
				return URL(text), !strings.ContainsRune(text, 0)
			}
			return URL(text), isWeb(text)
		},
		format: URL.String,
	}
}
