package main

import (
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	o, err := parse(strings.Fields("-servers redis,go -json a -markdown b"))
	if got := names(o.servers); err != nil || !slices.Equal(got, []string{"redis", "go"}) || o.json != "a" || o.markdown != "b" {
		t.Errorf("parse gives servers %v, files %q and %q, %v, want redis and go, a and b", got, o.json, o.markdown, err)
	}
	if _, err := parse([]string{"redis"}); err == nil || err.Error() != `"redis" is not a flag; servers are named by -servers redis` {
		t.Errorf("a server without the flag gives %v, want what to type", err)
	}
}

func names(of []server) []string {
	list := serverList
	list.All = of
	return list.Names()
}
