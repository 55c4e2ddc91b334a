package main

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestReadSections(t *testing.T) {
	text := "kernels-begin exact\n=== RUN TestExact\n--- PASS\n\nkernels-end exact 0 1.5s\nkernels-begin causes\nhalf a li"
	var told []string
	got, err := readSections(strings.NewReader(text), func(s section) { told = append(told, s.suite) })
	want := []section{
		{"exact", "=== RUN TestExact\n--- PASS\n\n", true, 0, 1500 * time.Millisecond},
		{"causes", "half a li", false, 0, 0},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("sections are\n%+v, %v\nwant\n%+v", got, err, want)
	}
	if !slices.Equal(told, []string{"exact"}) {
		t.Errorf("told of the ends of %v, want exact alone", told)
	}
	if complete(got) || !complete(got[:1]) || complete(nil) {
		t.Errorf("complete is %v, %v, %v, want that the first alone is", complete(got), complete(got[:1]), complete(nil))
	}
}
