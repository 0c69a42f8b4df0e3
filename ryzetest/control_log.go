package ryzetest

import (
	"net/http"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/ryzeapi/ryze-go/ryzetest/internal/web"
)

func controlLogRoutes() []controlRoute {
	return []controlRoute{
		{method: "GET", path: "requests", query: []string{"after", "limit"}, handle: (*controlCall).requests},
		{method: "GET", path: "requests/{number}", handle: (*controlCall).request},
		{method: "GET", path: "deliveries", query: []string{"after", "limit"}, handle: (*controlCall).deliveries},
	}
}

type requestsView struct {
	Requests []requestView `json:"requests"`
}

type requestView struct {
	Number     int64           `json:"number"`
	Time       instant         `json:"time"`
	Method     string          `json:"method"`
	Path       string          `json:"path"`
	Proto      string          `json:"proto"`
	Route      string          `json:"route"`
	Instance   string          `json:"instance"`
	Status     int             `json:"status"`
	Duration   string          `json:"duration"`
	Faulted    bool            `json:"faulted"`
	Applied    bool            `json:"applied"`
	Done       bool            `json:"done"`
	Size       int64           `json:"size"`
	Violations []violationView `json:"violations"`
}

type requestDetailView struct {
	requestView

	Headers   http.Header `json:"headers"`
	Body      string      `json:"body"`
	ReplyBody string      `json:"replyBody"`
}

type violationView struct {
	Kind    ViolationKind `json:"kind"`
	Detail  string        `json:"detail"`
	Instead string        `json:"instead"`
	Text    string        `json:"text"`
}

// page reads the parameters of a list that grows.
func (c *controlCall) page() (after int64, limit int, err error) {
	after, err = c.whole("after", 0, 0, 1<<53)
	if err != nil {
		return 0, 0, err
	}
	n, err := c.whole("limit", 200, 1, 1000)
	return after, int(n), err
}

// requests are the newest ones after a number, in order of arrival.
func (c *controlCall) requests() (any, error) {
	after, limit, err := c.page()
	if err != nil {
		return nil, err
	}
	hide := c.s.secrets()
	view := requestsView{[]requestView{}}
	for _, r := range c.s.log.after(after, limit) {
		view.Requests = append(view.Requests, viewRequest(r, hide))
	}
	return view, nil
}

func viewRequest(r Request, hide *secrets) requestView {
	v := requestView{
		Number: r.Number, Time: instant(r.Time), Method: r.Method, Path: hide.from(r.Path), Proto: r.Proto, Route: r.Route,
		Instance: r.Instance, Status: r.Status, Duration: r.Duration.String(), Faulted: r.Faulted, Applied: r.Applied,
		Done: r.Done, Size: r.Size, Violations: []violationView{},
	}
	for _, x := range r.Violations {
		v.Violations = append(v.Violations, violationView{x.Kind, x.Detail, x.Instead(), x.Advice()})
	}
	return v
}

func (c *controlCall) request() (any, error) {
	number, err := strconv.ParseInt(c.r.PathValue("number"), 10, 64)
	if err != nil {
		return nil, web.Invalid("number", "%q is not the number of a request", c.r.PathValue("number"))
	}
	r, ok := c.s.log.one(number)
	if !ok {
		return nil, web.NotFound("there is no request %d in the log", number)
	}
	hide := c.s.secrets()
	return requestDetailView{viewRequest(r, hide), r.Header, hide.from(string(r.Body)), hide.from(string(r.Reply))}, nil
}

// one copies the request of a number.
func (l *requestLog) one(number int64) (Request, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := number - (l.last - int64(len(l.entries))) - 1
	if k < 0 || k >= int64(len(l.entries)) {
		return Request{}, false
	}
	return l.entries[k].copy(), true
}

type deliveriesView struct {
	Deliveries []deliveryView `json:"deliveries"`
}

type deliveryView struct {
	Number   int64   `json:"number"`
	Time     instant `json:"time"`
	Instance string  `json:"instance"`
	Event    string  `json:"event"`
	Channel  string  `json:"channel"`
	Label    string  `json:"label"`
	URL      string  `json:"url"`
	Attempt  int     `json:"attempt"`
	Status   int     `json:"status"`
	Error    string  `json:"error"`
	Dead     bool    `json:"dead"`
	Body     string  `json:"body"`
}

// deliveries are the newest ones after a number, in the order in which they ended.
func (c *controlCall) deliveries() (any, error) {
	after, limit, err := c.page()
	if err != nil {
		return nil, err
	}
	s := c.s
	s.mu.Lock()
	from := sort.Search(len(s.hookLog), func(k int) bool { return s.hookLog[k].Number > after })
	from = max(from, len(s.hookLog)-limit)
	list := slices.Clone(s.hookLog[from:])
	s.mu.Unlock()

	hide := s.secrets()
	view := deliveriesView{make([]deliveryView, 0, len(list))}
	for _, d := range list {
		view.Deliveries = append(view.Deliveries, viewDelivery(d, hide))
	}
	return view, nil
}

func viewDelivery(d Delivery, hide *secrets) deliveryView {
	v := deliveryView{
		Number: d.Number, Time: instant(d.Time), Instance: d.Instance, Event: d.Event, Channel: "webhook", Label: d.Label,
		URL: hide.from(d.URL), Attempt: d.Attempt, Status: d.Status, Dead: d.dead,
		Body: hide.from(string(d.Body[:min(len(d.Body), maxLoggedBody)])),
	}
	if d.stream {
		v.Channel = "stream"
	}
	if d.Err != nil {
		v.Error = hide.from(d.Err.Error())
	}
	return v
}

// secrets hides tokens in what the API shows of requests and deliveries.
type secrets struct{ known *strings.Replacer }

// secrets knows the tokens of the server.
func (s *Server) secrets() *secrets {
	s.mu.Lock()
	defer s.mu.Unlock()
	var pairs []string
	add := func(token string) {
		if len(token) >= 8 { // a shorter one is part of ordinary words
			pairs = append(pairs, token, Digest(token))
		}
	}
	for _, a := range s.accounts {
		add(a.token)
		for _, i := range a.instances {
			add(i.token)
		}
	}
	return &secrets{strings.NewReplacer(pairs...)}
}

// secretMember is a JSON member that holds a secret by its name. The value may be
// cut off.
var secretMember = regexp.MustCompile(
	`(?i)("(?:token|[a-z]*authorization|[a-z]*password|[a-z]*secret|accessKey|[a-z0-9]*secretKey|[a-z0-9]*accessKey|[a-z]*apiToken|[a-z]*api_token|api_access_token)"\s*:\s*)"((?:[^"\\]|\\.)*)("|$)`)

// from returns a text with digests in the place of its secrets.
func (h *secrets) from(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = secretMember.ReplaceAllStringFunc(text, func(member string) string {
		parts := secretMember.FindStringSubmatch(member)
		if parts[2] == "" || strings.HasPrefix(parts[2], "sha256:") {
			return member
		}
		return parts[1] + `"` + Digest(parts[2]) + `"`
	})
	return h.known.Replace(text)
}
