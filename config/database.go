package config

import (
	"path/filepath"
	"strings"
)

// Database is the read model's store.
type Database struct {
	URL URL
}

func (d *Database) settings() []setting {
	return []setting{
		set(&d.URL, "database.url", "", databaseURL(), "the read model; empty: the SQLite file tidemark.db in dataDir"),
	}
}

// Driver names an SQL database.
type Driver string

// The databases a read model can be in.
const (
	SQLite   Driver = "sqlite"
	Postgres Driver = "postgres"
)

// Driver is the database that URL asks for.
func (d Database) Driver() Driver {
	if isPostgres(string(d.URL)) {
		return Postgres
	}
	return SQLite
}

// DatabaseSource is what the driver opens: the path of a file for SQLite, the whole URL, secrets included, for
// PostgreSQL.
func (c Config) DatabaseSource() string {
	switch url := string(c.Database.URL); {
	case url == "":
		return filepath.Join(c.DataDir, "tidemark.db")
	case isPostgres(url):
		return url
	default:
		return sqlitePath(url)
	}
}

func isPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

// sqlitePath reads sqlite:path and sqlite://path; a third slash makes it absolute.
func sqlitePath(url string) string {
	return strings.TrimPrefix(strings.TrimPrefix(url, "sqlite:"), "//")
}
