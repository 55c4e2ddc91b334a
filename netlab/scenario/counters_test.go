package scenario

import (
	"fmt"
	"maps"
	"testing"
)

func TestCountersSince(t *testing.T) {
	t.Parallel()
	before := Counters{"OutRsts": 5, "ListenDrops": 2}
	after := Counters{"OutRsts": 7, "ListenDrops": 2, "PassiveOpens": 1}
	if got, want := after.Since(before), (Counters{"OutRsts": 2, "PassiveOpens": 1}); !maps.Equal(got, want) {
		t.Errorf("moved: %v, want %v", got, want)
	}
	if got, want := after.Only("PassiveOpens", "OutRsts", "EmbryonicRsts").String(), "OutRsts 7, PassiveOpens 1"; got != want {
		t.Errorf("Only: %q, want %q", got, want)
	}
	defer func() {
		if got, want := recover(), "counter OutRsts went from 7 to 5: Since wants the later counters as receiver"; got != want {
			t.Errorf("arguments in the wrong order: %v, want %s", got, want)
		}
	}()
	before.Since(Counters{"OutRsts": 7})
}

func ExampleCounters_Since() {
	before := Counters{"ListenDrops": 10, "OutRsts": 1}
	after := Counters{"ListenDrops": 341, "OutRsts": 1}
	fmt.Println(after.Since(before))
	// Output: ListenDrops 331
}
