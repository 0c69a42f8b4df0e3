// Command broadcast sends one text to a list of people, each of them once,
// whatever happens: it may be interrupted or crash, the service may fail in the
// middle of a send. Run it again with the same journal to go on.
//
//	go run ./examples/broadcast
//
// plays it against a simulator: 250 people, an interruption, and three sends
// that fail without telling whether the message went out. With a number of
// yours (RYZE_INSTANCE and RYZE_INSTANCE_TOKEN):
//
//	go run ./examples/broadcast -text "We open at nine" -journal opening.jsonl people.csv
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
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/sync/errgroup"

	ryze "github.com/ryzeapi/ryze-go"
)

func main() {
	var job job
	flag.StringVar(&job.text, "text", "", "what to send")
	flag.StringVar(&job.journal, "journal", "broadcast.jsonl", "the file that remembers who got it")
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
	text       string
	recipients []ryze.JID
	journal    string
	again      bool
	patience   time.Duration // how long a message may take to show in the history
}

const (
	parallel    = 4  // the client shares the quota among them
	mostUnknown = 10 // so many in one run are a service in trouble
)

// broadcast is one run of a job.
type broadcast struct {
	job
	inst    *ryze.InstanceClient
	journal *journal
	out     io.Writer

	mu      sync.Mutex
	unknown map[ryze.JID]error // sends that may have happened
}

func run(ctx context.Context, inst *ryze.InstanceClient, job job, out, screen io.Writer) (err error) {
	journal, err := openJournal(job.journal, inst.Name(), job.text)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.close()) }()
	b := &broadcast{job: job, inst: inst, journal: journal, out: out, unknown: map[ryze.JID]error{}}

	// 1. What an earlier run has left open.
	err = b.lookBack(ctx)
	// 2. Everybody who is left.
	if err == nil {
		err = b.sendAll(ctx, screen)
	}
	// 3. What this run has left open.
	if err == nil && ctx.Err() == nil {
		err = b.settle(ctx)
	}
	b.summarize()
	if ctx.Err() != nil {
		fmt.Fprintln(out, "Interrupted. Run it again to go on.")
		return nil
	}
	return err
}

// sendAll uses the quota as far as it goes, and waits when it is used up: the
// client does that by itself.
func (b *broadcast) sendAll(ctx context.Context, screen io.Writer) error {
	var left []ryze.JID
	for _, to := range b.recipients {
		if b.journal.state(to).open() {
			left = append(left, to)
		}
	}
	bar := progressbar.NewOptions(len(left), progressbar.OptionSetWriter(screen), progressbar.OptionSetDescription("Sending"),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100*time.Millisecond))
	defer func() { _ = bar.Exit() }()

	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	// An interruption begins no new sends. Those under way may finish, or else
	// nobody would know what became of them.
	sending, cancel := withGrace(ctx, 10*time.Second)
	defer cancel()
	for _, to := range left {
		group.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			defer func() { _ = bar.Add(1) }()
			return b.send(sending, to)
		})
	}
	return group.Wait()
}

// send writes down what it is about to do, does it, and writes down what came
// of it. Its error ends the run: it concerns everybody, not this recipient.
func (b *broadcast) send(ctx context.Context, to ryze.JID) error {
	e := entry{At: time.Now(), To: to, State: sending}
	if err := b.journal.write(e); err != nil {
		return err
	}
	message, err := b.inst.Messages.SendText(ctx, to, b.text)
	var stop error
	switch {
	case err == nil:
		e.State, e.ID = sent, message.ID
	case errors.Is(err, ryze.ErrOutcomeUnknown):
		e.State, e.Reason = unknown, err.Error()
		stop = b.remember(to, err)
	case errors.Is(err, ryze.ErrInvalidArgument): // a number that is not on WhatsApp, above all
		e.State, e.Reason = failed, err.Error()
	default: // it was certainly not sent, nor will the next one be
		e.State, e.Reason = unsent, err.Error()
		stop = err
	}
	return errors.Join(b.journal.write(e), stop)
}

func (b *broadcast) remember(to ryze.JID, err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unknown[to] = err
	if len(b.unknown) >= mostUnknown {
		return fmt.Errorf("%d sends with an unknown outcome, the last one: %w", len(b.unknown), err)
	}
	return nil
}

func (b *broadcast) summarize() {
	count := map[state]int{}
	for _, to := range b.recipients {
		e := b.journal.state(to)
		if e.State == "" {
			e.State = unsent
		}
		count[e.State]++
		if e.State == failed {
			fmt.Fprintf(b.out, "  %s: %s\n", to, e.Reason)
		}
	}
	fmt.Fprintf(b.out, "%d sent, %d failed, %d not found, %d unknown, %d left.\n",
		count[sent], count[failed], count[missing], count[sending]+count[unknown], count[unsent])
	if count[missing] > 0 {
		fmt.Fprintln(b.out, "What was not found was most likely not sent: -again sends it.")
	}
}

// withGrace returns a context that ends some time after ctx.
func withGrace(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return longer, cancel
}
