package ryze_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// setenv sets what a program finds in its environment; the other variables are
// not there.
func setenv(t *testing.T, values map[string]string) {
	t.Helper()
	for _, name := range []string{"RYZE_BASE_URL", "RYZE_ACCOUNT_TOKEN", "RYZE_INSTANCE", "RYZE_INSTANCE_TOKEN"} {
		t.Setenv(name, values[name]) // an empty one counts as not set
	}
}

func TestAProgramFindsTheSimulatorByItsEnvironment(t *testing.T) {
	sim := ryzetest.NewServer()
	defer sim.Close()
	line := sim.AddInstance("line")
	line.Pair("5511900000001")
	setenv(t, map[string]string{
		"RYZE_BASE_URL": sim.URL, "RYZE_ACCOUNT_TOKEN": sim.AccountToken,
		"RYZE_INSTANCE": "line", "RYZE_INSTANCE_TOKEN": line.Token(),
	})

	client, err := ryze.FromEnv()
	require.NoError(t, err)
	health, err := client.Health(context.Background())
	require.NoError(t, err)
	assert.True(t, health.Healthy())

	account, err := ryze.AccountFromEnv()
	require.NoError(t, err)
	instances, err := account.ListInstances(context.Background())
	require.NoError(t, err)
	assert.Len(t, instances, 1)

	inst, err := ryze.InstanceFromEnv(ryze.WithSource("tests"))
	require.NoError(t, err)
	_, err = inst.Messages.SendText(context.Background(), "5511987654321", "Hello")
	require.NoError(t, err)
	require.Len(t, line.Sent(), 1)
	assert.Equal(t, "tests", line.Sent()[0].Source, "options count as well")
}

func TestABadEnvironmentIsNamed(t *testing.T) {
	whole := map[string]string{"RYZE_ACCOUNT_TOKEN": "t0ken", "RYZE_INSTANCE": "line", "RYZE_INSTANCE_TOKEN": "t0ken"}
	for _, bad := range []struct {
		variable, value string
		open            func() error
	}{
		{"RYZE_BASE_URL", "ftp://ryze.test", func() error { _, err := ryze.FromEnv(); return err }},
		{"RYZE_BASE_URL", "https://user:pass@ryze.test", func() error { _, err := ryze.InstanceFromEnv(); return err }},
		{"RYZE_ACCOUNT_TOKEN", "", func() error { _, err := ryze.AccountFromEnv(); return err }},
		{"RYZE_ACCOUNT_TOKEN", "two words", func() error { _, err := ryze.AccountFromEnv(); return err }},
		{"RYZE_INSTANCE", "", func() error { _, err := ryze.InstanceFromEnv(); return err }},
		{"RYZE_INSTANCE", "..", func() error { _, err := ryze.InstanceFromEnv(); return err }},
		{"RYZE_INSTANCE_TOKEN", "", func() error { _, err := ryze.InstanceFromEnv(); return err }},
		{"RYZE_INSTANCE_TOKEN", "tok\u00e9n", func() error { _, err := ryze.InstanceFromEnv(); return err }},
	} {
		t.Run(bad.variable+"="+bad.value, func(t *testing.T) {
			values := map[string]string{bad.variable: bad.value}
			for name, value := range whole {
				if name != bad.variable {
					values[name] = value
				}
			}
			setenv(t, values)
			var invalid *ryze.ValidationError
			require.ErrorAs(t, bad.open(), &invalid)
			assert.Equal(t, bad.variable, invalid.Field)
			if bad.value != "" && bad.variable != "RYZE_INSTANCE" { // a name is no secret
				assert.NotContains(t, invalid.Error(), bad.value)
			}
		})
	}
}

func TestOptionsWinOverTheEnvironment(t *testing.T) {
	setenv(t, map[string]string{"RYZE_BASE_URL": "https://elsewhere.test"})
	client, err := ryze.FromEnv(ryze.WithBaseURL("https://here.test"))
	require.NoError(t, err)
	assert.Contains(t, client.String(), "https://here.test")
	client, err = ryze.New()
	require.NoError(t, err)
	assert.Contains(t, client.String(), ryze.DefaultBaseURL, "New does not look at it")
}
