package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/examples/internal/demo"
	"github.com/ryzeapi/ryze-go/outbox"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// start serves until its context ends, or plays a few requests against a simulator.
func start(ctx context.Context, listen, file string, out io.Writer) (err error) {
	service, err := demo.Open(demo.Config{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, service.Close()) }()
	secret := []byte(os.Getenv("OTP_SECRET"))
	if service.Simulator != nil {
		dir, err := os.MkdirTemp("", "otp")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		listen, file, secret = "localhost:0", filepath.Join(dir, "otp.db"), []byte("of a demonstration")
	}
	if len(secret) < 16 {
		return errors.New("set OTP_SECRET to a secret of at least 16 bytes")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	if service.Simulator != nil {
		go func() {
			defer cancel()
			play(ctx, service, "http://"+listener.Addr().String()+"/otp", out)
		}()
	}
	return serve(ctx, listener, service, file, secret)
}

func serve(ctx context.Context, listener net.Listener, service *demo.Service, file string, secret []byte) error {
	open := func(context.Context, string) (*ryze.InstanceClient, error) { return service.Instance, nil }
	box, err := outbox.OpenSQLite(file, open, outbox.WithForget(secret))
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sending := make(chan error, 1)
	go func() { defer cancel(); sending <- box.Run(ctx) }()
	mux := http.NewServeMux()
	mux.Handle("POST /otp", &otp{outbox: box, instance: service.Instance.Name(), secret: secret})
	server := &http.Server{Handler: http.MaxBytesHandler(mux, 64<<10), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() {
		grace, end := context.WithTimeout(context.WithoutCancel(ctx), 2*patience)
		defer end()
		_ = server.Shutdown(grace)
	})
	if err = server.Serve(listener); errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	cancel()
	return errors.Join(err, <-sending, box.Close())
}

// play asks as an application would.
func play(ctx context.Context, service *demo.Service, address string, out io.Writer) {
	ask := func(key, phone string) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(url.Values{"phone": {phone}}.Encode()))
		if err != nil {
			return
		}
		request.Header.Set("Idempotency-Key", key)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return
		}
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
		_ = response.Body.Close()
		fmt.Fprintf(out, "%s, key %s: %d %s", phone, key, response.StatusCode, text)
	}
	ask("login-1", "5511987654321")
	ask("login-1", "5511987654321") // the application did not get the answer
	ask("login-2", "5511987654321") // somebody is impatient
	service.Simulator.Fault("messages.text", ryzetest.Fault{Delay: patience + time.Second})
	ask("login-3", "5521998765432")
	ask("login-3", "5521998765432")
	fmt.Fprintf(out, "Codes sent: %d.\n", len(service.Phone.Sent()))
}
