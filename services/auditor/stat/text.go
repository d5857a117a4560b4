package stat

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/tidemark-chat/tidemark/services/auditor/progress"
	"github.com/tidemark-chat/tidemark/services/auditor/render"
)

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	var out bytes.Buffer
	r.summary(&out)
	section(&out, "by type", len(r.Types), 0)
	for _, t := range r.Types {
		row(&out, render.Visible(string(t.Name)), t.Events, "")
	}
	unit, bars := chart(r.Days)
	section(&out, "by "+unit+" (UTC)", len(r.Days), 0)
	for _, line := range lines(unit, bars) {
		fmt.Fprintln(&out, line)
	}
	section(&out, "by room", len(r.Rooms.Top), r.Rooms.Count)
	for _, room := range r.Rooms.Top {
		row(&out, "#"+render.Name(room.Name), room.Events, humanize.IBytes(room.Bytes))
	}
	section(&out, "by direct conversation", len(r.Direct.Top), r.Direct.Count)
	for _, p := range r.Direct.Top {
		row(&out, p.Users[0].label()+", "+p.Users[1].label(), p.Events, humanize.IBytes(p.Bytes))
	}
	r.senders(&out)
	_, err := w.Write(out.Bytes())
	return err
}

func (r *Report) summary(w io.Writer) {
	log := "empty"
	if r.Log.Last >= r.Log.First {
		log = fmt.Sprintf("offsets %s to %s, %s, epoch %s", progress.Count(r.Log.First), progress.Count(r.Log.Last), humanize.IBytes(r.Log.Bytes), r.Log.Epoch)
	}
	line(w, "log", log)
	line(w, "persister", r.ReadModel.text())
	line(w, "signed", r.Signed.text())
	line(w, "events", progress.Count(r.Events))
	if r.Events > 0 {
		line(w, "first", r.First.text())
		line(w, "last", r.Last.text())
	}
	if r.Newer > 0 {
		line(w, "unchecked", progress.Count(r.Newer)+" of the events, of newer schemas than this auditor knows")
	}
	line(w, "damaged", progress.Count(r.Damaged))
	line(w, "missing", progress.Count(r.Missing))
	line(w, "contents", fmt.Sprintf("%s in all, half are up to %s, 99 %% up to %s, the largest %s",
		humanize.IBytes(r.Content.Total), humanize.IBytes(r.Content.P50), humanize.IBytes(r.Content.P99), humanize.IBytes(r.Content.Max)))
}

func (r *Report) senders(w io.Writer) {
	section(w, "by sender", len(r.Senders.Top), r.Senders.Count)
	for _, s := range r.Senders.Top {
		row(w, s.label(), s.Events, humanize.IBytes(s.Bytes))
	}
	if g := r.Senders.Guests; g.Events > 0 {
		row(w, "(guests)", g.Events, humanize.IBytes(g.Bytes))
	}
}

func line(w io.Writer, name, text string) { fmt.Fprintf(w, "%-10s %s\n", name, text) }

// section begins a list of which some are shown.
func section(w io.Writer, title string, shown, all int) {
	if shown < all {
		title += fmt.Sprintf(", the first %s of %s", progress.Count(uint64(shown)), progress.Count(uint64(all)))
	}
	fmt.Fprintf(w, "\n%s\n", title)
	if shown == 0 {
		fmt.Fprintln(w, "  none")
	}
}

func row(w io.Writer, name string, events uint64, bytes string) {
	text := fmt.Sprintf("  %12s", progress.Count(events))
	if bytes != "" {
		text += fmt.Sprintf("  %9s", bytes)
	}
	fmt.Fprintf(w, "%s  %s\n", text, name)
}

// label is a user for people. Names need not be unique.
func (u User) label() string {
	if u.Name == "" {
		return render.Name(u.ID)
	}
	return render.Name(u.Name) + " (" + render.Name(u.ID) + ")"
}

func (m *Moment) text() string {
	return fmt.Sprintf("offset %s, %s", progress.Count(m.Offset), m.At.UTC().Format(time.RFC3339))
}

func (p Progress) text() string {
	if !p.Known {
		return render.Visible(p.Reason)
	}
	text := fmt.Sprintf("up to offset %s", progress.Count(p.Offset))
	if p.At != nil {
		text += ", " + p.At.Format(time.RFC3339)
	}
	return text + fmt.Sprintf(", %s behind", progress.Count(p.Behind))
}
