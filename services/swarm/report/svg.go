package report

import (
	"bytes"
	"fmt"
	"image/color"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// tone is a colour of a chart by what it is for. On the page, which is light or dark, it is the CSS variable of that
// name; until then it stands in the SVG as a colour that nothing else has.
type tone struct {
	css  string
	mark color.RGBA
}

var (
	toneInk   = tone{"--ink", color.RGBA{1, 2, 1, 255}}
	toneMuted = tone{"--muted", color.RGBA{1, 2, 2, 255}}
	toneRule  = tone{"--rule", color.RGBA{1, 2, 3, 255}}
	toneFault = tone{"--fault", color.RGBA{1, 2, 4, 255}}
	toneEdge  = tone{"--fault-edge", color.RGBA{1, 2, 5, 255}}
	tone1     = tone{"--one", color.RGBA{1, 2, 6, 255}}
	tone2     = tone{"--two", color.RGBA{1, 2, 7, 255}}
	tone3     = tone{"--three", color.RGBA{1, 2, 8, 255}}
)

// toCSS puts the variables in the place of the marks.
var toCSS = func() *strings.Replacer {
	var pairs []string
	for _, t := range []tone{toneInk, toneMuted, toneRule, toneFault, toneEdge, tone1, tone2, tone3} {
		pairs = append(pairs, fmt.Sprintf("#%02X%02X%02X", t.mark.R, t.mark.G, t.mark.B), "var("+t.css+")")
	}
	return strings.NewReplacer(pairs...)
}()

// sans is a font of Liberation Sans, by whose widths a chart is laid out.
func sans(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

// safeFonts names fonts of the same widths for where it is missing.
var safeFonts = strings.NewReplacer("font-family:Liberation Sans;", "font-family:Liberation Sans,Arial,Helvetica,sans-serif;")

// style is of a text on a chart.
func style(size vg.Length, c color.Color, x text.XAlignment, y text.YAlignment) text.Style {
	return text.Style{Font: sans(size), Color: c, XAlign: x, YAlign: y, Handler: plot.DefaultTextHandler}
}

// bold is the same in bold, which in golang.org/x/image/font is this weight.
func bold(s text.Style) text.Style {
	s.Font.Weight = 3
	return s
}

// render is the SVG element of what paint paints, without the XML declaration.
func render(width, height vg.Length, paint func(draw.Canvas)) ([]byte, error) {
	canvas := &fitted{Canvas: vgsvg.New(width, height)}
	paint(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("draw chart: %w", err)
	}
	_, svg, _ := strings.Cut(b.String(), "<svg")
	return []byte(canvas.fit(safeFonts.Replace("<svg" + svg))), nil
}

// fitted is a canvas whose texts are as wide as they were laid out, whichever font shows them.
type fitted struct {
	*vgsvg.Canvas
	widths []vg.Length // of the texts, in their order
}

// FillString implements vg.Canvas.
func (f *fitted) FillString(face font.Face, at vg.Point, s string) {
	f.widths = append(f.widths, face.Width(s))
	f.Canvas.FillString(face, at, s)
}

// fit gives the texts of the SVG their widths.
func (f *fitted) fit(svg string) string {
	parts := strings.Split(svg, "<text ") // what is said in a text is escaped
	for i := 1; i < len(parts); i++ {
		if width := f.widths[i-1]; width > 0 {
			parts[i] = fmt.Sprintf(`textLength="%.5g" lengthAdjust="spacingAndGlyphs" `, width.Points()) + parts[i]
		}
	}
	return strings.Join(parts, "<text ")
}
