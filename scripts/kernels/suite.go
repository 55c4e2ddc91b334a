package main

import (
	"fmt"
	"slices"
	"strings"
)

// suite is some tests of the binary.
type suite struct {
	Name string   `json:"name"`
	Args []string `json:"args"` // of the test binary, in a virtual machine

	tests    string   // an expression for -test.run
	whole    []string // more arguments, where the machine is the suite's alone
	fewer    []string // and where it is emulated: fewer of what there are many
	headline string   // how the line of its log begins that tells its result
	until    string   // where what is of interest in it ends
}

// suites in the order in which they run.
var suites = []suite{
	{
		Name: "exact", tests: "^TestExact", fewer: []string{"-grid=500", "-random=100", "-witnessed=43"},
		headline: "exact: ", until: " in ",
	},
	{
		Name: "causes", tests: "^TestCauses", whole: []string{"-whole-machine"}, fewer: []string{"-labelled=20"},
		headline: "causes: ", until: "\n",
	},
	{
		Name: "story", tests: "^TestStory$", fewer: []string{"-most-clients=400"},
		headline: "verdict: the handshake RST ", until: " into",
	},
}

// here are the arguments of the test binary on this machine.
func (s suite) here() []string {
	return []string{"-test.v=test2json", "-test.timeout=5m", "-test.run=" + s.tests}
}

// inMachine gives a suite the arguments that it has in a virtual machine. An emulated
// one has one CPU, so it plays one test after the other; waiting costs it nothing.
func (s suite) inMachine(emulated, full bool) suite {
	s.Args = append(s.here(), s.whole...)
	if emulated {
		s.Args = append(s.Args, "-test.parallel=1")
	}
	if emulated && !full {
		s.Args = append(s.Args, s.fewer...)
	}
	return s
}

// chooseSuites finds suites by their names.
func chooseSuites(names []string) ([]suite, error) {
	var chosen []suite
	for _, name := range names {
		i := slices.IndexFunc(suites, func(s suite) bool { return s.Name == name })
		if i < 0 {
			var all []string
			for _, s := range suites {
				all = append(all, s.Name)
			}
			return nil, fmt.Errorf("there is no suite %q; choose from %s", name, strings.Join(all, ","))
		}
		chosen = append(chosen, suites[i])
	}
	return chosen, nil
}
