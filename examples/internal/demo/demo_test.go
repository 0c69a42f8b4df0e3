package demo

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

func setenv(t *testing.T, base, name, token string) {
	t.Helper()
	t.Setenv("RYZE_BASE_URL", base)
	t.Setenv("RYZE_INSTANCE", name)
	t.Setenv("RYZE_INSTANCE_TOKEN", token)
}

func TestEnvironmentChoosesTheService(t *testing.T) {
	sim := ryzetest.NewServer()
	defer sim.Close()
	phone := sim.AddInstance("support-line")
	phone.Pair("5511900000002")
	setenv(t, sim.URL, "support-line", phone.Token())

	service, err := Open(Config{})
	require.NoError(t, err)
	defer func() { require.NoError(t, service.Close()) }()
	assert.Nil(t, service.Simulator)
	info, err := service.Instance.Info(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "5511900000002", info.JID.Phone())

	// People play themselves there.
	ctx, end := service.Play(t.Context(), func(context.Context, *Service) { t.Error("the script has run") })
	end()
	assert.NoError(t, ctx.Err())
}

func TestWithoutAnEnvironmentThereIsASimulator(t *testing.T) {
	setenv(t, "", "", "")
	service, err := Open(Config{})
	require.NoError(t, err)
	defer func() { require.NoError(t, service.Close()) }()
	info, err := service.Instance.Info(t.Context())
	require.NoError(t, err)
	assert.True(t, info.Connected())
}

// Half a configuration is a mistake, and no reason to play instead.
func TestHalfAnEnvironmentIsRefused(t *testing.T) {
	for _, half := range [][3]string{{"http://127.0.0.1:1", "", ""}, {"", "support-line", ""}, {"", "", "a-secret-token"}} {
		setenv(t, half[0], half[1], half[2])
		_, err := Open(Config{})
		require.ErrorContains(t, err, "RYZE_INSTANCE")
		assert.NotContains(t, err.Error(), "a-secret-token")
	}
}

func TestPlayEndsWithItsScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, err := Simulate(Config{Simulator: []ryzetest.Option{ryzetest.InMemory()}})
		require.NoError(t, err)
		defer func() { require.NoError(t, service.Close()) }()

		begin := time.Now()
		ctx, end := service.Play(t.Context(), func(ctx context.Context, _ *Service) { Pause(ctx, time.Minute) })
		<-ctx.Done()
		end()
		assert.Equal(t, time.Minute, time.Since(begin))

		_, end = service.Play(t.Context(), func(ctx context.Context, _ *Service) { <-ctx.Done() })
		end() // ends a script that would go on

		begin = time.Now()
		Until(t.Context(), func() bool { return false })
		assert.Equal(t, 10*time.Second, time.Since(begin))
	})
}
