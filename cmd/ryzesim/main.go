// Command ryzesim runs the RyzeAPI simulator on a port, for programs in any
// language: they are written, demonstrated and tested without an account.
//
//	go run github.com/ryzeapi/ryze-go/cmd/ryzesim -auto-pair 2s
//
// With -tls it speaks HTTP/2 too; -cert writes the certificate that clients have to
// trust ("curl --cacert", or SSL_CERT_FILE for programs in Go on Linux).
//
// It prints what to export, then one line per request: route, instance, status,
// and what of it the documentation does not have. With -console it reads
// commands from standard input that play the phone and its customers; "help"
// lists them. It stops on SIGINT and SIGTERM.
package main

import (
	"context"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "ryzesim:", err)
		os.Exit(1)
	}
}

// run serves until the context ends.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) error {
	var (
		flags      = flag.NewFlagSet("ryzesim", flag.ContinueOnError)
		addr       = flags.String("addr", "127.0.0.1:8484", "address to listen on")
		token      = flags.String("token", "", "account token (random when empty)")
		secure     = flags.Bool("tls", false, "serve https, with HTTP/2 and HTTP/1.1")
		certFile   = flags.String("cert", "", "write the certificate of -tls to this file, in PEM, for clients to trust")
		quota      = flags.Int("quota", 100, "instances that the account may have")
		rate       = flags.Int("rate", 100, "requests per minute and token (-1: no limit)")
		createRate = flags.Int("create-rate", 20, "instance creations per minute and token")
		layout     = flags.String("layout", string(ryzetest.LayoutLive), "shape of message.exchange events: live or documented")
		autoPair   = flags.Duration("auto-pair", 0, "pair each connecting instance after this long (0: never)")
		targets    = flags.String("webhook-targets", "loopback", "where webhooks may be delivered: loopback or any")
		name       = flags.String("instance", "", "create this instance, already connected")
		console    = flags.Bool("console", false, "read commands from standard input")
		quiet      = flags.Bool("quiet", false, "do not log requests")
	)
	flags.SetOutput(errOut)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}

	log := &lines{w: out}
	opts := []ryzetest.Option{
		ryzetest.WithListen(*addr),
		ryzetest.WithQuota(*quota),
		ryzetest.WithRateLimit(*rate),
		ryzetest.WithCreateRateLimit(*createRate),
	}
	if *secure {
		opts = append(opts, ryzetest.WithTLS())
	} else if *certFile != "" {
		return errors.New("-cert needs -tls")
	}
	if *token != "" {
		opts = append(opts, ryzetest.WithAccountToken(*token))
	}
	switch l := ryzetest.Layout(*layout); l {
	case ryzetest.LayoutLive, ryzetest.LayoutDocumented:
		opts = append(opts, ryzetest.WithLayout(l))
	default:
		return fmt.Errorf("-layout must be live or documented, not %q", *layout)
	}
	switch *targets {
	case "loopback":
	case "any":
		opts = append(opts, ryzetest.WithWebhookClient(&http.Client{}))
	default:
		return fmt.Errorf("-webhook-targets must be loopback or any, not %q", *targets)
	}
	if *autoPair > 0 {
		opts = append(opts, ryzetest.WithAutoPair(*autoPair))
	}
	if !*quiet {
		opts = append(opts, ryzetest.WithObserver(log.request))
	}

	srv, err := ryzetest.Start(opts...)
	if err != nil {
		return err
	}
	defer srv.Close()
	if *certFile != "" {
		block := &pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}
		if err := os.WriteFile(*certFile, pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	log.printf("export RYZE_BASE_URL=%s RYZE_ACCOUNT_TOKEN=%s", srv.URL, srv.AccountToken)
	if *name != "" {
		i := srv.AddInstance(*name)
		i.Pair("")
		log.printf("export RYZE_INSTANCE=%s RYZE_INSTANCE_TOKEN=%s", i.Name(), i.Token())
	}
	if *console {
		// A read from a terminal cannot be interrupted: this goroutine ends
		// with the program, or with its input.
		go command(srv, in, log)
	}
	<-ctx.Done()
	return nil
}

// lines writes whole lines from many goroutines.
type lines struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lines) printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.w, format+"\n", args...)
}

func (l *lines) request(r ryzetest.Request) {
	var b strings.Builder
	what := r.Route
	if what == "" {
		what = r.Method + " " + r.Path
	}
	fmt.Fprintf(&b, "%s %s", r.Time.Format(time.TimeOnly), what)
	if r.Instance != "" {
		fmt.Fprintf(&b, " instance=%q", r.Instance)
	}
	if r.Status == 0 {
		b.WriteString(" dropped")
	} else {
		fmt.Fprintf(&b, " %d", r.Status)
	}
	for _, v := range r.Violations {
		fmt.Fprintf(&b, " [%s: %s]", v.Kind, v.Detail)
	}
	l.printf("%s", b.String())
}
