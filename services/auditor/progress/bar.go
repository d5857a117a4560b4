package progress

import (
	"io"

	"github.com/schollz/progressbar/v3"
)

// bar is the view on a terminal:
//
//	replay  30% |███████████                | (1200000/4000000, 310000 events/s) [3s:9s]
type bar struct{ *progressbar.ProgressBar }

func newBar(w io.Writer, title string, total uint64) bar {
	length := int64(total)
	if total == 0 {
		length = -1
	}
	b := progressbar.NewOptions64(length,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(title),
		progressbar.OptionSetItsString("events"),
		progressbar.OptionShowIts(),
		progressbar.OptionShowCount(),
		progressbar.OptionShowTotalBytes(total > 0),
		progressbar.OptionSetElapsedTime(true),
		progressbar.OptionSpinnerType(14),
		progressbar.OptionSetSpinnerChangeInterval(0), // otherwise the library has a goroutine of its own
		progressbar.OptionUseANSICodes(true),
	)
	b.StartWithoutRender()
	return bar{b}
}

// show moves the bar. An error says that it could not be written, or that there is more than there was to be.
func (b bar) show(done uint64) { _ = b.Set64(int64(done)) }

func (b bar) clear() { _ = b.Clear() }

func (b bar) end(uint64) { b.clear() }
