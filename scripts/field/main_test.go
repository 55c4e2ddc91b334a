package main

import (
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	all := strings.Join(serverNames(), ",")
	for _, test := range []struct {
		args    string
		servers []string
		err     string
	}{
		{"", serverNames(), ""},
		{"-servers redis,go -json a -markdown b", []string{"redis", "go"}, ""},
		{"-servers redis,mysql", nil, `-servers names "mysql", want some of ` + all},
		{"redis", nil, `"redis" is not a flag; servers are named by -servers redis`},
		{"-port 80", nil, "flag provided but not defined: -port"},
	} {
		o, err := parse(strings.Fields(test.args))
		if (err == nil) != (test.err == "") || err != nil && err.Error() != test.err {
			t.Errorf("parse(%q) fails with %v, want %q", test.args, err, test.err)
			continue
		}
		var names []string
		for _, s := range o.servers {
			names = append(names, s.Name)
		}
		if err == nil && !slices.Equal(names, test.servers) {
			t.Errorf("parse(%q) has servers %v, want %v", test.args, names, test.servers)
		}
		if strings.Contains(test.args, "-json") && (o.json != "a" || o.markdown != "b") {
			t.Errorf("parse(%q) writes to %q and %q", test.args, o.json, o.markdown)
		}
	}
}
