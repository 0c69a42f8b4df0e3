// Command broadcast sends one text to a list of people, each of them once,
// whatever happens: it may be interrupted or crash, the service may fail in the
// middle of a send. Run it again with the same outbox to go on.
//
//	go run ./examples/broadcast
//
// plays it against a simulator: 250 people, an interruption, and two sends that
// fail although the message went out. With a number of yours (RYZE_INSTANCE and
// RYZE_INSTANCE_TOKEN):
//
//	go run ./examples/broadcast -text "We open at nine" -name opening -pace 20 people.csv
//
// The list is read from files or from the standard input. A number is alone on
// its line, or in the first column of a CSV.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/outbox"
)

func main() {
	var job job
	flag.StringVar(&job.name, "name", "", "the name of the broadcast: everybody gets it once")
	flag.StringVar(&job.text, "text", "", "what to send")
	flag.StringVar(&job.file, "outbox", "broadcast.db", "the file that remembers who got it")
	flag.Float64Var(&job.pace, "pace", 20, "messages a minute, between 8 and 20 o'clock; 0: as many as the quota allows, at any time")
	flag.BoolVar(&job.again, "again", false, "send again to those whose message was looked for and not found")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	if err := start(ctx, job, flag.Args(), os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "broadcast:", err)
		os.Exit(1)
	}
}

// job is what is to be done.
type job struct {
	name, text string
	recipients []ryze.JID
	file       string
	pace       float64
	again      bool
}

func run(ctx context.Context, inst *ryze.InstanceClient, job job, out, screen io.Writer) (err error) {
	var opts []outbox.Option
	if job.pace > 0 { // no pace is known that protects a number; see docs/quota.md
		opts = append(opts, outbox.WithPacing(inst.Name(), outbox.Pacing{
			PerMinute: job.pace, Jitter: time.Duration(float64(time.Minute) / job.pace),
			From: 8 * time.Hour, Until: 20 * time.Hour, Location: time.Local,
		}))
	}
	if job.again {
		opts = append(opts, outbox.WithResendWhenNotFound())
	}
	open := func(context.Context, string) (*ryze.InstanceClient, error) { return inst, nil }
	box, err := outbox.OpenSQLite(job.file, open, opts...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.Close()) }()

	// 1. Everybody is written down. Whoever is there already stays as he is.
	for _, to := range job.recipients {
		if ctx.Err() != nil {
			break
		}
		_, err := box.Add(ctx, outbox.Message{Key: job.key(to), Instance: inst.Name(), To: to, Content: ryze.Text(job.text)})
		if errors.Is(err, outbox.ErrKeyReused) {
			return fmt.Errorf("%q has another text: choose another -name: %w", job.name, err)
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}

	// 2. The outbox sends. Echoes settle at once what would have to be looked for.
	running, stop := context.WithCancel(ctx)
	defer stop()
	var working sync.WaitGroup
	var runErr error
	working.Go(func() { defer stop(); runErr = box.Run(running) })
	working.Go(func() { listen(running, inst, box) })
	waitErr := job.wait(running, box, screen)
	stop()
	working.Wait() // sends under way may finish

	// 3. What became of them.
	if err := job.summarize(context.WithoutCancel(ctx), box, out); err != nil {
		return err
	}
	if ctx.Err() != nil {
		fmt.Fprintln(out, "Interrupted. Run it again to go on.")
		return nil
	}
	return errors.Join(runErr, waitErr)
}

// key is the same for both forms of a Brazilian number.
func (j job) key(to ryze.JID) string {
	return j.name + "/" + slices.Min(ryze.BrazilAliases(to)).Phone()
}

// listen gives the outbox the events of the instance. Without them it looks for
// what it does not know.
func listen(ctx context.Context, inst *ryze.InstanceClient, box *outbox.Outbox) {
	stream, err := inst.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}))
	if err != nil {
		return
	}
	defer func() { _ = stream.Close() }()
	_ = stream.Handle(ctx, box.Observe)
}

// wait waits until nothing more will be done by itself.
func (j job) wait(ctx context.Context, box *outbox.Outbox, screen io.Writer) error {
	bar := progressbar.NewOptions(len(j.recipients), progressbar.OptionSetWriter(screen), progressbar.OptionSetDescription("Sending"),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
	defer func() { _ = bar.Exit() }()
	for done, to := range j.recipients {
		_ = bar.Set(done)
		if _, err := box.Wait(ctx, j.key(to)); err != nil {
			return err
		}
	}
	return bar.Finish()
}

func (j job) summarize(ctx context.Context, box *outbox.Outbox, out io.Writer) error {
	count := map[outbox.State]int{}
	for _, to := range j.recipients {
		e, err := box.Get(ctx, j.key(to))
		if errors.Is(err, outbox.ErrNotFound) { // it was interrupted before
			e, err = &outbox.Entry{State: outbox.Queued}, nil
		}
		if err != nil {
			return err
		}
		count[e.State]++
		if e.State == outbox.Failed {
			fmt.Fprintf(out, "  %s: %s\n", to, e.Reason)
		}
	}
	fmt.Fprintf(out, "%d sent, %d failed, %d unknown, %d left.\n",
		count[outbox.Sent], count[outbox.Failed], count[outbox.Unknown], count[outbox.Queued]+count[outbox.Sending])
	if count[outbox.Unknown] > 0 {
		fmt.Fprintln(out, "What is unknown was looked for and not found, or will be looked for by the next run. With -again it is sent then.")
	}
	return nil
}
