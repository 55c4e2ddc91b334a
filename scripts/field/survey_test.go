package main

import (
	"errors"
	"io/fs"
	"reflect"
	"strings"
	"testing"

	"github.com/rstlab/rstlab/netlab"
	"github.com/rstlab/rstlab/netlab/scenario"
	"github.com/rstlab/rstlab/scripts/internal/captured"
)

func TestMain(m *testing.M) { netlab.Main(m, netlab.Role{Name: goRole, Run: serveGo}) }

// needSomaxconn skips the test where a lab cannot be had, or none whose somaxconn can be
// set: before 6.2 a user namespace does not show it.
func needSomaxconn(t *testing.T) {
	t.Helper()
	_, host := netlab.New(t).Pair()
	if _, err := host.ReadSysctl("net.core.somaxconn"); errors.Is(err, fs.ErrNotExist) {
		t.Skip(err)
	}
}

// rowOf is what a server's row has to be, all of it, if it gets this limit.
func rowOf(name string, backlog uint32, limit, room int) Row {
	fits := limit + 1
	oneMore := OneMore{fits, []uint32{uint32(fits)}, fates(fits, scenario.SYNDropped, 1), fits + 1, 1}
	return Row{
		Server: name, Listeners: 1, Backlog: backlog, AsksForMost: backlog == wideSomaxconn, Limit: uint32(limit), PredictedBurst: fits,
		AbortOff: Beyond{oneMore, &UnderWay{2 * room, fates(fits, scenario.Kept, room), fits + room}},
		AbortOn:  Beyond{oneMore, &UnderWay{2 * room, fates(fits, scenario.Reset, room), fits}},
	}
}

func fates(queued int, fate scenario.Fate, n int) scenario.Fates {
	all := scenario.CountFates(nil)
	all[scenario.Queued], all[fate] = queued, n
	return all
}

func TestSurvey(t *testing.T) {
	for _, test := range []struct {
		name string
		want Row
	}{
		{"python", rowOf("python", 5, 5, 2)},
		{"go", rowOf("go", wideSomaxconn, 4096, 16)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			needSomaxconn(t)
			c, ok := calibrate()
			if !ok {
				t.Fatal("the kernel could not be calibrated; why is said above")
			}
			asked, err := serverList.Named([]string{test.name})
			if err != nil {
				t.Fatal(err)
			}
			executable, missing := asked[0].find()
			if missing != "" {
				t.Skip(missing)
			}
			got, ok := survey(asked[0], executable, c)
			if !ok {
				t.Fatal("it could not be measured; why is said above")
			}
			got.Version = ""
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("measured\n%+v, under way %+v and %+v\nwant\n%+v, under way %+v and %+v",
					got, got.AbortOff.UnderWay, got.AbortOn.UnderWay, test.want, test.want.AbortOff.UnderWay, test.want.AbortOn.UnderWay)
			}
		})
	}
}

// A server that ends is named, with what it said.
func TestSurveyOfABrokenServer(t *testing.T) {
	needSomaxconn(t)
	broken := server{Name: "broken", Program: "/bin/sh", Args: []string{"@PROGRAM@", "-c", "echo port @PORT@ is taken; exit 3"}}
	var ok bool
	_, stderr := captured.Run(t, "", func() { _, ok = survey(broken, "/bin/sh", scenario.Modern) })
	want := "field: broken: it ended before it listened: exit status 3; it printed last:\nserver/sh: port 8080 is taken\n"
	if ok || stderr != want {
		t.Errorf("survey() = %v and says %q, want false and %q", ok, stderr, want)
	}
}

func TestCommonLimit(t *testing.T) {
	if got, err := commonLimit([]netlab.AcceptQueue{{Limit: 5}, {Limit: 5}}); got != 5 || err != nil {
		t.Errorf("commonLimit() = %d, %v, want 5", got, err)
	}
	if _, err := commonLimit([]netlab.AcceptQueue{{Limit: 5}, {Limit: 6}}); err == nil || !strings.Contains(err.Error(), "different limits") {
		t.Errorf("commonLimit() of 5 and 6 = %v, want that they are different", err)
	}
}

func TestTail(t *testing.T) {
	log := &tail{}
	if got := log.String(); got != "; it printed last:\nnothing" {
		t.Errorf("an empty log is %q", got)
	}
	for range tailBytes {
		if n, err := log.Write([]byte("ab")); n != 2 || err != nil {
			t.Fatalf("Write() = %d, %v", n, err)
		}
	}
	if want := "; it printed last:\n" + strings.Repeat("ab", tailBytes/2); log.String() != want {
		t.Errorf("the log is\n%s\nwant the last %d bytes", log, tailBytes)
	}
}
