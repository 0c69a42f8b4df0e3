package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// goCommand runs go and returns what it prints to its standard output.
func goCommand(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go %v: %w\n%s", args, err, errOut.Bytes())
	}
	return out.String(), nil
}

func TestWhatBreaksWantsALineInTheChangelog(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(t *testing.T, r *repo)
		line   string // in the changelog, which allows it
		want   string // "" when nothing breaks
	}{
		"nothing": {func(*testing.T, *repo) {}, "", ""},
		"a new name": {func(t *testing.T, r *repo) {
			r.replace(t, "shop.go", "// Old is old.", "// New is new.\nfunc New() {}\n\n// Old is old.")
		}, "", ""},
		"another name inside": {func(t *testing.T, r *repo) {
			r.replace(t, "shop.go", "order(what", "request(what")
			r.replace(t, "export_test.go", "= order", "= request")
		}, "", ""},
		"another name in an internal package": {func(t *testing.T, r *repo) {
			r.replace(t, "internal/deep/deep.go", "Dig", "Delve")
			r.replace(t, "shop_test.go", "Dig", "Delve")
		}, "", ""},
		"a name removed": {func(t *testing.T, r *repo) {
			r.replace(t, "shop.go", "// Old is old.\nfunc Old() {}\n", "")
		}, "`Old`", "example.com/shop: Old: removed"},
		"a method removed": {func(t *testing.T, r *repo) {
			r.replace(t, "ryzetest/server.go", "URL", "Address")
		}, "`Server.URL` is `Server.Address`", "./ryzetest.(*Server).URL: removed"},
		"another signature": {func(t *testing.T, r *repo) {
			r.replace(t, "outbox/outbox.go", "Send(what string)", "Send(what string, again bool)")
			r.replace(t, "examples/main.go", `"bread"`, `"bread", false`)
		}, "`Send(what, false)`", "example.com/shop/outbox: Send: changed from func(string) error to func(string, bool) error"},
		"a package removed": {func(t *testing.T, r *repo) {
			_, err := git(t.Context(), r.dir, "mv", "ryzetest", "simulator")
			require.NoError(t, err)
			r.commitAll(t)
		}, "`ryzetest` is `simulator`", "package example.com/shop/ryzetest: removed"},
		"a call of a public test": {func(t *testing.T, r *repo) {
			r.replace(t, "shop.go", "Sell(what string)", "Sell(what int)")
			r.replace(t, "example_test.go", `Sell("bread")`, `Sell(1)`)
		}, "`Sell`", "example_test.go:7:16: cannot use \"bread\" (untyped string constant) as int value in argument to ryze.Sell"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := shop(t)
			r.make(t, "v0.1.0")
			tt.change(t, r)
			last, err := r.lastTag(t.Context())
			require.NoError(t, err)
			require.Equal(t, "v0.1.0", last)
			found, err := r.compare(t.Context(), last)
			require.NoError(t, err)
			assert.Equal(t, 1, found.tests, "packages of public tests")
			if tt.want == "" {
				assert.Empty(t, found.breaks)
				return
			}
			require.ErrorContains(t, found.announced(), tt.want)
			for line, ok := range map[string]bool{
				"### Changed\n\n- " + tt.line + ": write something else.": true,
				"### Removed\n\n- " + tt.line + ": write something else.": true,
				"### Added\n\n- " + tt.line + ", which is no warning.":    false,
				"### Changed\n\n- `Oldest`, `Selling`: other names.":      false,
			} {
				log, err := parseChangelog("## [Unreleased]\n\n" + line + "\n")
				require.NoError(t, err)
				found.mark(log)
				assert.Equal(t, ok, found.announced() == nil, line)
				assert.Error(t, found.allowed("v0.1.1"), line)
				assert.Equal(t, ok, found.allowed("v0.2.0") == nil, line)
				assert.Error(t, found.allowed("v1.0.1"), line)
			}
		})
	}
}

func TestWithoutATagThereIsNothingToCompareWith(t *testing.T) {
	r := shop(t)
	var out bytes.Buffer
	require.NoError(t, r.compat(t.Context(), &out))
	assert.Contains(t, out.String(), "no earlier tag")
}

func TestLinesOfEarlierVersionsAllowNothing(t *testing.T) {
	log, err := parseChangelog("## [Unreleased]\n\n## [0.2.0] - 2026-12-02\n\n### Removed\n\n- `Sell`\n\n## [0.1.0] - 2026-12-01\n\n### Removed\n\n- `Old`\n")
	require.NoError(t, err)
	names := log.announced("v0.1.0")
	assert.True(t, names["Sell"])
	assert.False(t, names["Old"])
}
