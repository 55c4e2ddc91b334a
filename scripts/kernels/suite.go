package main

import (
	"fmt"
	"slices"
	"strings"
)

// suite is some tests of the binary.
type suite struct {
	Name  string   `json:"name"`
	Tests string   `json:"tests"` // an expression for -test.run
	Args  []string `json:"args"`  // more, for a machine that belongs to the suite alone

	headline string // how the line of its log begins that tells its result
}

// suites in the order in which they run. What a virtual machine is told in addition is
// explained in docs/kernels.md: it is some fifteen times slower, so that it plays fewer
// of the random runs.
var suites = []suite{
	{"exact", "^TestExact", []string{"-random=100", "-witnessed=40"}, "exact: "},
	{"causes", "^TestCauses", []string{"-labelled=20", "-whole-machine"}, "causes: "},
	{"story", "^TestStory$", []string{"-most-clients=400"}, "verdict: "},
}

// arguments are those of the test binary; whole tells that the machine is the suite's.
func (s suite) arguments(whole bool) []string {
	args := []string{"-test.v=test2json", "-test.timeout=5m", "-test.run=" + s.Tests}
	if whole {
		args = append(args, "-test.parallel=1")
		args = append(args, s.Args...)
	}
	return args
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
