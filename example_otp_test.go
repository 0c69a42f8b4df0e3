package ryze_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// passwords is an HTTP handler that sends one-time passwords.
type passwords struct {
	inst *ryze.InstanceClient
	keep func(to ryze.JID, code string, validFor time.Duration) // a database
}

func (p *passwords) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	to, err := ryze.BrazilPhone(r.PostFormValue("phone"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	number, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		http.Error(w, "no code", http.StatusInternalServerError)
		return
	}
	code := fmt.Sprintf("%06d", number)
	p.keep(to, code, 5*time.Minute) // before it is sent: whoever is sent a code can use it

	// It goes before a broadcast that shares the quota, and is of no use after a while.
	ctx, cancel := context.WithTimeout(ryze.WithPriority(r.Context(), ryze.PriorityHigh), 20*time.Second)
	defer cancel()
	_, err = p.inst.Messages.SendText(ctx, to, "Your code is "+code)
	if wait, again := ryze.RetryAfter(err); again {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
	}
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case ryze.OutcomeOf(err) == ryze.OutcomeUnknown:
		w.WriteHeader(http.StatusAccepted) // it may come: ask for the code, and do not send another
	case errors.Is(err, ryze.ErrRateLimited):
		http.Error(w, "too many codes a minute", http.StatusTooManyRequests)
	default:
		http.Error(w, "not sent", http.StatusBadGateway) // certainly: the person may try again
	}
}

// An HTTP service for one-time passwords, with a simulator in the place of RyzeAPI. It
// answers what its caller has to know: sent, perhaps sent, or certainly not.
func Example_otp() {
	sim := ryzetest.NewServer()
	defer sim.Close()
	phone := sim.AddInstance("login")
	phone.Pair("5511900000001")
	inst, err := ryze.NewInstanceClient("login", phone.Token(), ryze.WithBaseURL(sim.URL))
	if err != nil {
		log.Fatal(err)
	}
	kept := map[string]bool{}
	service := &passwords{inst: inst, keep: func(_ ryze.JID, code string, _ time.Duration) { kept[code] = true }}
	ask := func(number string) {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/otp", strings.NewReader(url.Values{"phone": {number}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		reply := httptest.NewRecorder()
		service.ServeHTTP(reply, r)
		fmt.Println(number, reply.Code)
	}

	ask("(11) 98765-4321")
	ask("98765-4321") // without an area code
	sim.Fault("messages.text", ryzetest.Fault{Drop: ryzetest.DropAfterProcess})
	ask("(21) 99876-5432") // the reply is lost
	phone.LogOutFromPhone()
	ask("(11) 98765-4321")
	for _, m := range phone.Sent() {
		fmt.Println(m.Chat, kept[strings.TrimPrefix(m.Text, "Your code is ")])
	}
	// Output:
	// (11) 98765-4321 204
	// 98765-4321 400
	// (21) 99876-5432 202
	// (11) 98765-4321 502
	// 5511987654321@s.whatsapp.net true
	// 5521998765432@s.whatsapp.net true
}
