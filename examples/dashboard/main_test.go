package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
)

func TestPageMaySendTheTokenToTheServiceOnly(t *testing.T) {
	page := serve("https://ryze.example:8443", fstest.MapFS{"app.wasm": {Data: []byte("\x00asm")}, "wasm_exec.js": {Data: []byte("//")}})
	for path, kind := range map[string]string{
		"/": "text/html; charset=utf-8", "/app.wasm": "application/wasm", "/wasm_exec.js": "text/javascript; charset=utf-8",
		"/boot.js": "text/javascript; charset=utf-8", "/page.css": "text/css; charset=utf-8",
	} {
		reply := httptest.NewRecorder()
		page.ServeHTTP(reply, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
		assert.Equal(t, http.StatusOK, reply.Code, path)
		assert.Equal(t, kind, reply.Header().Get("Content-Type"), path)
		policy := reply.Header().Get("Content-Security-Policy")
		assert.Contains(t, policy, "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; ", path)
		assert.Contains(t, policy, "connect-src 'self' https://ryze.example:8443 wss://ryze.example:8443;", path)
		if path == "/" {
			assert.Contains(t, reply.Body.String(), `data-service="https://ryze.example:8443"`)
		}
	}
}

func TestDemonstrationCanBeReadByThePage(t *testing.T) {
	const origin = "http://127.0.0.1:8081"
	t.Setenv("RYZE_BASE_URL", "")
	service, fragment, end, err := open(t.Context(), origin)
	require.NoError(t, err)
	defer end()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	account, err := ryze.NewAccountClient(fragment[len("#token="):], ryze.WithBaseURL(service))
	require.NoError(t, err)
	defer func() { _ = account.Client().Close() }()
	list, err := account.ListInstances(ctx)
	require.NoError(t, err)
	assert.Len(t, list, 3)
	for _, info := range list {
		if info.Name == "pizzeria" {
			stream, err := account.InstanceFrom(&info).Subscribe(ctx)
			require.NoError(t, err)
			for event := range stream.Events() {
				assert.Equal(t, ryze.EventMessage, event.Type)
				break
			}
			require.NoError(t, stream.Close())
		}
	}
}
