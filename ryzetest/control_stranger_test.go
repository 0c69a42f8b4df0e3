package ryzetest

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A program in another language is written and tested against the simulator without
// a line of Go.
func TestAStrangersProgramIsDevelopedAgainstTheSimulator(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("python3 is wanted: install it, for Debian with apt-get install python3")
		}
		t.Skip("python3 is not here: install it, for Debian with apt-get install python3")
	}
	s := NewServer(WithControl(""))
	t.Cleanup(s.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "testdata/stranger.py")
	cmd.Env = append(os.Environ(), "RYZE_BASE_URL="+s.URL, "RYZE_ACCOUNT_TOKEN="+s.AccountToken, "PYTHONDONTWRITEBYTECODE=1", "no_proxy=*")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "ok\n", string(out))
	assert.Empty(t, s.Violations())
}
