package report

import (
	"html/template"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/tidemark-chat/tidemark/services/swarm/measure"
	"github.com/tidemark-chat/tidemark/services/swarm/report/internal/words"
)

// The size of a chart, before the page makes it as wide as it is itself.
const (
	chartWidth  = 900
	chartHeight = 150
	chartText   = 11
	// chartPoints is as many as can be told apart on it.
	chartPoints = 900
)

// chart is one picture over the time of the run.
type chart struct {
	Title string
	Lines []line
	power bool // a logarithmic axis of milliseconds; else one from 0
	label func(float64) string
}

// line is one series of a chart. It has a gap where value says that there is none.
type line struct {
	Name  string
	tone  tone
	value func(measure.Point) (v float64, ok bool)
}

// CSS is the variable of the line's colour.
func (l line) CSS() template.CSS { return template.CSS("var(" + l.tone.css + ")") }

// figures are the charts as the page holds them, one below the other with one axis of time.
type figures struct {
	Strip  template.HTML // the faults by name, if there are any
	Charts []figure
}

type figure struct {
	chart
	SVG template.HTML
}

// drawFigures draws the charts with the spans of the faults behind them.
func drawFigures(charts []chart, points []measure.Point, spans []span, end float64) (f figures, err error) {
	points, end = measure.Thin(points, chartPoints), max(end, 1)
	plots := make([]*plot.Plot, len(charts))
	var left vg.Length
	for i, c := range charts {
		if plots[i], err = c.plot(points, spans, end); err != nil {
			return figures{}, err
		}
		left = max(left, place(plots[i], 0).Min.X)
	}
	for i, p := range plots {
		svg, err := render(chartWidth, chartHeight, func(c draw.Canvas) {
			p.Draw(draw.Crop(c, left-place(p, 0).Min.X, 0, 0, 0))
		})
		if err != nil {
			return figures{}, err
		}
		f.Charts = append(f.Charts, figure{charts[i], onPage(svg)})
	}
	if len(spans) > 0 && len(plots) > 0 {
		data := place(plots[0], left-place(plots[0], 0).Min.X)
		f.Strip, err = newStrip(spans, end, data.Min.X, data.Max.X).draw()
	}
	return f, err
}

// place is where the data of a plot is, if it is drawn that far from the left.
func place(p *plot.Plot, left vg.Length) vg.Rectangle {
	return p.DataCanvas(draw.Crop(draw.NewCanvas(nil, chartWidth, chartHeight), left, 0, 0, 0)).Rectangle
}

// onPage is an SVG of ours in the page's colours. What others said in it has been escaped by its writer.
func onPage(svg []byte) template.HTML { return template.HTML(toCSS.Replace(string(svg))) }

func (c chart) plot(points []measure.Point, spans []span, end float64) (*plot.Plot, error) {
	p := emptyPlot(end)
	bottom, top := c.bounds(points)
	if c.power {
		var ticks plot.ConstantTicks
		ticks, p.Y.Min, p.Y.Max = powerTicks(bottom, top)
		p.Y.Tick.Marker, p.Y.Scale = ticks, plot.LogScale{}
	} else {
		var ticks plot.ConstantTicks
		label := c.label
		if label == nil {
			label = words.Short
		}
		ticks, p.Y.Max = evenTicks(top, label)
		p.Y.Min, p.Y.Tick.Marker = 0, ticks
	}
	low, high, right := p.Y.Min, p.Y.Max, p.X.Max
	grid := plotter.NewGrid()
	grid.Vertical.Color = nil
	grid.Horizontal = draw.LineStyle{Color: toneRule.mark, Width: 0.75}
	p.Add(shades{spans}, grid)
	for _, l := range c.Lines {
		if err := l.add(p, points, low); err != nil {
			return nil, err
		}
	}
	// What is added widens the axes to its data, and they are already as they should be.
	p.Y.Min, p.Y.Max, p.X.Min, p.X.Max = low, high, 0, right
	return p, nil
}

// emptyPlot has an axis of time and nothing else.
func emptyPlot(end float64) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Min, p.X.Max = 0, end
	p.X.Tick.Marker = plot.ConstantTicks(timeTicks(p.X.Max))
	p.X.Padding, p.Y.Padding = 0, 0
	p.X.LineStyle = draw.LineStyle{Color: toneMuted.mark, Width: 0.75}
	p.X.Tick.LineStyle = p.X.LineStyle
	p.X.Tick.Length = 6
	p.X.Tick.Label.Font, p.X.Tick.Label.Color = sans(chartText), toneMuted.mark
	p.Y.LineStyle.Width, p.Y.Tick.Length = 0, 0
	p.Y.Tick.Label.Font, p.Y.Tick.Label.Color = sans(chartText), toneMuted.mark
	return p
}

// bounds are the smallest and the largest value of all lines.
func (c chart) bounds(points []measure.Point) (bottom, top float64) {
	bottom = math.Inf(1)
	for _, l := range c.Lines {
		for _, p := range points {
			if v, ok := l.value(p); ok {
				bottom, top = min(bottom, v), max(top, v)
			}
		}
	}
	if math.IsInf(bottom, 1) {
		bottom = 1
	}
	return bottom, top
}

// add draws the line in pieces between its gaps; a piece of one point is a dot.
func (l line) add(p *plot.Plot, points []measure.Point, floor float64) error {
	for _, piece := range l.pieces(points, floor) {
		drawn, dots, err := plotter.NewLinePoints(piece)
		if err != nil {
			return err
		}
		drawn.LineStyle = draw.LineStyle{Color: l.tone.mark, Width: 1.5}
		if len(piece) > 1 {
			p.Add(drawn)
			continue
		}
		dots.GlyphStyle = draw.GlyphStyle{Color: l.tone.mark, Radius: 1.5, Shape: draw.CircleGlyph{}}
		p.Add(dots)
	}
	return nil
}

func (l line) pieces(points []measure.Point, floor float64) (pieces []plotter.XYs) {
	open := false
	for _, p := range points {
		v, ok := l.value(p)
		if ok && !open {
			pieces = append(pieces, nil)
		}
		if open = ok; ok {
			last := &pieces[len(pieces)-1]
			*last = append(*last, plotter.XY{X: p.AtSeconds, Y: max(v, floor)})
		}
	}
	return pieces
}
