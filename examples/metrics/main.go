// Command metrics shows to Prometheus how a client of RyzeAPI is doing: how long
// its calls take and how they end, what is left of the quota, who waits for it,
// how late events are handled, and what was lost.
//
//	go -C examples/metrics run .
//
// serves http://localhost:9464/metrics until Ctrl-C, while a bot answers a
// customer of a simulator inside the program. The flag -listen names another
// address.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/otelryze"
)

func main() {
	listen := flag.String("listen", "localhost:9464", "address of the page of metrics")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *listen, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "metrics:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen string, out io.Writer) (err error) {
	// The bridge: OpenTelemetry collects, and Prometheus fetches.
	registry := prometheus.NewRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithoutScopeInfo())
	if err != nil {
		return err
	}
	meters := metric.NewMeterProvider(metric.WithReader(reader))
	defer func() { err = errors.Join(err, meters.Shutdown(context.WithoutCancel(ctx))) }()

	// The one line that an application of its own needs: WithObserver.
	service, err := simulate(ryze.WithObserver(otelryze.Observer(otelryze.WithMeterProvider(meters))))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, service.close()) }()
	stream, err := service.instance.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()

	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	page := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- page.Serve(listener) }()
	defer func() {
		err = errors.Join(err, page.Close())
		if serving := <-served; !errors.Is(serving, http.ErrServerClosed) {
			err = errors.Join(err, serving)
		}
	}()
	fmt.Fprintf(out, "Metrics: http://%s/metrics\n", listener.Addr())

	go service.customer(ctx)
	err = stream.Handle(ctx, ryze.On(func(ctx context.Context, event *ryze.Event, message *ryze.MessageEvent) error {
		if event.Origin(source) != ryze.OriginCustomer {
			return ryze.ErrIgnore
		}
		_, err := service.instance.Messages.SendText(ctx, message.Chat.JID, "You said: "+message.Text)
		return err
	}))
	if ctx.Err() != nil {
		return nil // it was told to stop
	}
	return err
}
