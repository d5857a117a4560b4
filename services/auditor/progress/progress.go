// Package progress shows how far a long reading is: on a terminal a bar with rate and time left, anywhere else a line every
// few seconds, so that a log stays a log.
package progress

import "io"

// Bar is one reading. Set may be called by any one goroutine, as often as it likes.
type Bar struct{}

// Start shows a reading of so many things. w is standard error.
func Start(w io.Writer, title string, total uint64) *Bar { panic("not yet") }

// Set says how much is done. It is cheap: what is shown follows at its own pace.
func (b *Bar) Set(done uint64) { panic("not yet") }

// Stop shows the end and returns when nothing more will be written.
func (b *Bar) Stop() { panic("not yet") }
