package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

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

func TestWhatIsWrittenIsPrinted(t *testing.T) {
	sim := ryzetest.NewServer()
	defer sim.Close()
	phone := sim.AddInstance("shop")
	phone.Pair("5511900000001")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, os.Args[0])
	command.Env = []string{"EXAMPLE=receive", "RYZE_BASE_URL=" + sim.URL, "RYZE_INSTANCE=" + phone.Name(), "RYZE_INSTANCE_TOKEN=" + phone.Token()}
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	changes := sim.Changes(ctx)
	require.NoError(t, command.Start())
	for range changes {
		if phone.WebSockets() > 0 {
			break
		}
	}
	phone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "Are you open?"})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "incoming 5511987654321 Are you open?\n", line)
	require.NoError(t, command.Process.Kill())
	_ = command.Wait()
}
