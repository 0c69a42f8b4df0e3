package main

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/examples/internal/demo"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// In virtual time and in memory; a goroutine left behind fails the test.
func TestEchoAnswersEachTextOnceAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, err := demo.Simulate(config(ryzetest.InMemory()))
		require.NoError(t, err)
		defer func() { require.NoError(t, service.Close()) }()

		var out strings.Builder
		require.NoError(t, run(t.Context(), service, &out))
		for _, line := range []string{
			`Ana writes "Good morning".`,
			`Answered Bruno with "You said: Are you there?".`,
			`(a duplicate of "Only once, please")`,
			`(a person answers on the phone: "This is a human")`,
			`The stream had a hole of`,
			`The number is now logged_out.`,
			`(from the past: "Happy new year")`,
			`Answered Bruno with "You said: Good bye".`,
		} {
			assert.Contains(t, out.String(), line)
		}
		assert.NotContains(t, out.String(), "Into the void")
		assert.NotContains(t, out.String(), service.Phone.Token())

		said := map[string]int{}
		for _, m := range service.Phone.Sent() {
			said[m.Text]++
			assert.Equal(t, source, m.Source)
		}
		assert.Equal(t, map[string]int{
			"You said: Good morning": 1, "You said: Are you there?": 1, "You said: Only once, please": 1, "You said: Good bye": 1,
		}, said)
		assert.Empty(t, service.Simulator.Violations())
	})
}

func TestEchoEndsWithoutAnErrorWhenItIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, err := demo.Simulate(config(ryzetest.InMemory()))
		require.NoError(t, err)
		defer func() { require.NoError(t, service.Close()) }()

		ctx, interrupt := context.WithCancel(t.Context())
		screen := &interrupting{on: "Listening.", interrupt: interrupt}
		require.NoError(t, run(ctx, service, screen))
		require.Zero(t, service.Phone.WebSockets())
	})
}

// interrupting interrupts when something is on the screen.
type interrupting struct {
	on        string
	interrupt func()
}

func (i *interrupting) Write(p []byte) (int, error) {
	if strings.Contains(string(p), i.on) {
		i.interrupt()
	}
	return len(p), nil
}
