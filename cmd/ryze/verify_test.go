package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

const myNumber = "5511987654321"

// verified is a run of ryze verify that asks nobody.
func (s *shell) verified(args ...string) (answers map[string]answer, r result) {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "report.json")
	r = s.run(append([]string{"verify", "demo", "--to", myNumber, "--yes", "--json", "--wait", "2s", "--report", file}, args...)...)
	text, err := os.ReadFile(file)
	require.NoError(s.t, err, r.err)
	assert.Equal(s.t, r.out, string(text))
	answers = map[string]answer{}
	all, _ := object(s.t, r.out)["answers"].([]any)
	for _, one := range all {
		id, _ := member(one, "id").(string)
		verdict, _ := member(one, "verdict").(string)
		found, _ := member(one, "found").(string)
		require.Empty(s.t, answers[id].ID, "%s is asked once", id)
		answers[id] = answer{ID: id, Verdict: verdict, Found: found}
	}
	return answers, r
}

func TestVerifyFindsNoDifferenceInThePlainSimulator(t *testing.T) {
	s := newShell(t)
	answers, r := s.verified("--reconnect")
	assert.Zero(t, r.code, r.err)
	for _, a := range answers {
		t.Log(a.ID, a.Verdict, a.Found)
	}
	assert.NotEmpty(t, strings.TrimSpace(r.out))
	_ = ryzetest.InMemory
}
