// Command tenants is a service with many customers, each with a WhatsApp number of
// its own: it creates an instance at the sign-up, shows the QR code, brings each
// message to the customer that it is for, and deletes the instance at the end.
//
//	go run ./examples/tenants
//
// plays two customers against a simulator. With RYZE_ACCOUNT_TOKEN, TENANTS_OPERATOR
// (a password) and TENANTS_KEY (32 bytes in base64) it serves, behind a proxy that
// speaks TLS; -public is where the service reaches it:
//
//	go run ./examples/tenants -listen :8080 -file tenants.json -public https://crm.example
//	curl -u operator:... -d id=pizzeria https://crm.example/tenants   # tells the password of "pizzeria"
//	open https://crm.example/pairing                                  # as "pizzeria", and scan
//	curl -u pizzeria:... -d to=5511987654321 -d text=Hello https://crm.example/messages
//	curl -u pizzeria:... https://crm.example/messages
//	curl -u pizzeria:... -X DELETE https://crm.example/tenant
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"log"
	"math"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
)

func main() {
	listen := flag.String("listen", "localhost:8080", "address to serve on")
	file := flag.String("file", "tenants.json", "what is known of the customers")
	public := flag.String("public", "", "the address under which the service reaches this program")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := start(ctx, *listen, *file, *public, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "tenants:", err)
		os.Exit(1)
	}
}

type tenants struct {
	account  *ryze.AccountClient // one client for all: its pool and its limiter are shared, quotas are not
	store    *store
	public   string
	operator ryze.Secret
	log      *log.Logger

	mu   sync.Mutex
	live map[string]*tenant
}

// tenant is a customer at work. What it holds is its own: another's flood of messages
// fills another's inbox, and another's quota is spent on another's token.
type tenant struct {
	Row
	inst  *ryze.InstanceClient // acts with the token of the instance, never with the account's
	hooks http.Handler

	mu       sync.Mutex
	messages []Message
}

type Message struct{ From, Text string }

// enter puts a customer to work, at the sign-up and at each start.
func (s *tenants) enter(row Row) error {
	t := &tenant{Row: row, inst: s.account.Client().Instance(row.instance(), row.Token.Reveal())}
	inbox, err := ryze.NewInbox(ryze.On(t.receive)) // each message once, however often it is delivered
	if err != nil {
		return err
	}
	t.hooks = inbox.Handler(row.Authorization.Reveal(), ryze.WithInstances(row.instance()))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live[row.ID] = t
	return nil
}

func (t *tenant) receive(_ context.Context, _ *ryze.Event, m *ryze.MessageEvent) error {
	if m.Direction != ryze.DirectionIncoming || m.Text == "" {
		return ryze.ErrIgnore
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.messages = append(t.messages, Message{From: m.Chat.JID.User(), Text: m.Text}) // a database, in earnest
	t.messages = t.messages[max(0, len(t.messages)-100):]
	return nil
}

func (s *tenants) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /tenants", s.signUp)
	mux.HandleFunc("GET /pairing", s.as((*tenants).pair))
	mux.HandleFunc("GET /messages", s.as((*tenants).list))
	mux.HandleFunc("POST /messages", s.as((*tenants).send))
	mux.HandleFunc("DELETE /tenant", s.as((*tenants).leave))
	mux.HandleFunc("POST /hooks/{tenant}", func(w http.ResponseWriter, r *http.Request) {
		if t := s.tenant(r.PathValue("tenant")); t != nil {
			t.hooks.ServeHTTP(w, r) // checks the authorization and the instance of this one
			return
		}
		answer(w, http.StatusUnauthorized, "error", "nobody is here")
	})
	return http.NewCrossOriginProtection().Handler(mux) // browsers send passwords along by themselves
}

func (s *tenants) tenant(id string) *tenant {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live[id]
}

// as finds out who asks. Everything else follows from that: no request names an instance.
func (s *tenants) as(do func(*tenants, context.Context, http.ResponseWriter, *http.Request, *tenant) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, password, _ := r.BasicAuth()
		t := s.tenant(id)
		if t == nil || !same(t.Password, password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="tenants"`)
			answer(w, http.StatusUnauthorized, "error", "wrong name or password")
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), 15*time.Second)
		defer cancel()
		if err := do(s, ctx, w, r, t); err != nil {
			s.fail(w, t.ID, err)
		}
	}
}

// signUp writes the tokens down before it uses them, so that no instance is lost,
// whatever happens to this program or to the reply.
func (s *tenants) signUp(w http.ResponseWriter, r *http.Request) {
	if id, password, _ := r.BasicAuth(); id != "operator" || !same(hash(s.operator.Reveal()), password) {
		answer(w, http.StatusUnauthorized, "error", "wrong name or password")
		return
	}
	password := rand.Text()
	row := Row{
		ID: r.PostFormValue("id"), Password: hash(password),
		Token: ryze.Secret(rand.Text()), Authorization: ryze.Secret("Bearer " + rand.Text()),
	}
	if err := s.store.add(row); err != nil {
		s.fail(w, row.ID, err)
		return
	}
	_, err := s.account.CreateInstance(r.Context(), ryze.CreateInstanceParams{
		Name: row.instance(), Token: row.Token,
		Webhook: &ryze.WebhookConfig{
			URL: s.public + "/hooks/" + row.ID, Authorization: row.Authorization, Events: []ryze.EventType{ryze.EventMessage},
		},
	})
	if err == nil {
		row.Ready = true
		err = cmp.Or(s.store.put(row), s.enter(row))
	}
	if err != nil {
		undone := s.remove(context.WithoutCancel(r.Context()), row, err)
		if undone == nil && ryze.OutcomeOf(err) != ryze.OutcomeNotAccepted {
			err = fmt.Errorf("%w: %w", errUndone, err)
		}
		s.fail(w, row.ID, errors.Join(err, undone))
		return
	}
	s.log.Printf("%s has signed up.", row.ID)
	answer(w, http.StatusCreated, "password", password) // said once, and kept as a hash
}

// remove deletes the instance, unless it is certain that there is none, and then
// forgets the customer. A start does it again for what was not finished.
func (s *tenants) remove(ctx context.Context, row Row, because error) error {
	if because == nil || ryze.OutcomeOf(because) != ryze.OutcomeNotAccepted { // a name that is taken is somebody else's
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		if err := s.account.DeleteInstance(ctx, row.instance()); err != nil && !errors.Is(err, ryze.ErrInstanceNotFound) {
			return err
		}
	}
	s.mu.Lock()
	delete(s.live, row.ID)
	s.mu.Unlock()
	return s.store.remove(row.ID)
}

var page = template.Must(template.New("").Parse(`<!doctype html><meta name="viewport" content="width=device-width">
<title>Pairing</title>{{if .}}<meta http-equiv="refresh" content="15"><p>WhatsApp, Linked devices, Link a device:</p>
<img alt="QR code" src="data:image/png;base64,{{.}}">{{else}}<p>Connected.</p>{{end}}`))

// pair shows the code, which lives for twenty seconds. Whoever sees it can take the number.
func (s *tenants) pair(ctx context.Context, w http.ResponseWriter, _ *http.Request, t *tenant) error {
	pairing, err := t.inst.Connect(ctx, ryze.ConnectParams{})
	if err != nil {
		return err
	}
	var picture string
	if !pairing.AlreadyConnected() {
		picture = base64.StdEncoding.EncodeToString(pairing.PNG())
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src data:")
	return page.Execute(w, picture)
}

func (s *tenants) list(_ context.Context, w http.ResponseWriter, _ *http.Request, t *tenant) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	answer(w, http.StatusOK, "messages", t.messages)
	return nil
}

func (s *tenants) send(ctx context.Context, w http.ResponseWriter, r *http.Request, t *tenant) error {
	sent, err := t.inst.Messages.SendText(ctx, ryze.JID(r.PostFormValue("to")), r.PostFormValue("text"))
	if err == nil {
		answer(w, http.StatusOK, "id", sent.ID)
	}
	return err
}

func (s *tenants) leave(ctx context.Context, w http.ResponseWriter, _ *http.Request, t *tenant) error {
	err := s.remove(context.WithoutCancel(ctx), t.Row, nil)
	if err == nil {
		s.log.Printf("%s has left.", t.ID)
		answer(w, http.StatusOK, "left", t.ID)
	}
	return err
}

// fail says what a customer can do. The rest is for the operator.
func (s *tenants) fail(w http.ResponseWriter, id string, err error) {
	s.log.Printf("%s: %v", id, err)
	if wait, again := ryze.RetryAfter(err); again {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	switch {
	case errors.Is(err, ryze.ErrInvalidArgument):
		answer(w, http.StatusBadRequest, "error", err.Error())
	case errors.Is(err, errUndone):
		answer(w, http.StatusServiceUnavailable, "error", "not done: ask again")
	case errors.Is(err, errTaken):
		answer(w, http.StatusConflict, "error", "there is such a customer")
	case errors.Is(err, ryze.ErrNotConnected), errors.Is(err, ryze.ErrNoSession):
		answer(w, http.StatusConflict, "error", "the number is not paired")
	case errors.Is(err, ryze.ErrRateLimited):
		answer(w, http.StatusTooManyRequests, "error", "too many messages a minute")
	case ryze.OutcomeOf(err) == ryze.OutcomeUnknown:
		answer(w, http.StatusGatewayTimeout, "error", "perhaps done: look before you repeat it")
	default:
		answer(w, http.StatusBadGateway, "error", "not done")
	}
}

func answer(w http.ResponseWriter, status int, key string, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{key: value}) //nolint:errchkjson // texts and messages
}
