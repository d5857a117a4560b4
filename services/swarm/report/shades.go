package report

import (
	"html/template"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/tidemark-chat/tidemark/services/swarm/report/internal/words"
)

// shades paints the spans of faults over the height of a chart, moments as lines.
type shades struct{ spans []span }

// Plot implements plot.Plotter.
func (s shades) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	for _, span := range s.spans {
		from, to := x(span.From), x(span.To)
		if to-from < 1 {
			c.StrokeLine2(draw.LineStyle{Color: toneEdge.mark, Width: 0.75}, from, c.Min.Y, from, c.Max.Y)
			continue
		}
		c.SetColor(toneFault.mark)
		c.Fill(vg.Rectangle{Min: vg.Point{X: from, Y: c.Min.Y}, Max: vg.Point{X: to, Y: c.Max.Y}}.Path())
	}
}

// The strip of names over the charts.
const (
	stripRow  = 15
	stripRows = 12 // at most; what would need more is without a name
	stripName = 40 // characters at most
)

// strip is the faults with their names, those that overlap in rows of their own.
type strip struct {
	spans       []span
	rows        []int // of each span; -1: none is free
	count       int
	scale       vg.Length // of a second
	left, right vg.Length
}

// newStrip finds a row for each span, the first in which there is room for it and its name.
func newStrip(spans []span, end float64, left, right vg.Length) strip {
	s := strip{spans: spans, rows: make([]int, len(spans)), scale: (right - left) / vg.Length(end), left: left, right: right}
	var taken []vg.Length // how far each row is
	for i, span := range spans {
		row := 0
		from, to := s.reach(span)
		for row < len(taken) && taken[row] > from {
			row++
		}
		if row == stripRows {
			s.rows[i] = -1
			continue
		}
		if row == len(taken) {
			taken = append(taken, 0)
		}
		taken[row], s.rows[i] = to+4, row
	}
	s.count = len(taken)
	return s
}

func (s strip) x(at float64) vg.Length { return s.left + vg.Length(at)*s.scale }

// reach is from where to where a span needs its row, with its name, which does not leave the chart.
func (s strip) reach(span span) (from, to vg.Length) {
	need := stripStyle.Width(span.name()) + 8
	from = s.x(span.From)
	to = max(s.x(span.To), from+need)
	if to > s.right {
		return min(from, s.right-need), s.right
	}
	return from, to
}

var stripStyle = style(chartText-1, toneInk.mark, draw.XLeft, draw.YCenter)

// name is what the fault is, and of whom.
func (s span) name() string {
	name := s.Fault.Kind
	if s.Fault.Target != "" {
		name += " " + s.Fault.Target
	}
	return words.Cut(words.Printable(name), stripName)
}

func (s strip) draw() (template.HTML, error) {
	height := vg.Length(s.count)*stripRow + 2
	svg, err := render(chartWidth, height, func(c draw.Canvas) {
		for i, span := range s.spans {
			if s.rows[i] >= 0 {
				s.drawSpan(c, span, height-vg.Length(s.rows[i])*stripRow)
			}
		}
	})
	return onPage(svg), err
}

func (s strip) drawSpan(c draw.Canvas, span span, top vg.Length) {
	from, to, bottom := s.x(span.From), s.x(span.To), top-stripRow+2
	c.SetColor(toneFault.mark)
	c.Fill(vg.Rectangle{Min: vg.Point{X: from, Y: bottom}, Max: vg.Point{X: max(to, from+1), Y: top}}.Path())
	c.StrokeLine2(draw.LineStyle{Color: toneEdge.mark, Width: 1.5}, from, bottom, from, top)
	begin, _ := s.reach(span)
	c.FillText(stripStyle, vg.Point{X: begin + 4, Y: (top + bottom) / 2}, span.name())
}
