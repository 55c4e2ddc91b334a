package report

import (
	"fmt"
	"strings"
)

// steps is the path of a value that stays until it changes. The zero value is an empty
// line.
type steps struct {
	base float64 // the lower edge of an area; zero: a line

	d    strings.Builder
	down bool    // the pen is down
	x    float64 // where it is
}

// String is the path as SVG wants it.
func (s *steps) String() string { return s.d.String() }

// to goes right to x, and there to y.
func (s *steps) to(x, y float64) {
	switch {
	case s.down:
		fmt.Fprintf(&s.d, "H%vV%v", num(x), num(y))
	case s.base > 0:
		fmt.Fprintf(&s.d, "M%v %vV%v", num(x), num(s.base), num(y))
	default:
		fmt.Fprintf(&s.d, "M%v %v", num(x), num(y))
	}
	s.down, s.x = true, x
}

// lift goes right to x, closes an area and lifts the pen.
func (s *steps) lift(x float64) {
	if !s.down {
		return
	}
	if x > s.x {
		fmt.Fprintf(&s.d, "H%v", num(x))
	}
	if s.base > 0 {
		fmt.Fprintf(&s.d, "V%vZ", num(s.base))
	}
	s.down = false
}
