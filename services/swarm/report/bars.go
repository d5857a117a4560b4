package report

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/tidemark-chat/tidemark/services/swarm/report/internal/words"
)

// Group is what was measured of several servers in one case.
type Group struct {
	Name string // "200 clients"
	Bars []Bar
}

// Bar is one server's figure. A Median that is NaN says that there is none.
type Bar struct {
	Name     string // of the server, the same in each group
	Median   float64
	Min, Max float64 // of the rounds; both equal to Median, or NaN, where there is no range
}

// The layout of bars, in points.
const (
	barsWidth = 720
	barRow    = 20
	barThick  = 13
	groupGap  = 12
	barsHead  = 46
	barsFoot  = 26
	barText   = 11
	valueRoom = 130 // right of the longest bar
	barName   = 48  // characters at most
)

// The colours of a picture that is white wherever it is shown.
var (
	barInk    = color.RGBA{0x1b, 0x1b, 0x1a, 255}
	barMuted  = color.RGBA{0x6b, 0x6a, 0x66, 255}
	barRule   = color.RGBA{0xe3, 0xe2, 0xdd, 255}
	barColors = []color.RGBA{
		{0x2a, 0x78, 0xd6, 255}, {0xeb, 0x83, 0x50, 255}, {0x3d, 0xb3, 0x8a, 255},
		{0x8a, 0x7c, 0xd8, 255}, {0xe0, 0xa8, 0x20, 255}, {0x8c, 0x8b, 0x86, 255},
	}
)

// Bars is an SVG of groups of horizontal bars from 0, each with its figure and, as a whisker, its range, on white. The
// first server has the colour that stands out. The same input gives the same bytes.
func Bars(title, unit string, groups []Group) ([]byte, error) {
	b := bars{title: words.Printable(title), unit: words.Printable(unit), colors: make(map[string]color.RGBA)}
	if err := b.lay(groups); err != nil {
		return nil, fmt.Errorf("draw bars %q: %w", title, err)
	}
	svg, err := render(barsWidth, b.height(), b.draw)
	if err != nil {
		return nil, err
	}
	svg = bytes.Replace(svg, []byte("<svg "), []byte(`<svg role="img" `), 1)
	return svg, nil
}

// bars is a chart that has been laid out.
type bars struct {
	title, unit string
	rows        []barRowOf
	depth       vg.Length // of all rows
	left        vg.Length // where the bars begin
	top         float64   // the largest value
	colors      map[string]color.RGBA
}

// barRowOf is a line of the chart: a bar, or the name of a group.
type barRowOf struct {
	heading string // of a group; empty: this is a bar
	bar     Bar
	y       vg.Length // of its middle, from the first row's top
}

var (
	barTitleStyle = bold(style(barText+3, barInk, draw.XLeft, draw.YTop))
	barUnitStyle  = style(barText, barMuted, draw.XLeft, draw.YTop)
	barGroupStyle = bold(style(barText, barInk, draw.XLeft, draw.YCenter))
	barNameStyle  = style(barText, barInk, draw.XRight, draw.YCenter)
	barValueStyle = style(barText, barInk, draw.XLeft, draw.YCenter)
	barTickStyle  = style(barText-1, barMuted, draw.XCenter, draw.YTop)
)

func (b *bars) lay(groups []Group) error {
	for i, group := range groups {
		if i > 0 {
			b.depth += groupGap
		}
		if group.Name != "" {
			b.add(barRowOf{heading: words.Cut(words.Printable(group.Name), 2*barName)})
		}
		for _, bar := range group.Bars {
			bar.Name = words.Cut(words.Printable(bar.Name), barName)
			if err := b.measure(bar); err != nil {
				return err
			}
			b.add(barRowOf{bar: bar})
		}
	}
	if len(b.colors) == 0 {
		return errors.New("there are none")
	}
	return nil
}

func (b *bars) add(row barRowOf) {
	row.y = b.depth + barRow/2
	b.depth += barRow
	b.rows = append(b.rows, row)
}

// measure makes room for a bar and gives its server a colour.
func (b *bars) measure(bar Bar) error {
	for _, v := range []float64{bar.Median, bar.Min, bar.Max} {
		if math.IsInf(v, 0) || v < 0 {
			return fmt.Errorf("%s: %v cannot be drawn", bar.Name, v)
		}
	}
	if !math.IsNaN(bar.Median) {
		b.top = max(b.top, bar.Median)
		if bar.ranged() {
			b.top = max(b.top, bar.Max)
		}
	}
	b.left = max(b.left, barNameStyle.Width(bar.Name)+28)
	if _, ok := b.colors[bar.Name]; !ok {
		if len(b.colors) == len(barColors) {
			return fmt.Errorf("more than %d servers", len(barColors))
		}
		b.colors[bar.Name] = barColors[len(b.colors)]
	}
	return nil
}

// ranged says whether the bar has a range to show.
func (b Bar) ranged() bool { return b.Min < b.Median || b.Max > b.Median }

// label is the figure in words, with its range.
func (b Bar) label() string {
	if math.IsNaN(b.Median) {
		return "not measured"
	}
	if !b.ranged() {
		return words.Short(b.Median)
	}
	return fmt.Sprintf("%s  (%s – %s)", words.Short(b.Median), words.Short(b.Min), words.Short(b.Max))
}

func (b *bars) height() vg.Length { return barsHead + b.depth + barsFoot }

func (b *bars) draw(c draw.Canvas) {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	c.FillText(barTitleStyle, vg.Point{X: 12, Y: c.Max.Y - 8}, b.title)
	c.FillText(barUnitStyle, vg.Point{X: 12, Y: c.Max.Y - 26}, b.unit)
	b.drawAxis(c)
	for _, row := range b.rows {
		y := c.Max.Y - barsHead - row.y
		if row.heading != "" {
			c.FillText(barGroupStyle, vg.Point{X: 12, Y: y}, row.heading)
			continue
		}
		b.drawBar(c, row.bar, y)
	}
}

// x is where a value ends.
func (b *bars) x(v float64) vg.Length {
	if b.top == 0 {
		return b.left
	}
	return b.left + (barsWidth-valueRoom-b.left)*vg.Length(v/b.top)
}

func (b *bars) drawAxis(c draw.Canvas) {
	ticks, _ := evenTicks(b.top, words.Short)
	for _, tick := range ticks {
		if x := b.x(tick.Value); x < barsWidth-12 {
			c.StrokeLine2(draw.LineStyle{Color: barRule, Width: 0.75}, x, barsFoot, x, barsFoot+b.depth)
			c.FillText(barTickStyle, vg.Point{X: x, Y: barsFoot - 5}, tick.Label)
		}
	}
}

func (b *bars) drawBar(c draw.Canvas, bar Bar, y vg.Length) {
	c.FillText(barNameStyle, vg.Point{X: b.left - 8, Y: y}, bar.Name)
	right := b.left
	if !math.IsNaN(bar.Median) {
		right = b.x(bar.Median)
		c.SetColor(b.colors[bar.Name])
		c.Fill(vg.Rectangle{Min: vg.Point{X: b.left, Y: y - barThick/2}, Max: vg.Point{X: max(right, b.left+1), Y: y + barThick/2}}.Path())
		if bar.ranged() {
			from, to := b.x(bar.Min), b.x(bar.Max)
			whisker := draw.LineStyle{Color: barInk, Width: 1}
			c.StrokeLine2(whisker, from, y, to, y)
			c.StrokeLine2(whisker, from, y-3, from, y+3)
			c.StrokeLine2(whisker, to, y-3, to, y+3)
			right = max(right, to)
		}
	}
	c.FillText(barValueStyle, vg.Point{X: right + 6, Y: y}, bar.label())
}
