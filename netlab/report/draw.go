package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// width is that of every picture, in its own units. All pictures share it, so that text
// of one size has one size everywhere on the page.
const width = 800.0

// fontSize is that of text in pictures, and smallSize that of the numbers in them.
const (
	fontSize  = 14.0
	smallSize = 12.5
)

// picture is one inline SVG. The template draws it, so that html/template escapes all
// text in it.
type picture struct {
	Label  string // what a screen reader says
	Height num
	Shapes []shape
}

// shape is one element of a picture. Kind tells which fields it uses.
type shape struct {
	Kind       string // rect, line, path or text
	Class      string
	X, Y, W, H num    // rect: corner and size; line: from X, Y by W, H; text: X, Y
	D          string // path
	Text       string // text
}

// num is a coordinate. It is printed with one decimal.
type num float64

// String prints the coordinate as SVG wants it.
func (n num) String() string {
	return strconv.FormatFloat(math.Round(float64(n)*10)/10+0, 'f', -1, 64)
}

func (p *picture) rect(class string, x, y, w, h float64) {
	p.Shapes = append(p.Shapes, shape{Kind: "rect", Class: class, X: num(x), Y: num(y), W: num(w), H: num(h)})
}

func (p *picture) line(class string, x1, y1, x2, y2 float64) {
	p.Shapes = append(p.Shapes, shape{Kind: "line", Class: class, X: num(x1), Y: num(y1), W: num(x2), H: num(y2)})
}

func (p *picture) path(class, d string) {
	p.Shapes = append(p.Shapes, shape{Kind: "path", Class: class, D: d})
}

// text draws text that begins at x; the classes mid and end make x its middle or end.
func (p *picture) text(class string, x, y float64, format string, args ...any) {
	p.Shapes = append(p.Shapes, shape{Kind: "text", Class: class, X: num(x), Y: num(y), Text: clean(fmt.Sprintf(format, args...))})
}

// cross draws the mark of a packet that went no further.
func (p *picture) cross(class string, x, y float64) {
	const r = 5
	p.path(class, fmt.Sprintf("M%v %vL%v %vM%v %vL%v %v", num(x-r), num(y-r), num(x+r), num(y+r), num(x-r), num(y+r), num(x+r), num(y-r)))
}

// arrowHead draws a head at the end of a line from x1, y1 to x2, y2.
func (p *picture) arrowHead(class string, x1, y1, x2, y2 float64) {
	const long, wide = 10, 4
	length := math.Hypot(x2-x1, y2-y1)
	if length == 0 {
		return
	}
	dx, dy := (x2-x1)/length, (y2-y1)/length
	bx, by := x2-long*dx, y2-long*dy
	p.path(class, fmt.Sprintf("M%v %vL%v %vL%v %vZ", num(x2), num(y2), num(bx-wide*dy), num(by+wide*dx), num(bx+wide*dy), num(by-wide*dx)))
}

// textWidth estimates how wide text is drawn, rather too wide than too narrow, since
// the reader's font is not known.
func textWidth(text string, size float64) float64 {
	w := 0.0
	for _, r := range text {
		w += runeWidth(r)
	}
	return w * size
}

func runeWidth(r rune) float64 {
	switch {
	case r >= 0x2e80:
		return 1.05
	case strings.ContainsRune("mwMW@%", r):
		return 0.95
	case unicode.IsUpper(r):
		return 0.72
	case unicode.IsDigit(r):
		return 0.64
	case strings.ContainsRune("ijlfrt.,:;'|!()[] ", r):
		return 0.41
	}
	return 0.6
}

// fit cuts text that is wider than room, and says so with an ellipsis.
func fit(text string, room, size float64) string {
	text = clean(text)
	if textWidth(text, size) <= room {
		return text
	}
	w := size // of the ellipsis
	for i, r := range text {
		if w += runeWidth(r) * size; w > room {
			return text[:i] + "…"
		}
	}
	return text
}

// clean makes text one line without control characters, and without those that turn
// the direction of what follows.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf):
			return -1
		}
		return r
	}, text)
}
