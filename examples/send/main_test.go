package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

// The test program is the example when it is told so.
func TestMain(m *testing.M) {
	if os.Getenv("EXAMPLE") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func program(t *testing.T, environment []string, args ...string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], args...)
	command.Env = append([]string{"EXAMPLE=send"}, environment...)
	return command
}

func TestTextIsSent(t *testing.T) {
	sim := ryzetest.NewServer()
	defer sim.Close()
	phone := sim.AddInstance("shop")
	phone.Pair("5511900000001")
	named := []string{"RYZE_BASE_URL=" + sim.URL, "RYZE_INSTANCE=" + phone.Name(), "RYZE_INSTANCE_TOKEN=" + phone.Token()}
	out, err := program(t, named, "-to", "5511987654321", "-text", "Your code is 4711").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, "sent to 5511987654321@s.whatsapp.net\n", string(out))
	require.Len(t, phone.Sent(), 1)
	assert.Equal(t, "Your code is 4711", phone.Sent()[0].Text)

	sim.Fault("messages.text", ryzetest.Fault{Drop: ryzetest.DropAfterProcess})
	out, err = program(t, named, "-to", "5511987654321", "-text", "Your code is 4712").CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "unknown: ")
	assert.NotContains(t, string(out), phone.Token())
	assert.Len(t, phone.Sent(), 2)
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	out, err := program(t, []string{"RYZE_INSTANCE=demo"}).CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "RYZE_INSTANCE_TOKEN")

	out, err = program(t, []string{"RYZE_INSTANCE=demo", "RYZE_INSTANCE_TOKEN=4f1c"}).CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "not accepted: ")
}
