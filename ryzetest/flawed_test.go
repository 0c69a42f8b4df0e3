package ryzetest_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// flawed says in a child process that the implementations with faults are to be
// tested: there they may fail.
const flawed = "RYZETEST_FLAWED"

// inBubble is synctest.Test for implementations that leave goroutines behind: it
// lets them come to their end.
func inBubble(t *testing.T, rule func(*testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { time.Sleep(24 * time.Hour) })
		rule(t)
	})
}

var (
	failedRule = regexp.MustCompile(`(?m)^ +--- FAIL: [^/]+/([^/]+)/([^/ ]+) `)
	passedRule = regexp.MustCompile(`(?m)^ +--- PASS: [^/]+/[^/]+/([^/ ]+) `)
)

// findsFlaws makes sure that a suite of rules finds each fault, in the rule that
// is about it. run runs the suite on the implementation with one fault.
func findsFlaws(t *testing.T, flaws map[string]string, run func(t *testing.T, flaw string)) {
	t.Helper()
	if os.Getenv(flawed) != "" {
		for flaw := range flaws {
			t.Run(flaw, func(t *testing.T) { run(t, flaw) })
		}
		return
	}
	program, err := os.Executable()
	if err != nil {
		t.Skip("no child process here: ", err)
	}
	child := exec.CommandContext(t.Context(), program, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=1m")
	child.Env = append(os.Environ(), flawed+"=1")
	out, err := child.CombinedOutput()
	require.Error(t, err, "the suite passed on implementations with faults")
	require.NotContains(t, string(out), "panic:", "the suite must fail, not break")
	failed := make(map[string][]string)
	for _, found := range failedRule.FindAllSubmatch(out, -1) {
		flaw := string(found[1])
		failed[flaw] = append(failed[flaw], string(found[2]))
	}
	for flaw, rule := range flaws {
		name := strings.ReplaceAll(flaw, " ", "_")
		assert.Contains(t, failed[name], strings.ReplaceAll(rule, " ", "_"), "an implementation that %s", flaw)
	}
	var can []string
	for _, rules := range failed {
		can = append(can, rules...)
	}
	for _, found := range passedRule.FindAllSubmatch(out, -1) {
		assert.Contains(t, can, string(found[1]), "no fault fails this rule")
	}
}
