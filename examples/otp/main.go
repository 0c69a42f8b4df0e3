// Command otp is an HTTP service that sends one-time passwords. A request names a
// phone and carries a key of its own; asked again with the same key, it tells how the
// same code is getting on, and never sends another.
//
//	go run ./examples/otp
//
// plays it against a simulator. With a number of yours (RYZE_INSTANCE and
// RYZE_INSTANCE_TOKEN) and a secret of at least 16 bytes (OTP_SECRET) it serves:
//
//	go run ./examples/otp -listen localhost:8080 -file otp.db
//	curl -i -H "Idempotency-Key: 4f1c" -d phone=5511987654321 localhost:8080/otp
//
//	200  sent
//	202  on its way: ask again with the same key after Retry-After
//	429  this phone was sent a code a moment ago
//	503  cannot be sent now: ask again, with another key if it says so
package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"sync"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/outbox"
)

func main() {
	listen := flag.String("listen", "localhost:8080", "address to serve on")
	file := flag.String("file", "otp.db", "the outbox, a SQLite file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := start(ctx, *listen, *file, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "otp:", err)
		os.Exit(1)
	}
}

const (
	valid    = 5 * time.Minute  // a code; it is not sent after that
	between  = 30 * time.Second // two codes for one phone
	patience = 3 * time.Second  // of a request, to see it sent
)

type otp struct {
	mu       sync.Mutex
	outbox   *outbox.Outbox
	instance string
	secret   []byte
}

// code follows from the key and the person, so a request that is repeated asks for
// the same message, and whoever checks a code needs no table of them.
func (s *otp) code(key string, to ryze.JID) string {
	mac := hmac.New(sha256.New, s.secret)
	fmt.Fprintf(mac, "%q %q", key, slices.Min(ryze.BrazilAliases(to))) // with and without the ninth digit
	return fmt.Sprintf("%06d", binary.BigEndian.Uint64(mac.Sum(nil))%1_000_000)
}

func (s *otp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Idempotency-Key")
	to, err := ryze.PhoneJID(r.PostFormValue("phone"))
	if err != nil || key == "" {
		answer(w, http.StatusBadRequest, 0, "an Idempotency-Key and a phone are needed")
		return
	}
	entry, wait, err := s.add(r.Context(), key, to)
	switch {
	case wait > 0:
		answer(w, http.StatusTooManyRequests, wait, "a code was sent to this phone a moment ago")
		return
	case errors.Is(err, outbox.ErrKeyReused):
		answer(w, http.StatusUnprocessableEntity, 0, "the key belongs to another phone")
		return
	case errors.Is(err, ryze.ErrInvalidArgument):
		answer(w, http.StatusBadRequest, 0, err.Error())
		return
	case err != nil: // the file is full, above all
		answer(w, http.StatusServiceUnavailable, 5*time.Second, "cannot take it now")
		return
	}
	// It is on disk: from here on nothing that happens to this program loses it.
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	if last, _ := s.outbox.Wait(ctx, key); last != nil {
		entry = last
	}
	switch {
	case entry.State == outbox.Sent:
		answer(w, http.StatusOK, 0, "sent")
	case entry.State == outbox.Failed:
		answer(w, http.StatusUnprocessableEntity, 0, "cannot be sent to this phone")
	case entry.Settled(): // expired, or looked for in vain
		answer(w, http.StatusServiceUnavailable, between, "was not sent in time: ask with another key")
	default: // queued, sending, or looked for
		answer(w, http.StatusAccepted, patience, "on its way")
	}
}

// add takes a code, or says how long the phone has to wait for one. It does one at a
// time: of requests that come together, one is the first.
func (s *otp) add(ctx context.Context, key string, to ryze.JID) (*outbox.Entry, time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if wait, err := s.tooSoon(ctx, key, to); wait > 0 || err != nil {
		return nil, wait, err
	}
	entry, err := s.outbox.Add(ctx, outbox.Message{
		Key: key, Instance: s.instance, To: to, Content: ryze.Text("Your code is " + s.code(key, to)),
		Priority: ryze.PriorityHigh, ExpiresAt: time.Now().Add(valid),
	})
	return entry, 0, err
}

// tooSoon says how long a phone has to wait for another code.
func (s *otp) tooSoon(ctx context.Context, key string, to ryze.JID) (wait time.Duration, err error) {
	for e, err := range s.outbox.Entries(ctx, outbox.Filter{Instance: s.instance, To: to}) {
		if err != nil || e.Key == key {
			return 0, err
		}
		wait = between - time.Since(e.AddedAt)
	}
	return wait, nil
}

func answer(w http.ResponseWriter, status int, again time.Duration, text string) {
	if again > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((again+time.Second-1)/time.Second)))
	}
	http.Error(w, text, status)
}
