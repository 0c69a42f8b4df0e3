package ryzetest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/ryzeapi/ryze-go/ryzetest/internal/web"
)

// faultKinds are the faults that the control API plays, by the names that it has for
// them.
var faultKinds = []struct {
	name  string
	fault Fault
}{
	{"429", RateLimited()},
	{"throttled", Throttled()},
	{"400", Fault{Status: http.StatusBadRequest}},
	{"401", Fault{Status: http.StatusUnauthorized}},
	{"403", Fault{Status: http.StatusForbidden}},
	{"404", Fault{Status: http.StatusNotFound}},
	{"500", Fault{Status: http.StatusInternalServerError}},
	{"503", Fault{Status: http.StatusServiceUnavailable}},
	{"proxy", ProxyPage(http.StatusBadGateway)},
	{"slow", Fault{Delay: 3 * time.Second}},
	{"die", Fault{Drop: DropAfterRead}},
	{"accept-then-die", Fault{Drop: DropAfterProcess}},
	{"accept-then-504", acceptThen(ProxyPage(http.StatusGatewayTimeout))},
	{"half-reply", Fault{Drop: HalfReply}},
	{"no-answer", Fault{Drop: NeverAnswer}},
	{"accept-then-no-answer", Fault{Drop: NeverAnswer, AfterProcess: true}},
	{"empty", Fault{Empty: true}},
	{"no-json", Fault{Body: "<html>ok</html>"}},
}

func acceptThen(f Fault) Fault { f.AfterProcess = true; return f }

const maxFaultTimes = 1000000

func faultNames() []string {
	names := make([]string, len(faultKinds))
	for k, f := range faultKinds {
		names[k] = f.name
	}
	return names
}

func controlFaultRoutes() []controlRoute {
	return []controlRoute{
		{method: "POST", path: "faults", handle: (*controlCall).addFault, body: []field{
			str("route"), str("what", faultNames()...), integer("times"), str("delay"),
		}},
		{method: "DELETE", path: "faults", handle: (*controlCall).clearFaults},
		{method: "DELETE", path: "faults/{id}", handle: (*controlCall).removeFault},
		{method: "POST", path: "clock/advance", body: []field{str("by")}, handle: (*controlCall).advance},
		{method: "POST", path: "windows/eat", body: []field{str("key"), integer("n")}, handle: (*controlCall).eat},
	}
}

type faultView struct {
	ID    string `json:"id"`
	Route string `json:"route"` // "" for any
	Left  int    `json:"left"`
	What  string `json:"what"`
}

// list shows the faults that wait, in the order in which they were queued.
func (q *faults) list() []faultView {
	q.mu.Lock()
	defer q.mu.Unlock()
	type waiting struct {
		route string
		Fault
	}
	var all []waiting
	for route, queue := range q.queues {
		for _, f := range queue {
			all = append(all, waiting{route, f})
		}
	}
	slices.SortFunc(all, func(a, b waiting) int { return cmp.Compare(a.id, b.id) })
	list := make([]faultView, len(all))
	for k, f := range all {
		if f.route == "*" {
			f.route = ""
		}
		list[k] = faultView{strconv.FormatInt(f.id, 10), f.route, max(1, f.Times), f.describe()}
	}
	return list
}

// describe names a fault that a test has put together.
func (f *Fault) describe() string {
	switch {
	case f.what != "":
		return f.what
	case f.Status != 0:
		return strconv.Itoa(f.Status)
	case f.Drop != NoDrop:
		return [...]string{
			"", "die before reading", "die", "accept-then-die", "half-reply", "no-answer", "stalled reply", "freeze", "reset stream",
		}[f.Drop]
	case f.Delay > 0 && f.Body == "" && !f.Empty && f.Edit == nil && f.RawStatus == "":
		return "slow"
	}
	return "reply bent"
}

// remove takes a fault out of its queue.
func (q *faults) remove(id int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for route, queue := range q.queues {
		k := slices.IndexFunc(queue, func(f Fault) bool { return f.id == id })
		if k >= 0 {
			q.queues[route] = append(queue[:k:k], queue[k+1:]...)
			return true
		}
	}
	return false
}

func (c *controlCall) addFault() (any, error) {
	b := c.body
	key := cmp.Or(b.str("route"), "*")
	if key != "*" {
		if findRoute(key) == nil {
			return nil, web.Invalid("route", "route: there is no %q; did you mean %q?", key, nearestRoute(key[:min(len(key), maxGuessed)]))
		}
		key = routeKey(key)
	}
	i := slices.IndexFunc(faultKinds, func(k struct {
		name  string
		fault Fault
	}) bool {
		return k.name == b.str("what")
	})
	if i < 0 {
		return nil, web.Invalid("what", "what is wanted: one of %v", faultNames())
	}
	f := faultKinds[i].fault
	f.what, f.Times = faultKinds[i].name, 1
	if b.has("times") {
		if f.Times = b.int("times"); f.Times < 1 || f.Times > maxFaultTimes {
			return nil, web.Invalid("times", "times must be a number from 1 to %d", maxFaultTimes)
		}
	}
	if b.str("delay") != "" {
		d, err := c.duration("delay")
		if err != nil {
			return nil, err
		}
		f.Delay = d
	}
	id := c.s.faults.add(key, f)
	c.s.changed(ChangeServer)
	return idView{strconv.FormatInt(id, 10)}, nil
}

// duration reads a member that is a Go duration, and not negative.
func (c *controlCall) duration(name string) (time.Duration, error) {
	const most = 10 * 365 * 24 * time.Hour
	d, err := time.ParseDuration(c.body.str(name))
	if err != nil || d < 0 || d > most {
		return 0, web.Invalid(name, `%s: %q is not a duration from 0s to 87600h, as "1.5s", "10m" or "24h"`, name, c.body.str(name))
	}
	return d, nil
}

func (c *controlCall) clearFaults() (any, error) {
	c.s.ClearFaults()
	return obj{}, nil
}

func (c *controlCall) removeFault() (any, error) {
	id, err := strconv.ParseInt(c.r.PathValue("id"), 10, 64)
	if err != nil || !c.s.faults.remove(id) {
		return nil, web.NotFound("there is no fault %q that waits", c.r.PathValue("id"))
	}
	c.s.changed(ChangeServer)
	return obj{}, nil
}

type nowView struct {
	Now instant `json:"now"`
}

func (c *controlCall) advance() (any, error) {
	if c.body.str("by") == "" {
		return nil, web.Invalid("by", `by is wanted: a duration, as "1m"`)
	}
	d, err := c.duration("by")
	if err != nil {
		return nil, err
	}
	c.s.Advance(d)
	return nowView{instant(c.s.Now())}, nil
}

// accountKey is how the API calls the token of an account.
func accountKey(k int) string {
	if k == 0 {
		return "account"
	}
	return fmt.Sprintf("account-%d", k+1)
}

// eat spends requests of a token's global window.
func (c *controlCall) eat() (any, error) {
	key, n := c.body.str("key"), c.body.int("n")
	if !c.body.has("n") {
		return nil, web.Invalid("n", "n is wanted: how many requests; a negative number gives them back")
	}
	s := c.s
	s.mu.Lock()
	tokens, keys := map[string]string{}, []string{}
	for i := range s.instances() {
		tokens[i.name], keys = i.token, append(keys, i.name)
	}
	for k, a := range s.accounts {
		tokens[accountKey(k)], keys = a.token, append(keys, accountKey(k))
	}
	s.mu.Unlock()
	token, ok := tokens[key]
	if !ok {
		return nil, web.Invalid("key", "key: %q is neither account nor the name of an instance%s", key, didYouMean(key, keys))
	}
	s.Eat(token, min(max(n, -maxFaultTimes), maxFaultTimes))
	return s.windows.view(key, token, rateGlobal, s.clock.now()), nil
}
