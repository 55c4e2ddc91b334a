package gate

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// The action has an input for each setting, and hands each of them over by its variable.
func TestAction(t *testing.T) {
	text, err := os.ReadFile("../../.github/actions/gate/action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var action struct {
		Inputs map[string]any
		Runs   struct {
			Steps []struct {
				Name string
				Env  map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(text, &action); err != nil {
		t.Fatal(err)
	}
	settings := sortedNames(names(new(Config)))
	var inputs []string
	for name := range action.Inputs {
		if name != "file" && name != "artifact" {
			inputs = append(inputs, name)
		}
	}
	slices.Sort(inputs)
	if !slices.Equal(inputs, settings) {
		t.Errorf("the inputs are %v, want the settings %v", inputs, settings)
	}
	for _, step := range action.Runs.Steps {
		if step.Name != "Gate the server" {
			continue
		}
		if len(step.Env) != len(settings)+1 {
			t.Errorf("the gate has %d variables, want %d", len(step.Env), len(settings)+1)
		}
		for key, value := range step.Env {
			name := strings.TrimSuffix(strings.TrimPrefix(value, "${{ inputs."), " }}")
			if key != variable(name) && (key != "RSTLAB_GATE" || name != "file") {
				t.Errorf("%s is %s, want that of %s", key, value, variable(name))
			}
		}
		return
	}
	t.Error("the action has no step that gates the server")
}
