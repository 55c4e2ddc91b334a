// Command hygiene shows that the suite leaves nothing behind on the machine.
//
//	go run ./scripts/hygiene [-kills 50] [-seed N]
//
// It builds the binary of ./tests, plays the whole story and compares the machine
// before and after: sysctls, interfaces, addresses, routes, rules, mounts, packet
// filter, named network namespaces and control groups. Then it starts the story, and in
// turn with it the test that makes control groups, again and again and kills it with
// SIGKILL at random moments, each time waiting for the last process to be gone and
// comparing again. Run as root it does all of it twice, the second time as an
// unprivileged user, who can make no control group.
//
// The exit status is 1 if anything was left behind, with one line for each thing.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	kills := flag.Int("kills", 50, "how many runs to kill, for each user")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the random moments")
	flag.Parse()
	if flag.NArg() > 0 || *kills < 0 {
		fmt.Fprintln(os.Stderr, "usage: go run ./scripts/hygiene [-kills 50] [-seed N]")
		os.Exit(2)
	}
	fmt.Printf("seed %d\n", *seed)
	if err := run(*kills, rand.New(rand.NewPCG(*seed, 0))); err != nil {
		fmt.Fprintln(os.Stderr, "hygiene:", err)
		os.Exit(1)
	}
}

func run(kills int, random *rand.Rand) error {
	folder, err := os.MkdirTemp("", "rstlab-hygiene-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := os.Chmod(folder, 0o755); err != nil { // the other user runs the binary too
		return err
	}
	binary := filepath.Join(folder, "story.test")
	build := exec.Command("go", "test", "-c", "-o", binary, "./tests")
	build.Stdout, build.Stderr = os.Stdout, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build the binary of ./tests, from the repository's root: %w", err)
	}
	for _, u := range users() {
		if err := u.playWhole(binary); err != nil {
			return err
		}
		if err := u.killOften(binary, kills, random); err != nil {
			return err
		}
	}
	return nil
}

// user is somebody to run the story as.
type user struct {
	name       string
	credential *syscall.Credential // nil: whoever runs this command
}

func users() []user {
	all := []user{{name: fmt.Sprintf("user %d", os.Getuid())}}
	if os.Getuid() == 0 {
		const nobody = 65534
		all = append(all, user{fmt.Sprintf("user %d", nobody), &syscall.Credential{Uid: nobody, Gid: nobody}})
	}
	return all
}

// play is a test of the binary that is run to be killed.
type play struct {
	test    string
	latest  time.Duration // moment at which a run is killed; it takes a little longer by itself
	maySkip bool          // where no control group can be made, even with CI set
}

var plays = []play{{"TestStory", 8 * time.Second, false}, {"TestThrottledPod", time.Second, true}}

// run is a run of a test that has not been started.
func (u user) run(binary, test string) *exec.Cmd {
	cmd := exec.Command(binary, "-test.run", "^("+test+")$")
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), marker, "CI=1") // a story that is skipped proves nothing
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: u.credential}
	return cmd
}

// playWhole lets one run end by itself.
func (u user) playWhole(binary string) error {
	before, err := look()
	if err != nil {
		return err
	}
	if output, err := u.run(binary, "TestStory|TestThrottledPod").CombinedOutput(); err != nil {
		return fmt.Errorf("play the story as %s: %w\n%s", u.name, err, output)
	}
	if err := compare(before); err != nil {
		return fmt.Errorf("after a whole run as %s: %w", u.name, err)
	}
	fmt.Printf("%s: the machine is the same before and after a whole run: %v\n", u.name, before)
	return nil
}

func (u user) killOften(binary string, kills int, random *rand.Rand) error {
	before, err := look()
	if err != nil {
		return err
	}
	killed := map[string]int{}
	for i := range kills {
		p := plays[i%len(plays)]
		moment := time.Duration(random.Int64N(int64(p.latest)))
		wasKilled, err := u.kill(binary, p, moment)
		if err != nil {
			return fmt.Errorf("run %d as %s, of %s: %w", i, u.name, p.test, err)
		}
		if wasKilled {
			killed[p.test]++
		}
		if err := compare(before); err != nil {
			return fmt.Errorf("run %d as %s, of %s, killed at %v: %w", i, u.name, p.test, moment, err)
		}
	}
	for _, p := range plays {
		if killed[p.test] == 0 {
			fmt.Printf("%s: killed no run of %s\n", u.name, p.test)
			continue
		}
		fmt.Printf("%s: killed %d runs of %s at moments up to %v: nothing is left of them\n", u.name, killed[p.test], p.test, p.latest)
	}
	return nil
}

// kill starts a run and kills it at a moment. It reports whether that found it alive,
// which it must unless the test may be skipped.
func (u user) kill(binary string, p play, moment time.Duration) (killed bool, err error) {
	cmd := u.run(binary, p.test)
	if err := cmd.Start(); err != nil {
		return false, err
	}
	time.Sleep(moment)
	killErr, waitErr := cmd.Process.Kill(), cmd.Wait()
	switch {
	case killErr != nil:
		return false, killErr
	case waitErr == nil && p.maySkip:
		return false, nil
	case cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL:
		return false, fmt.Errorf("it ended before it was killed at %v: %v", moment, cmd.ProcessState)
	}
	return true, nil
}
