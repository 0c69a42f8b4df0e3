package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

func declared() *flagSet {
	f := newFlagSet(io.Discard)
	(&settings{}).declare(f)
	return f
}

// flagOf says which flag each option of the simulator has, or in brackets why none.
var flagOf = map[string]string{
	"InMemory": "(a program listens)", "WithWebhookHandler": "(of a test)", "WithObserver": "quiet", "WithRelativeReset": "reset",
	"WithListen": "addr", "WithAccountToken": "token", "WithInstanceTokens": "(they follow from the names)", "WithState": "state",
	"WithTLS": "tls", "WithoutHTTP2": "http2", "WithControl": "control", "WithQuota": "quota", "WithRateLimit": "rate",
	"WithCreateRateLimit": "create-rate", "WithoutRateHeaders": "without-rate-headers", "WithReset": "reset", "WithRetryAfter": "retry-after",
	"WithClockSkew": "clock-skew", "WithLayout": "layout", "WithWebhookClient": "webhook-targets", "WithWebhookRetry": "webhook-retry",
	"WithWebhookTimeout": "webhook-timeout", "WithoutStateAuthorization": "without-state-authorization", "WithAllowedOrigins": "allow-origin",
	"WithExposedRateHeaders": "expose-rate-headers", "WithBodyLimits": "body-limit", "WithMediaKeep": "media-keep", "WithMediaDelay": "media-delay",
	"WithCallEvents": "call-events", "WithoutChatwoot": "without-chatwoot", "WithOldLibrary": "old-library", "WithoutQRPrefix": "without-qr-prefix",
	"WithCodeDelay": "code-delay", "WithReconnectDelay": "reconnect-delay", "WithAutoPair": "auto-pair", "WithNotConnectedStatus": "not-connected-status",
	"WithTokenInData": "token-in-data", "WithObservedStates": "observed-states", "WithDeviceSuffix": "device-suffix", "WithoutEchoes": "without-echoes",
	"WithReceipts": "receipts", "WithRateWindow": "rate-window",
}

func TestEveryOptionOfTheSimulatorHasAFlag(t *testing.T) {
	files, err := filepath.Glob("../../ryzetest/*.go")
	require.NoError(t, err)
	f, options := declared(), 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		for _, d := range file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !fn.Name.IsExported() || fn.Type.Results == nil || len(fn.Type.Results.List) != 1 {
				continue
			}
			if result, ok := fn.Type.Results.List[0].Type.(*ast.Ident); !ok || result.Name != "Option" {
				continue
			}
			options++
			name, known := flagOf[fn.Name.Name]
			assert.True(t, known, "%s has no flag", fn.Name.Name)
			if known && !strings.HasPrefix(name, "(") {
				assert.NotNil(t, f.Lookup(name), "%s: -%s", fn.Name.Name, name)
			}
		}
	}
	assert.Len(t, flagOf, options)
}

func TestUsageShowsEachFlagInALineOfItsGroup(t *testing.T) {
	var out screen
	f := newFlagSet(&out)
	(&settings{}).declare(f)
	f.usage()
	count := 0
	for _, g := range f.groups {
		assert.Contains(t, out.String(), "\n\n"+g.title+":\n")
		count += len(g.names)
		for _, name := range g.names {
			assert.Equal(t, 1, strings.Count(out.String(), "\n  -"+name+" "), name)
		}
	}
	assert.Equal(t, len(f.groups)+count+3+len(f.groups), strings.Count(out.String(), "\n"), "one line each, groups apart")
	assert.NotContains(t, out.String(), "\t")
	assert.Contains(t, out.String(), "(1s,5s,30s,2m,10m)")
}

func TestRefusesBadFlags(t *testing.T) {
	for _, args := range [][]string{
		{"-layout", "new"}, {"-webhook-targets", "moon"}, {"-addr", "nowhere"}, {"extra"}, {"-nope"},
		{"-cert", "x.pem"}, {"-tls", "-addr", "127.0.0.1:0", "-cert", "/no/such/directory/x.pem"},
		{"-http2"}, {"-instance", "a,,b"}, {"-instance", "a,b", "-instance", "a"}, {"-reset", "moon"}, {"-retry-after", "x"},
		{"-receipts", "soon"}, {"-receipts", "1s,1s,1s,1s"}, {"-receipts", "-1s"}, {"-without-rate-headers", "x"}, {"-not-connected-status", "200"},
		{"-lang", "fr"}, {"-webhook-retry", "x"}, {"-webhook-retry", "-1s"}, {"-clock-skew", "x"}, {"-expose-rate-headers"},
		{"-lang", "pt"}, {"-allow-origin", "app.example"}, {"-allow-origin", "*"}, {"-allow-origin", "https://app.example/"}, {"-allow-origin", "https://"},
		{"-quota", "-1"}, {"-rate", "-2"}, {"-create-rate", "-2"}, {"-auto-pair", "-1s"}, {"-code-delay", "-1s"}, {"-reconnect-delay", "-1s"},
		{"-stranger", "-1"}, {"-rate-window", "0s"}, {"-webhook-timeout", "0s"}, {"-body-limit", "-1"}, {"-media-body-limit", "-1"}, {"-media-keep", "-1"}, {"-media-delay", "-1s"},
	} {
		err := run(t.Context(), args, nil, io.Discard, io.Discard)
		assert.Error(t, err, "%v", args)
	}
	require.ErrorContains(t, run(t.Context(), []string{"-http2"}, nil, io.Discard, io.Discard), "h2c")
}

func TestFlagListsAndDurations(t *testing.T) {
	c, err := parse([]string{"-instance", "a, b", "-instance", "c", "-webhook-retry", "none", "-clock-skew", "1m,-2s"}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "c"}, c.instances)
	assert.Empty(t, c.webhookRetry)
	assert.Equal(t, []time.Duration{time.Minute, -2 * time.Second}, c.skews)
	for text, want := range map[string]ryzetest.Receipts{
		"off": {Off: true}, "none": {Delivered: -1, Read: -1}, "1s": {Delivered: 1e9, Read: -1}, "0s,none,3s": {Read: -1, Played: 3e9},
	} {
		r, err := parseReceipts(strings.Split(text, ","))
		require.NoError(t, err)
		assert.Equal(t, want, r, text)
	}
}

func TestShellWords(t *testing.T) {
	for word, want := range map[string]string{"a-b_1.x": "a-b_1.x", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$HOME": "'$HOME'", "é": "'é'"} {
		assert.Equal(t, want, shellWord(word))
	}
}

func TestTheHeadCanBePastedIntoAShell(t *testing.T) {
	out, _, _, _ := launch(t, nil, "-instance", "my line,other", "-tls")
	for line := range strings.SplitSeq(strings.TrimSpace(out.String()), "\n") {
		assert.True(t, strings.HasPrefix(line, "export ") || strings.HasPrefix(line, "# "), line)
	}
	assert.Contains(t, out.String(), "export RYZE_INSTANCE='my line' RYZE_INSTANCE_TOKEN=")
	assert.Contains(t, out.String(), "# Ctrl-C stops it. What it holds is lost then")
}

func TestTheTemporaryCertificateGoesAtTheEnd(t *testing.T) {
	out, _, _, stop := launch(t, nil, "-tls")
	path, _, _ := strings.Cut(out.after("export SSL_CERT_FILE="), " ")
	assert.FileExists(t, path)
	require.NoError(t, stop())
	_, err := os.Stat(filepath.Dir(path))
	assert.ErrorIs(t, err, os.ErrNotExist)
}
