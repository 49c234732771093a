package notify

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"sync"
	"time"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// The size of a chart in pixels, of which a reader's screen shows two as one.
const (
	chartWidth, chartHeight = 1280, 440
	chartText               = 24 // height of letters
	chartMinBar             = 6
)

// plot is where the values are, between the labels.
var plot = image.Rect(130, 28, chartWidth-190, chartHeight-58)

// The colours of a chart: on white, told apart by brightness and shape too.
var (
	colorText   = color.RGBA{0x49, 0x50, 0x57, 0xff}
	colorGrid   = color.RGBA{0xe9, 0xec, 0xef, 0xff}
	colorFiring = color.RGBA{0xff, 0xf0, 0xf0, 0xff}
	colorBar    = color.RGBA{0xe0, 0x31, 0x31, 0xff}
	colorCalm   = color.RGBA{0xad, 0xb5, 0xbd, 0xff}
	colorUsual  = color.RGBA{0x49, 0x50, 0x57, 0xff}
	colorLimit  = color.RGBA{0x5f, 0x0f, 0x0f, 0xff}
)

// chartFont is Go's own typeface, which comes with the library: digits, Latin
// letters and signs are all that a chart says.
var chartFont = sync.OnceValue(func() *opentype.Font {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		panic(err) // compiled in
	}
	return f
})

// canvas draws one chart.
type canvas struct {
	*image.RGBA
	face    font.Face // of this canvas only: faces are not for several at once
	chart   *Chart
	low, up float64 // values at the bottom and the top of the plot
}

// draw makes the PNG. Times are those of zone.
func (c *Chart) draw(zone *time.Location) []byte {
	face, err := opentype.NewFace(chartFont(), &opentype.FaceOptions{Size: chartText, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		panic(err) // constant options
	}
	defer face.Close()
	cv := &canvas{RGBA: image.NewRGBA(image.Rect(0, 0, chartWidth, chartHeight)), face: face, chart: c}
	cv.fill(cv.Bounds(), color.White)
	cv.fill(image.Rect(cv.x(later(c.FiringFrom, c.From)), plot.Min.Y, cv.x(earlier(c.FiringTo, c.To)), plot.Max.Y), colorFiring)
	cv.values()
	cv.times(zone)
	cv.points()
	var out bytes.Buffer
	if err := png.Encode(&out, cv); err != nil {
		panic(err) // into memory, of a size that PNG can have
	}
	return out.Bytes()
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// x returns where a time is.
func (cv *canvas) x(at time.Time) int {
	c := cv.chart
	share := float64(at.Sub(c.From)) / float64(c.To.Sub(c.From))
	return plot.Min.X + int(math.Round(share*float64(plot.Dx())))
}

// y returns where a value is.
func (cv *canvas) y(v float64) int {
	share := (v - cv.low) / (cv.up - cv.low)
	return plot.Max.Y - int(math.Round(share*float64(plot.Dy())))
}

// values chooses the scale and draws its lines and labels.
func (cv *canvas) values() {
	c := cv.chart
	low, up := 0.0, 0.0
	take := func(v *float64) {
		if v != nil && !math.IsNaN(*v) && !math.IsInf(*v, 0) {
			low, up = min(low, *v), max(up, *v)
		}
	}
	take(c.Limit)
	for i := range c.Points {
		take(&c.Points[i].Value)
		take(c.Points[i].Usual)
	}
	if low == up {
		up = 1
	}
	step := niceStep((up - low) / 4)
	cv.low, cv.up = math.Floor(low/step)*step, math.Ceil((up+(up-low)*0.05)/step)*step
	for n := math.Round(cv.low / step); n*step <= cv.up+step/2; n++ {
		at := cv.y(n * step)
		cv.fill(image.Rect(plot.Min.X, at-1, plot.Max.X, at+1), colorGrid)
		cv.write(c.quantity(n*step), plot.Min.X-14, at+chartText/3, alignRight, colorText)
	}
}

// niceStep is the next of 1, 2 and 5 times a power of ten.
func niceStep(rough float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, times := range []float64{1, 2, 5} {
		if times*unit >= rough {
			return times * unit
		}
	}
	return 10 * unit
}

// times draws the labels of the time axis, at whole parts of the reader's hours.
func (cv *canvas) times(zone *time.Location) {
	c := cv.chart
	step := 10 * time.Minute
	for c.To.Sub(c.From)/step > 7 {
		step *= 2
	}
	from := c.From.In(zone)
	midnight := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, zone)
	for at := midnight.Add(from.Sub(midnight).Truncate(step)); !at.After(c.To); at = at.Add(step) {
		if at.Before(c.From) {
			continue
		}
		cv.fill(image.Rect(cv.x(at)-1, plot.Max.Y, cv.x(at)+1, plot.Max.Y+8), colorCalm)
		cv.write(at.Format("15:04"), cv.x(at), plot.Max.Y+20+chartText, alignCentre, colorText)
	}
	cv.write(c.To.In(zone).Format("MST"), chartWidth-20, plot.Max.Y+20+chartText, alignRight, colorText)
}

// points draws a bar for every minute, what is usual as a dashed line and the
// limit as a solid one, which is in front: it is what the bars are held against.
func (cv *canvas) points() {
	c := cv.chart
	wide := max(4, plot.Dx()/max(1, int(c.To.Sub(c.From)/time.Minute))-6)
	var usual *Point
	for i := range c.Points {
		p := &c.Points[i]
		middle, top, ground := cv.x(p.At.Add(30*time.Second)), cv.y(p.Value), cv.y(max(0, cv.low))
		if top > ground {
			top, ground = ground, top
		}
		tone := colorBar
		if p.Count == 0 {
			tone = colorCalm
		}
		cv.fill(image.Rect(middle-wide/2, min(top, ground-chartMinBar), middle+wide/2, ground).Intersect(plot), tone)
		if p.Usual != nil {
			usual = p
		}
	}
	taken := -chartHeight
	if c.Limit != nil {
		at := cv.y(*c.Limit)
		cv.fill(image.Rect(plot.Min.X, at-2, plot.Max.X, at+2), colorLimit)
		cv.write(c.limit(), plot.Max.X+12, at+chartText/3, alignLeft, colorLimit)
		taken = at
	}
	if usual == nil {
		return
	}
	at := cv.y(*usual.Usual)
	for x := plot.Min.X; x < plot.Max.X; x += 20 {
		cv.fill(image.Rect(x, at-1, min(x+12, plot.Max.X), at+2), colorUsual)
	}
	label := at
	if gap := label - taken; gap >= 0 && gap < chartText {
		label = taken + chartText
	} else if gap < 0 && gap > -chartText {
		label = taken - chartText
	}
	cv.write("~ "+c.quantity(*usual.Usual), plot.Max.X+12, label+chartText/3, alignLeft, colorText)
}

func (cv *canvas) fill(r image.Rectangle, tone color.Color) {
	draw.Draw(cv, r, image.NewUniform(tone), image.Point{}, draw.Src)
}

const (
	alignLeft = iota
	alignCentre
	alignRight
)

// write sets text on a line at x, y.
func (cv *canvas) write(text string, x, y, align int, tone color.Color) {
	d := font.Drawer{Dst: cv, Src: image.NewUniform(tone), Face: cv.face}
	wide := d.MeasureString(text).Round()
	switch align {
	case alignCentre:
		x -= wide / 2
	case alignRight:
		x -= wide
	}
	d.Dot = fixed.P(x, y)
	d.DrawString(text)
}
