package main

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// In virtual time and in memory; a goroutine left behind fails the test.
func TestQuickstartPlaysAWholeLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := ryzetest.NewServer(ryzetest.InMemory())
		defer sim.Close()
		service := simulatedBy(sim)
		service.options = append(service.options, ryze.WithHTTPClient(sim.HTTPClient()))

		var out strings.Builder
		require.NoError(t, run(t.Context(), service, &out))
		for _, line := range []string{"Connected as 5511900000001.", "Sent the picture", `Ana writes: "What a view!"`, "is delivered", "Answered with", `Deleted the instance "quickstart".`} {
			require.Contains(t, out.String(), line)
		}
		require.NotContains(t, out.String(), sim.AccountToken)
		require.Nil(t, sim.Instance("quickstart"))
		require.Empty(t, sim.Violations())
	})
}

func TestQuickstartCleansUpWhenItIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := ryzetest.NewServer(ryzetest.InMemory())
		defer sim.Close()
		service := simulatedBy(sim)
		service.options = append(service.options, ryze.WithHTTPClient(sim.HTTPClient()))
		service.codeShown = func(string) {} // nobody scans

		require.Error(t, run(t.Context(), service, &strings.Builder{}))
		require.Nil(t, sim.Instance("quickstart"))
	})
}
