package servers

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rstlab/rstlab/servers/rpc"
)

func TestBackendAnswers(t *testing.T) {
	for _, tt := range []struct{ method, payload, want string }{
		{"echo", "", ""},
		{"echo", "hello", "hello"},
		{"compute", "1", "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"}, // sha256sum of 32 zero bytes
		{"compute", "2", "2b32db6c2c0a6235fb1397e8225ea85e0f0e6e8c7b126d0016ccbde0e667151e"},
		{"sleep", "0s", ""},
		{"sleep", "1ms", ""},
	} {
		t.Run(tt.method+" "+tt.payload, func(t *testing.T) {
			got, err := handle(t.Context(), tt.method, []byte(tt.payload))
			if !bytes.Equal(got, []byte(tt.want)) || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestBackendRefuses(t *testing.T) {
	const (
		compute = `, want a whole number from 1 to 10000000`
		sleep   = `, want one from 0s to 1m0s, such as 20ms`
	)
	for _, tt := range []struct{ method, payload, want string }{
		{"", "", `method is "", want echo, compute or sleep`},
		{"Echo", "", `method is "Echo", want echo, compute or sleep`},
		{"compute", "", `compute: rounds is ""` + compute},
		{"compute", "0", `compute: rounds is "0"` + compute},
		{"compute", "10000001", `compute: rounds is "10000001"` + compute},
		{"compute", "ten", `compute: rounds is "ten"` + compute},
		{"sleep", "", `sleep: duration is ""` + sleep},
		{"sleep", "-1s", `sleep: duration is "-1s"` + sleep},
		{"sleep", "61s", `sleep: duration is "61s"` + sleep},
	} {
		t.Run(tt.method+" "+tt.payload, func(t *testing.T) {
			_, err := handle(t.Context(), tt.method, []byte(tt.payload))
			got, ok := errors.AsType[*rpc.RemoteError](err)
			if !ok || got.Code != rpc.BadRequest || got.Message != tt.want {
				t.Errorf("got %v, want bad request: %s", err, tt.want)
			}
		})
	}
}

func TestBackendStopsWithItsCaller(t *testing.T) {
	t.Run("compute", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := handle(ctx, "compute", []byte("10000000")); !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v, want context.Canceled", err)
		}
	})
	t.Run("sleep", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			_, err := handle(ctx, "sleep", []byte("1m"))
			if got := time.Since(start); got != time.Second || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("after %v: %v, want the deadline after 1s", got, err)
			}
		})
	})
}
