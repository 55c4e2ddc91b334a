package report

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// scale maps values from From..To to positions from Start..End.
type scale struct{ From, To, Start, End float64 }

func (s scale) at(v float64) float64 {
	if s.To == s.From {
		return s.Start
	}
	return s.Start + (v-s.From)/(s.To-s.From)*(s.End-s.Start)
}

// inside tells whether v lies within the scale.
func (s scale) inside(v float64) bool { return v >= s.From && v <= s.To }

// ticks are round values within the scale, about as many as asked for.
func (s scale) ticks(about int) []float64 {
	if s.To <= s.From {
		return []float64{s.From}
	}
	step := roundUp((s.To - s.From) / float64(about))
	var all []float64
	for i := math.Ceil(s.From / step); i*step <= s.To+step*1e-9; i++ {
		all = append(all, i*step)
	}
	return all
}

// roundUp is the next number of the shape 1, 2 or 5 times a power of ten, v or more;
// v is positive.
func roundUp(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{1, 2, 5} {
		if v <= f*power*(1+1e-9) {
			return f * power
		}
	}
	return 10 * power
}

// span prints a duration with three digits that count: "0.42 ms", "51.2 ms", "1.05 s".
func span(d time.Duration) string {
	switch a := d.Abs(); {
	case d == 0:
		return "0"
	case a < time.Millisecond:
		return digits(float64(d)/1e3) + " µs"
	case a < time.Second:
		return digits(float64(d)/1e6) + " ms"
	}
	return digits(float64(d)/1e9) + " s"
}

// exactSpan prints a duration in milliseconds to the microsecond, for packets that follow
// one another closely, also long after the start.
func exactSpan(d time.Duration) string {
	return strconv.FormatFloat(float64(d)/1e6, 'f', 3, 64) + " ms"
}

func digits(v float64) string {
	decimals := 2
	switch {
	case math.Abs(v) >= 100:
		decimals = 0
	case math.Abs(v) >= 10:
		decimals = 1
	}
	f, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'f', decimals, 64), 64)
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// tickSpan prints the value of a tick in one unit for the whole axis.
func tickSpan(v, to float64) string {
	unit, name := 1e9, "s"
	switch {
	case to < 1e6:
		unit, name = 1e3, "µs"
	case to < 1e9:
		unit, name = 1e6, "ms"
	}
	return fmt.Sprintf("%s %s", strconv.FormatFloat(math.Round(v/unit*1e6)/1e6, 'f', -1, 64), name)
}
