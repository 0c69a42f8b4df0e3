package ryzetest

import (
	"cmp"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/ryzeapi/ryze-go/ryzetest/internal/web"
)

func controlStateRoutes() []controlRoute {
	return []controlRoute{
		{method: "GET", path: "state", handle: (*controlCall).state},
		{method: "POST", path: "instances", body: []field{str("name")}, handle: (*controlCall).makeInstance},
		{method: "DELETE", path: "instances/{name}", handle: (*controlCall).deleteInstance},
		{method: "POST", path: "reset", body: []field{}, handle: (*controlCall).reset},
	}
}

type stateView struct {
	Server    serverView     `json:"server"`
	Instances []instanceView `json:"instances"`
	Windows   []windowView   `json:"windows"`
	Faults    []faultView    `json:"faults"`
	Contacts  []contactView  `json:"contacts"`
	Change    int64          `json:"change"`
}

type serverView struct {
	URL         string            `json:"url"`
	Now         instant           `json:"now"`
	Skew        string            `json:"skew"`
	Layout      Layout            `json:"layout"`
	Version     string            `json:"version"`
	Environment map[string]string `json:"environment"`
}

type instanceView struct {
	Name        string        `json:"name"`
	State       string        `json:"state"`
	Phone       string        `json:"phone"`
	JID         string        `json:"jid"`
	ProfileName string        `json:"profileName"`
	Paired      bool          `json:"paired"`
	Token       string        `json:"token"`
	QR          string        `json:"qr"`
	QRPNG       string        `json:"qrPNG"`
	PairingCode string        `json:"pairingCode"`
	CodeExpires *instant      `json:"codeExpires"`
	Streams     int           `json:"streams"`
	Webhooks    []webhookView `json:"webhooks"`
	Unread      int           `json:"unread"`
}

type webhookView struct {
	Label      string   `json:"label"`
	URL        string   `json:"url"`
	Enabled    bool     `json:"enabled"`
	LastStatus int      `json:"lastStatus"`
	LastAt     *instant `json:"lastAt"`
}

type windowView struct {
	Key       string   `json:"key"`
	Class     string   `json:"class"`
	Limit     int      `json:"limit"`
	Remaining int      `json:"remaining"`
	Reset     *instant `json:"reset"`
}

type contactView struct {
	Phone     string `json:"phone"`
	LID       string `json:"lid"`
	Name      string `json:"name"`
	About     string `json:"about"`
	Reachable bool   `json:"reachable"`
}

// instant is a time as the API writes it: all of one length, so that texts sort as
// times do.
type instant time.Time

func (t instant) MarshalJSON() ([]byte, error) {
	return []byte(time.Time(t).UTC().Format(`"2006-01-02T15:04:05.000Z"`)), nil
}

// moment is a time as the API writes it; null for none.
func moment(t time.Time) *instant {
	if t.IsZero() {
		return nil
	}
	return new(instant(t))
}

// state is what the page shows around the chats.
func (c *controlCall) state() (any, error) {
	s := c.s
	// What happens while this is read is told after it: the number comes first.
	view := stateView{Change: s.changes.last()}
	now := s.clock.now()
	view.Server = serverView{
		URL: s.URL, Now: instant(now), Skew: s.clocks.first().String(), Layout: s.cfg.layout, Version: version(),
		Environment: map[string]string{"RYZE_BASE_URL": s.URL, "RYZE_ACCOUNT_TOKEN": s.AccountToken},
	}
	view.Faults = s.faults.list()

	s.mu.Lock()
	defer s.mu.Unlock()
	view.Instances, view.Contacts = []instanceView{}, s.world.contactViews()
	for i := range s.instances() {
		view.Instances = append(view.Instances, i.view())
	}
	view.Windows = s.windowViews(now)
	return view, nil
}

// version is that of the module.
func version() string {
	const path = "github.com/ryzeapi/ryze-go"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(devel)"
	}
	modules := append([]*debug.Module{&info.Main}, info.Deps...)
	for _, m := range modules {
		if m.Path == path {
			return cmp.Or(m.Version, "(devel)")
		}
	}
	return "(devel)"
}

// first is the skew of the first clock, without taking its turn.
func (c *clocks) first() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.skews) == 0 {
		return 0
	}
	return c.skews[0]
}

// view is the instance as the page shows it. The caller holds the lock.
func (i *Instance) view() instanceView {
	v := instanceView{
		Name: i.name, State: string(i.state), Phone: i.phone, ProfileName: i.profile.name, Paired: i.session, Token: i.token,
		Streams: len(i.sockets), Webhooks: []webhookView{}, Unread: i.unreadMessages(),
	}
	if i.phone != "" {
		v.JID = i.jid()
	}
	if p := i.pairing; p != nil {
		v.PairingCode, v.CodeExpires = p.code, moment(p.expires)
		if len(p.codes) > 0 {
			v.State, v.QR = "qr_code", p.codes[0]
			if png, err := qrPNG(v.QR); err == nil { // a text of our own always fits
				v.QRPNG = "data:image/png;base64," + png
			}
		}
	}
	for _, h := range i.hooks {
		v.Webhooks = append(v.Webhooks, webhookView{h.label, h.url, h.enabled, h.lastStatus, moment(h.lastAt)})
	}
	return v
}

// unreadMessages counts what came since its chat was last marked read. The caller
// holds the lock.
func (i *Instance) unreadMessages() int {
	n, canonical := 0, i.s.world.canonicals()
	for k, m := range i.messages {
		if !m.FromMe {
			if st := i.book.chats[canonical(m.Chat)]; st == nil || k >= st.readUpTo {
				n++
			}
		}
	}
	return n
}

// canonicals is canonical with a memory, for many messages of few chats.
func (w *world) canonicals() func(jid string) string {
	known := map[string]string{}
	return func(jid string) string {
		c, ok := known[jid]
		if !ok {
			c = w.canonical(jid)
			known[jid] = c
		}
		return c
	}
}

// windowViews are the windows of the tokens that there are, the account's first.
// The caller holds the lock.
func (s *Server) windowViews(now time.Time) []windowView {
	list := []windowView{}
	for k, a := range s.accounts {
		key := accountKey(k)
		list = append(list, s.windows.view(key, a.token, rateGlobal, now), s.windows.view(key, a.token, rateCreate, now))
	}
	for i := range s.instances() {
		list = append(list, s.windows.view(i.name, i.token, rateGlobal, now))
	}
	return list
}

var classNames = map[rateClass]string{rateGlobal: "global_100", rateCreate: "create_20"}

// view shows a window without opening one.
func (ws *windows) view(key, token string, class rateClass, now time.Time) windowView {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	v := windowView{Key: key, Class: classNames[class], Limit: ws.limit[class], Remaining: ws.limit[class]}
	if w := ws.open[windowKey{token, class}]; w != nil && now.Before(w.reset) {
		v.Reset = moment(w.reset)
		if v.Limit >= 0 {
			v.Remaining -= w.used
		}
	}
	return v
}

// contactViews are the people that are known. The caller holds the lock.
func (w *world) contactViews() []contactView {
	list := []contactView{}
	for _, phone := range slices.Sorted(maps.Keys(w.contacts)) {
		k := w.contacts[phone]
		list = append(list, contactView{phone, k.LID, k.Name, k.About, !w.unreachable[phone]})
	}
	for _, phone := range slices.Sorted(maps.Keys(w.unreachable)) {
		if _, known := w.contacts[phone]; !known && w.unreachable[phone] {
			list = append(list, contactView{Phone: phone})
		}
	}
	return list
}

// makeInstance makes an instance of the main account, as AddInstance does.
func (c *controlCall) makeInstance() (any, error) {
	name := c.body.str("name")
	switch {
	case name == "":
		return nil, web.Invalid("name", "name is wanted")
	case len(name) > maxGuessed:
		return nil, web.Invalid("name", "name is longer than %d bytes", maxGuessed)
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.instances() {
		if i.name == name {
			return nil, web.Conflict("there is an instance %q already", name)
		}
	}
	return s.newInstance(s.accounts[0], name, newToken()).view(), nil
}

func (c *controlCall) deleteInstance() (any, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if !c.inst.deleted() {
		c.inst.remove()
		c.inst.dropSockets(1001)
	}
	return obj{}, nil
}
