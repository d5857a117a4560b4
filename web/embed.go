// Package web holds the built web client, so that a gateway's binary serves it without a file beside it.
//
// The client is TypeScript, and git does not hold what is built of it. Before the gateway is compiled, run in this
// folder
//
//	npm ci && npm run build
//
// which fills dist:
//
//	index.html, assets/    the page for GET /; assets carry a hash of their content in the name
//	log.html               the page for GET /log, where a gateway shows its log
//	socket.io/             the official client for browsers, for GET /socket.io/socket.io.js and its siblings
//
// A checkout without that step still compiles: dist then holds nothing but .gitkeep, and [Built] says so.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Dist returns the built client with dist as its root. It is read-only, and the same for every caller.
func Dist() fs.FS {
	root, _ := fs.Sub(dist, "dist") // fails for an invalid path only
	return root
}

// Built reports whether the client was built before this package was compiled.
func Built() bool {
	info, err := fs.Stat(Dist(), "index.html")
	return err == nil && info.Mode().IsRegular()
}
