// Command ryzesim runs the RyzeAPI simulator on a port, for programs in any
// language: they are written, demonstrated and tested without an account.
//
//	go run github.com/ryzeapi/ryze-go/cmd/ryzesim -instance support-line
//
// It prints what to export, then one line per request: route, instance, status,
// and what of it the documentation does not have; with -log-text recipient and text
// too, and never a token. With -console it reads commands from standard input that
// play the phone and its customers; "help" lists them. It stops on SIGINT and SIGTERM.
//
// # Tokens
//
// On loopback the tokens are public and invented, and the same at each start: the
// account's is fa15e000-0000-4000-8000-0000000acc07, and that of an instance follows
// from its name. On any other address they are random, or that of the account is in
// the variable RYZESIM_TOKEN; the public ones are refused there, and -token is too.
//
// # The page
//
// On loopback it serves a page on which one sees and plays the chats, and a control API
// for tests in any language; -control=false turns both off. On any other address they
// are off until -control is given, and want a token: that of RYZESIM_CONTROL_TOKEN, or a
// random one, which is part of the page's address.
//
// # State
//
// With -state FILE everything survives a restart: instances with their tokens, chats,
// messages with media, groups, contacts, webhooks and what waits for them, rate
// windows and the time that the clock was advanced by. The file is JSON, with a version,
// for its owner alone (0600): tokens are in it. It is written at the end, and a second
// after a change. After kill -9 the changes of about the last second are missing. A large
// file is written less often, so that this takes a tenth of the time at most: then it is
// ten times what a write takes, and never more than a minute. A file that cannot be
// read, or is of a newer version, is an error and stays as it is. A second program
// that is given the same file does not start; the lock is the file FILE.lock, and ends
// with the program.
//
// # TLS
//
// With -tls it makes a certificate and says where it is, for "curl --cacert", or for
// SSL_CERT_FILE of programs in Go on Linux; -cert chooses the file. HTTP/2 is spoken
// over TLS only, and -http2=false leaves HTTP/1.1. Event streams use HTTP/1.1.
package main

import (
	"context"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

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
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) (err error) {
	c, err := parse(args, errOut)
	if err != nil {
		return err
	}
	p := &program{settings: c, log: &lines{w: out}}
	if err := p.start(); err != nil { //nolint:contextcheck // the simulator works until it is closed
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()

	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	if p.keeper != nil {
		work.Go(func() { p.keeper.watch(ctx, p.srv) })
		work.Go(func() { p.keeper.run(ctx) })
	}
	p.announce()
	if p.shop != nil {
		work.Go(func() { p.shop.run(ctx) })
	}
	if c.console {
		// A read from a terminal cannot be interrupted: this goroutine ends
		// with the program, or with its input.
		go newConsole(p.srv, p.log, p.touch).read(in) //nolint:contextcheck // the same
	}
	<-ctx.Done()
	return nil
}

// program is a simulator that runs.
type program struct {
	*settings
	log       *lines
	srv       *ryzetest.Server
	keeper    *keeper // nil without -state
	shop      *demo   // nil without -demo
	page      string  // address of the page, or ""
	temporary string  // folder to remove at the end, or ""
	unlock    func()  // gives the file of the state back, or nil
}

func (p *program) start() (err error) {
	opts, err := p.options()
	if err != nil {
		return err
	}
	var stored *os.File
	if p.state != "" {
		if p.state, err = stateFile(p.state); err != nil {
			return fmt.Errorf("-state: %w", err)
		}
		if p.unlock, err = lock(p.state); err != nil {
			return fmt.Errorf("-state: %w", err)
		}
		defer func() {
			if err != nil {
				p.unlock()
			}
		}()
		if stored, err = openState(p.state); err != nil {
			return fmt.Errorf("-state: %w", err)
		}
	}
	tokens, err := p.tokens(stored != nil)
	if err != nil {
		return err
	}
	opts = append(opts, tokens...)
	control, pageToken := p.controlOptions()
	opts = append(opts, control...)
	if stored != nil {
		defer func() { _ = stored.Close() }() // it was only read
		opts = append(opts, ryzetest.WithState(stored))
	}
	started := make(chan struct{}) // requests may come before Start has returned
	if !p.quiet {
		log := &requestLog{lines: p.log, texts: p.logText, secrets: func() []string {
			<-started
			return tokensOf(p.srv)
		}}
		opts = append(opts, ryzetest.WithObserver(log.request))
	}
	if p.srv, err = ryzetest.Start(opts...); err != nil {
		if stored != nil {
			return fmt.Errorf("%w (-state %s is left as it is)", err, p.state)
		}
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("%w: another ryzesim, perhaps; -addr takes another port", err)
		}
		return err
	}
	close(started)
	if len(control) > 0 {
		p.page = pageAddress(p.srv.URL, pageToken)
	}
	if err := p.prepare(); err != nil {
		return errors.Join(err, p.stop())
	}
	if p.state != "" {
		p.keeper = newKeeper(p.state, p.srv, func(err error) { p.log.printf("The state is not saved: %v", err) })
		if err := p.keeper.write(); err != nil {
			p.keeper = nil // it would fail again, and be told twice
			return errors.Join(fmt.Errorf("-state: %w", err), p.stop())
		}
	}
	return nil
}

// prepare does what is done once the server is there.
func (p *program) prepare() error {
	if err := refusePublicTokens(p.srv, p.addr); err != nil {
		return err
	}
	if p.secure {
		if err := p.writeCertificate(); err != nil {
			return err
		}
	}
	p.srv.SetStranger(p.stranger)
	if p.demo {
		p.shop = newDemo(p.srv, p.log, language(p.lang))
		for _, line := range []*ryzetest.Instance{p.shop.courier, p.shop.shop} {
			if !slices.Contains(p.instances, line.Name()) {
				p.instances = slices.Insert(p.instances, 0, line.Name())
			}
		}
	}
	for _, name := range p.instances {
		if p.srv.Instance(name) == nil {
			p.srv.AddInstance(name).Pair("")
		}
	}
	return nil
}

func (p *program) writeCertificate() error {
	if p.cert == "" {
		dir, err := os.MkdirTemp("", "ryzesim-")
		if err != nil {
			return err
		}
		p.temporary, p.cert = dir, filepath.Join(dir, "cert.pem")
	}
	// Whoever pastes the line stands in another directory.
	if whole, err := filepath.Abs(p.cert); err == nil {
		p.cert = whole
	}
	block := &pem.Block{Type: "CERTIFICATE", Bytes: p.srv.Certificate().Raw}
	return os.WriteFile(p.cert, pem.EncodeToMemory(block), 0o600)
}

// stop ends everything, and writes the state a last time.
func (p *program) stop() error {
	p.srv.Close()
	var err error
	if p.keeper != nil {
		err = p.keeper.write()
	}
	if p.temporary != "" {
		err = errors.Join(err, os.RemoveAll(p.temporary))
	}
	if p.unlock != nil {
		p.unlock()
	}
	return err
}

// touch says that a command may have changed the state.
func (p *program) touch() {
	if p.keeper != nil {
		p.keeper.touch()
	}
}

// announce prints what a newcomer needs. What is no command is a comment, so that
// the lines can be pasted into a shell as they are.
func (p *program) announce() {
	token := p.srv.AccountToken
	if token == os.Getenv(tokenVariable) {
		token = `"$` + tokenVariable + `"` // whoever has set it knows it
	} else {
		token = shellWord(token)
	}
	if p.page != "" {
		p.log.printf("# The page: %s", p.page)
	}
	p.log.printf("export RYZE_BASE_URL=%s RYZE_ACCOUNT_TOKEN=%s", p.srv.URL, token)
	before := ""
	for _, name := range p.names() {
		i := p.srv.Instance(name)
		p.log.printf("%sexport RYZE_INSTANCE=%s RYZE_INSTANCE_TOKEN=%s", before, shellWord(name), shellWord(i.Token()))
		before = "# or: "
	}
	if p.secure {
		p.log.printf("export SSL_CERT_FILE=%s   # the certificate; curl takes it with --cacert", shellWord(p.cert))
	}
	lost := "What it holds is lost then; -state FILE keeps it."
	if p.state != "" {
		lost = "What it holds is kept in " + p.state + "."
	}
	p.log.printf("# Ctrl-C stops it. %s", plain(lost))
}

// maxAnnounced bounds how many instances the head of the output names.
const maxAnnounced = 10

// names are those of the flags first, then those that the state has brought.
func (p *program) names() []string {
	names := slices.Clone(p.instances)
	for _, i := range p.srv.Instances() {
		if len(names) < maxAnnounced && !slices.Contains(names, i.Name()) && p.srv.Instance(i.Name()) == i {
			names = append(names, i.Name())
		}
	}
	return names
}

// shellWord quotes a word for a shell, if it needs that.
func shellWord(s string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:@%+,", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !safe(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
