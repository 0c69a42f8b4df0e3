package main

import (
	"bytes"
	"encoding/json"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// world is the service in memory, with a simulator that delivers to it.
type world struct {
	t    *testing.T
	sim  *ryzetest.Server
	s    *tenants
	http http.Handler
	said transcript // everything that was answered or logged
}

type transcript struct {
	mu   sync.Mutex
	text []byte
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = append(s.text, p...)
	return len(p), nil
}

var key = bytes.Repeat([]byte{7}, 32)

// inWorld plays in virtual time; a goroutine left behind fails the test.
func inWorld(t *testing.T, play func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		w.sim = ryzetest.NewServer(ryzetest.InMemory(), ryzetest.WithWebhookHandler(http.HandlerFunc(
			func(rw http.ResponseWriter, r *http.Request) { w.http.ServeHTTP(rw, r) })))
		defer w.sim.Close()
		w.open(filepath.Join(t.TempDir(), "tenants.json"))
		defer func() { require.NoError(t, w.s.account.Client().Close()) }()
		play(w)
	})
}

func (w *world) open(file string) {
	account, err := ryze.NewAccountClient(w.sim.AccountToken, ryze.WithBaseURL(w.sim.URL), ryze.WithHTTPClient(w.sim.HTTPClient()))
	require.NoError(w.t, err)
	kept, err := openStore(file, key)
	require.NoError(w.t, err)
	w.s = &tenants{account: account, store: kept, public: "http://crm.example", operator: "operate", log: log.New(&w.said, "", 0)}
	require.NoError(w.t, begin(w.t.Context(), w.s))
	w.http = w.s.handler()
}

func (w *world) ask(method, path, who, password string, form ...string) (*httptest.ResponseRecorder, map[string]any) {
	w.t.Helper()
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(values.Encode()))
	r.SetBasicAuth(who, password)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	reply := httptest.NewRecorder()
	w.http.ServeHTTP(reply, r)
	_, _ = w.said.Write(reply.Body.Bytes())
	var said map[string]any
	_ = json.Unmarshal(reply.Body.Bytes(), &said)
	return reply, said
}

// signUp returns the password and the phone, which has scanned the code.
func (w *world) signUp(id, number string) (password string, phone *ryzetest.Instance) {
	w.t.Helper()
	reply, said := w.ask("POST", "/tenants", "operator", "operate", "id", id)
	require.Equal(w.t, http.StatusCreated, reply.Code, reply.Body)
	password, _ = said["password"].(string)
	page, _ := w.ask("GET", "/pairing", id, password)
	require.Contains(w.t, page.Body.String(), "data:image/png;base64,")
	phone = w.sim.Instance("tenant-" + id)
	phone.Pair(number)
	return password, phone
}

func TestTenantsSeeNothingOfEachOther(t *testing.T) {
	inWorld(t, func(w *world) {
		pizza, pizzaPhone := w.signUp("pizzeria", "5511900000001")
		school, schoolPhone := w.signUp("school", "5521900000002")
		pizzaPhone.Receive(ryzetest.Incoming{From: "5511987654321", Text: "for the pizzeria"})
		schoolPhone.Receive(ryzetest.Incoming{From: "5521998765432", Text: "for the school"})
		synctest.Wait()

		_, mine := w.ask("GET", "/messages", "pizzeria", pizza)
		assert.Equal(t, []any{map[string]any{"From": "5511987654321", "Text": "for the pizzeria"}}, mine["messages"])
		_, theirs := w.ask("GET", "/messages", "school", school)
		assert.Equal(t, []any{map[string]any{"From": "5521998765432", "Text": "for the school"}}, theirs["messages"])

		sent, _ := w.ask("POST", "/messages", "pizzeria", pizza, "to", "5511987654321", "text", "Hi", "instance", "tenant-school")
		assert.Equal(t, http.StatusOK, sent.Code)
		assert.Len(t, pizzaPhone.Sent(), 1)
		assert.Empty(t, schoolPhone.Sent(), "no request names an instance")

		// The password of one is nothing with another, nor with nobody.
		for _, path := range []string{"GET /messages", "POST /messages", "GET /pairing", "DELETE /tenant", "POST /tenants"} {
			method, path, _ := strings.Cut(path, " ")
			for _, who := range []string{"school", "nobody", "operator", ""} {
				refused, _ := w.ask(method, path, who, pizza, "id", "other")
				assert.Equal(t, http.StatusUnauthorized, refused.Code, "%s as %q", path, who)
			}
		}
		page, _ := w.ask("GET", "/pairing", "pizzeria", pizza)
		assert.Contains(t, page.Body.String(), "Connected.")

		// What is delivered with the authorization of one reaches no other.
		row := w.s.tenant("pizzeria").Row
		events := ryzetest.NewEvents("tenant-school")
		forged := events.Message(ryzetest.Incoming{From: "5511987654321", Text: "forged"})
		for path, want := range map[string]int{"/hooks/school": 401, "/hooks/pizzeria": 403, "/hooks/nobody": 401} {
			assert.Equal(t, want, ryzetest.Deliver(w.http, path, row.Authorization.Reveal(), forged).StatusCode, path)
		}
		_, theirs = w.ask("GET", "/messages", "school", school)
		assert.Len(t, theirs["messages"], 1)

		// No secret was answered, logged or written.
		file, err := os.ReadFile(w.s.store.path)
		require.NoError(t, err)
		for _, id := range []string{"pizzeria", "school"} {
			row := w.s.tenant(id).Row
			for _, secret := range []string{row.Token.Reveal(), row.Authorization.Reveal(), w.sim.AccountToken} {
				assert.NotContains(t, string(w.said.text), secret)
				assert.NotContains(t, string(file), secret)
			}
		}
		assert.Empty(t, w.sim.Violations())
	})
}

func TestTenantWithoutQuotaOrNumberHoldsUpNobody(t *testing.T) {
	inWorld(t, func(w *world) {
		pizza, pizzaPhone := w.signUp("pizzeria", "5511900000001")
		school, _ := w.signUp("school", "5521900000002")
		w.sim.Eat(pizzaPhone.Token(), 1000)
		began := time.Now()
		w.ask("POST", "/messages", "pizzeria", pizza, "to", "5511987654321", "text", "One")
		refused, _ := w.ask("POST", "/messages", "pizzeria", pizza, "to", "5511987654321", "text", "Two")
		assert.Equal(t, http.StatusTooManyRequests, refused.Code)
		assert.NotEmpty(t, refused.Header().Get("Retry-After"))
		for range 50 {
			sent, _ := w.ask("POST", "/messages", "school", school, "to", "5511987654321", "text", "Hi")
			assert.Equal(t, http.StatusOK, sent.Code)
		}
		assert.Less(t, time.Since(began), 15*time.Second)

		pizzaPhone.LogOutFromPhone()
		time.Sleep(time.Minute)
		refused, _ = w.ask("POST", "/messages", "pizzeria", pizza, "to", "5511987654321", "text", "Three")
		assert.Equal(t, http.StatusConflict, refused.Code)
		sent, _ := w.ask("POST", "/messages", "school", school, "to", "5511987654321", "text", "Hi")
		assert.Equal(t, http.StatusOK, sent.Code)
	})
}

func TestSlowTenantHoldsUpNobody(t *testing.T) {
	inWorld(t, func(w *world) {
		pizza, phone := w.signUp("pizzeria", "5511900000001")
		school, _ := w.signUp("school", "5521900000002")
		w.sim.Fault("messages.text", ryzetest.Fault{Delay: 10 * time.Second})
		var slow atomic.Int64
		go func() {
			reply, _ := w.ask("POST", "/messages", "pizzeria", pizza, "to", "5511987654321", "text", "Slow")
			slow.Store(int64(reply.Code))
		}()
		synctest.Wait()
		sent, _ := w.ask("POST", "/messages", "school", school, "to", "5511987654321", "text", "Hi")
		assert.Equal(t, http.StatusOK, sent.Code)
		assert.Zero(t, slow.Load())
		time.Sleep(11 * time.Second)
		assert.EqualValues(t, http.StatusOK, slow.Load())
		assert.Len(t, phone.Sent(), 1)
	})
}

func TestSignUpIsWholeOrNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.sim.AddInstance("tenant-taken")
		for id, want := range map[string]int{"taken": 502, "a": 400, "operator": 400, "UPPER": 400, "../etc": 400} {
			refused, _ := w.ask("POST", "/tenants", "operator", "operate", "id", id)
			assert.Equal(t, want, refused.Code, id)
		}
		require.NotNil(t, w.sim.Instance("tenant-taken"), "that of somebody else stays")

		// The instance is made, and the reply lost.
		w.sim.Fault("instance.create", ryzetest.Fault{Drop: ryzetest.DropAfterProcess})
		refused, _ := w.ask("POST", "/tenants", "operator", "operate", "id", "school")
		assert.Equal(t, http.StatusServiceUnavailable, refused.Code, refused.Body)
		assert.Nil(t, w.sim.Instance("tenant-school"))
		password, _ := w.signUp("school", "5521900000002")

		again, _ := w.ask("POST", "/tenants", "operator", "operate", "id", "school")
		assert.Equal(t, http.StatusConflict, again.Code)
		left, _ := w.ask("DELETE", "/tenant", "school", password)
		assert.Equal(t, http.StatusOK, left.Code)
		assert.Nil(t, w.sim.Instance("tenant-school"))
		gone, _ := w.ask("GET", "/messages", "school", password)
		assert.Equal(t, http.StatusUnauthorized, gone.Code)
		rows, err := w.s.store.all()
		require.NoError(t, err)
		assert.Empty(t, rows)
	})
}

func TestRestartKnowsItsTenantsAndEndsWhatBrokeOff(t *testing.T) {
	inWorld(t, func(w *world) {
		password, phone := w.signUp("school", "5521900000002")
		broken := Row{ID: "broken", Password: hash("x"), Token: "4f1c4f1c", Authorization: "Bearer x"}
		require.NoError(t, w.s.store.add(broken))
		w.sim.AddInstance("tenant-broken")
		require.NoError(t, w.s.account.Client().Close())

		w.open(w.s.store.path)
		assert.Nil(t, w.sim.Instance("tenant-broken"))
		phone.Receive(ryzetest.Incoming{From: "5521998765432", Text: "Still there?"})
		synctest.Wait()
		_, said := w.ask("GET", "/messages", "school", password)
		assert.Len(t, said["messages"], 1)

		// A seal fits its customer and its key only.
		_, _ = w.signUp("pizzeria", "5511900000001")
		w.s.store.rows["school"] = w.s.store.rows["pizzeria"]
		_, err := w.s.store.all()
		require.ErrorContains(t, err, "school")
		other, err := openStore(w.s.store.path, make([]byte, 32))
		require.NoError(t, err)
		_, err = other.all()
		require.Error(t, err)
	})
}

func TestDemonstration(t *testing.T) {
	var out strings.Builder
	require.NoError(t, start(t.Context(), "", "", "", &out))
	for _, line := range []string{
		"pizzeria has received [map[From:5511987654321 Text:A question to the pizzeria]]", `sent "The school answers"`, "Instances left: 1.",
	} {
		assert.Contains(t, out.String(), line)
	}
}
