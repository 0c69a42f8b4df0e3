// Command dashboard shows the instances of an account and what is written to them, in
// a browser: the page's program is the SDK, compiled to WebAssembly.
//
//	go run ./examples/dashboard
//
// builds the page, serves it, and plays two shops on a simulator. With RYZE_BASE_URL
// set it is that service, and the page asks for the token of the account:
//
//	RYZE_BASE_URL=https://ryzeapi.cloud go run ./examples/dashboard -listen localhost:8081
//
// The service answers pages of those origins only that are allowed for the account.
//
// A token in a browser belongs to the person who sits before it. This page is a tool of
// one's own: what customers see asks a server, which keeps the token.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	listen := flag.String("listen", "localhost:8081", "address to serve on: of this machine, as tokens are typed on the page")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *listen, build); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "dashboard:", err)
		os.Exit(1)
	}
}

// build compiles the page's program, and finds the support that belongs to the compiler.
func build(ctx context.Context, dir string) error {
	const app = "github.com/ryzeapi/ryze-go/examples/dashboard/app"
	command := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", filepath.Join(dir, "app.wasm"), app) //nolint:gosec // a folder made here
	command.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return err
	}
	support, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "wasm_exec.js"), support, 0o600) //nolint:gosec // the same folder
}

func run(ctx context.Context, listen string, build func(context.Context, string) error) error {
	dir, err := os.MkdirTemp("", "dashboard")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	fmt.Println("Building the page...")
	if err := build(ctx, dir); err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	origin := "http://" + listener.Addr().String()
	service, token, end, err := open(ctx, origin)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer end()
	fmt.Println("Open " + origin + "/" + token)
	server := &http.Server{Handler: serve(service, os.DirFS(dir)), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return server.Serve(listener)
}

//go:embed page
var page embed.FS

// serve serves the page, which can send the token to the service and to nobody else.
func serve(service string, built fs.FS) http.Handler {
	stream := strings.Replace(service, "http", "ws", 1)
	policy := "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src data:; " +
		"connect-src 'self' " + service + " " + stream + "; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
	static, err := fs.Sub(page, "page")
	if err != nil {
		panic(err) // it is in the program
	}
	index := template.Must(template.ParseFS(static, "index.html"))
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(static))
	mux.Handle("GET /app.wasm", http.FileServerFS(built))
	mux.Handle("GET /wasm_exec.js", http.FileServerFS(built))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = index.Execute(w, service)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-cache")
		mux.ServeHTTP(w, r)
	})
}
