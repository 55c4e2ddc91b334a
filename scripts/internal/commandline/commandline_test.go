package commandline

import (
	"errors"
	"flag"
	"slices"
	"strings"
	"testing"

	"github.com/rstlab/rstlab/scripts/internal/captured"
)

var fruits = List[string]{All: []string{"apple", "pear", "plum"}, Name: func(s string) string { return s }, Flag: "only", What: "fruits"}

func TestParse(t *testing.T) {
	for _, test := range []struct {
		args string
		want []string
		err  string
	}{
		{"", []string{"apple", "pear", "plum"}, ""},
		{"-only plum,apple -n 2", []string{"plum", "apple"}, ""},
		{"-only plum,fig", nil, `-only names "fig", want some of apple,pear,plum`},
		{"plum", nil, `"plum" is not a flag; fruits are named by -only plum`},
		{"-x", nil, "flag provided but not defined: -x"},
	} {
		flags := flag.NewFlagSet("eat", flag.ContinueOnError)
		flags.Int("n", 1, "how many")
		got, err := fruits.Parse(flags, "eat [-only plum]", "which", strings.Fields(test.args))
		if !slices.Equal(got, test.want) || (err == nil) != (test.err == "") || err != nil && err.Error() != test.err {
			t.Errorf("Parse(%q) = %v, %v, want %v, %q", test.args, got, err, test.want, test.err)
		}
	}
}

func TestHelp(t *testing.T) {
	var err error
	stdout, stderr := captured.Run(t, "", func() {
		_, err = fruits.Parse(flag.NewFlagSet("eat", flag.ContinueOnError), "eat [-only plum]", "`names` of what", []string{"-h"})
	})
	want := "usage: eat [-only plum]\n  -only names\n    \tnames of what (default all: apple,pear,plum)\n"
	if !errors.Is(err, flag.ErrHelp) || stdout != want || stderr != "" {
		t.Errorf("Parse(-h) = %v and prints %q and %q, want %v, %q", err, stdout, stderr, flag.ErrHelp, want)
	}
}
