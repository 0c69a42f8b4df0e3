package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/examples/internal/demo"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

func start(ctx context.Context, job job, lists []string, out, screen io.Writer) (err error) {
	service, err := demo.Open(config())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, service.Close()) }()
	if service.Simulator != nil {
		dir, err := os.MkdirTemp("", "broadcast")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		return rehearse(ctx, service, filepath.Join(dir, "broadcast.db"), out, screen)
	}
	if job.text == "" || job.name == "" {
		return errors.New("say what to send and what it is called: -text and -name")
	}
	if job.recipients, err = readFiles(lists); err != nil {
		return err
	}
	return run(ctx, service.Instance, job, out, screen)
}

// config gives the simulator a quota with which the demonstration takes
// seconds. The service's is 100 requests a minute.
func config(simulator ...ryzetest.Option) demo.Config {
	return demo.Config{Simulator: append(simulator, ryzetest.WithRateLimit(6000))}
}

const people = 250

// rehearse plays a broadcast that is interrupted and goes on.
func rehearse(ctx context.Context, service *demo.Service, file string, out, screen io.Writer) error {
	job := job{name: "opening", text: "We open at nine.", file: file}
	for i := range people {
		job.recipients = append(job.recipients, ryze.JID(fmt.Sprintf("5511987%06d", i)))
	}
	service.Simulator.SetUnreachable("5511987000007", "551187000007") // with and without the ninth digit
	slow := func(n int) ryzetest.Fault { return ryzetest.Fault{Times: n, Delay: 20 * time.Millisecond} }
	service.Simulator.Fault("messages.text",
		slow(40), ryzetest.Fault{Drop: ryzetest.DropAfterProcess}, // sent
		slow(130), ryzetest.Fault{Drop: ryzetest.DropAfterProcess}, // sent
		slow(people),
	)

	fmt.Fprintln(out, "$ broadcast        (and Ctrl-C)")
	interrupted, end := service.Play(ctx, func(ctx context.Context, service *demo.Service) {
		demo.Until(ctx, func() bool { return len(service.Phone.Sent()) >= 100 })
	})
	err := run(interrupted, service.Instance, job, out, screen)
	end()
	if err != nil || ctx.Err() != nil {
		return err
	}
	fmt.Fprintln(out, "\n$ broadcast")
	return run(ctx, service.Instance, job, out, screen)
}
