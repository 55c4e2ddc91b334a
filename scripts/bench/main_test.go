package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/rstlab/rstlab/netlab"
)

func TestMain(m *testing.M) {
	runProgram()
	netlab.Main(m, roles...)
}

func TestParse(t *testing.T) {
	all := strings.Join(questionNames(), ",")
	for _, test := range []struct {
		args      string
		questions []string
		err       string
	}{
		{"", questionNames(), ""},
		{"-only truth,held -json a -md b -rounds 7", []string{"truth", "held"}, ""},
		{"-only held,k6", nil, `-only names "k6", want some of ` + all},
		{"held", nil, `"held" is not a flag; questions are named by -only held`},
		{"-rounds 0", nil, "-rounds is 0, want 1 or more"},
		{"-port 80", nil, "flag provided but not defined: -port"},
	} {
		o, err := parse(strings.Fields(test.args))
		if (err == nil) != (test.err == "") || err != nil && err.Error() != test.err {
			t.Errorf("parse(%q) fails with %v, want %q", test.args, err, test.err)
			continue
		}
		var names []string
		for _, q := range o.questions {
			names = append(names, q.name)
		}
		if err == nil && !slices.Equal(names, test.questions) {
			t.Errorf("parse(%q) has questions %v, want %v", test.args, names, test.questions)
		}
		if strings.Contains(test.args, "-json") && (o.json != "a" || o.markdown != "b" || o.rounds != 7) {
			t.Errorf("parse(%q) writes to %q and %q after %d rounds", test.args, o.json, o.markdown, o.rounds)
		}
	}
}
