package ryzetest

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

type savedInstance struct {
	Account          int // index
	ID, Name, Token  string
	Created, Updated time.Time
	State            State
	Phone            string    `json:",omitempty"`
	Session          bool      `json:",omitempty"`
	Reconnecting     bool      `json:",omitempty"`
	Seed             savedSeed `json:",omitzero"`
	Profile          savedProfile
	Settings         savedSettings
	Proxy            savedProxy    `json:",omitzero"`
	S3               savedS3       `json:",omitzero"`
	Chatwoot         obj           `json:",omitempty"`
	ChatwootLink     *savedLink    `json:",omitempty"`
	Pairing          *savedPairing `json:",omitempty"`

	Hooks    []savedHook  `json:",omitempty"`
	Stream   *savedStream `json:",omitempty"`
	Receipts Receipts
	Unread   map[string][]string    `json:",omitempty"` // ids, by chat
	History  []Incoming             `json:",omitempty"`
	Groups   map[string]string      `json:",omitempty"`
	Chats    map[string]savedChat   `json:",omitempty"`
	Labels   []savedLabel           `json:",omitempty"`
	Label    int                    `json:",omitempty"` // number of the last one
	Votes    map[string][]savedVote `json:",omitempty"`
	Calls    []Call                 `json:",omitempty"`

	About             string            `json:",omitempty"`
	Privacy           map[string]string `json:",omitempty"`
	PrivacyFault      *int              `json:",omitempty"`
	RefuseCommunities bool              `json:",omitempty"`
	Refusal           savedRefusal      `json:",omitzero"`
}

// savedSeed is what a reset leaves of the instance.
type savedSeed struct {
	Made  bool
	Phone string `json:",omitempty"`
}

type savedProfile struct {
	Name         string
	Picture      string `json:",omitempty"`
	BusinessName string `json:",omitempty"`
	Business     bool   `json:",omitempty"`
}

type savedSettings struct {
	AutoRejectCalls     bool   `json:",omitempty"`
	CallRejectMessage   string `json:",omitempty"`
	IgnoreGroupMessages bool   `json:",omitempty"`
	KeepOnlineStatus    bool   `json:",omitempty"`
	AutoReadMessages    bool   `json:",omitempty"`
	DisableHistorySync  bool
	IgnoreStatus        bool `json:",omitempty"`
}

type savedProxy struct {
	Enabled                                  bool
	Host, Port, Protocol, Username, Password string
}

type savedS3 struct {
	Enabled                                                    bool
	Region, Bucket, AccessKey, SecretKey, Endpoint, PathPrefix string
}

type savedLink struct {
	ID, BaseURL, Token, Inbox           string
	Account, InboxID                    int
	Sign, IgnoreGroups, Pending, Reopen bool
	Status, LastError                   string
	Created                             time.Time
}

type savedPairing struct {
	Number  string   `json:",omitempty"`
	Code    string   `json:",omitempty"`
	Codes   []string `json:",omitempty"`
	History int
	Expires time.Time // the code on show
}

type savedHook struct {
	Label, URL    string
	Enabled       bool
	Authorization *string `json:",omitempty"`
	ByEvents      bool
	Events        []string `json:",omitempty"`
	MediaBase64   bool
	LastStatus    int         `json:",omitempty"`
	LastAt        time.Time   `json:",omitzero"`
	Waiting       []savedPost `json:",omitempty"`
}

// savedPost is an event that no webhook has taken yet.
type savedPost struct {
	Event, URL    string
	Authorization string `json:",omitempty"`
	Body          json.RawMessage
	Attempt       int       `json:",omitempty"`
	Due           time.Time `json:",omitzero"` // of the next attempt; at once when zero
}

type savedStream struct {
	Enabled     bool
	Events      []string `json:",omitempty"`
	MediaBase64 bool
}

// savedRefusal is what FailWhatsApp has set.
type savedRefusal struct {
	Reason string
	Left   int
}

// save copies the instance without its messages. The caller holds the lock.
func (i *Instance) save(account int) savedInstance {
	si := savedInstance{
		Account: account, ID: i.id, Name: i.name, Token: i.token, Created: i.created, Updated: i.updated,
		State: i.state, Phone: i.phone, Session: i.session, Reconnecting: i.reconnect != nil, Seed: savedSeed{i.seed.made, i.seed.phone},
		Profile: savedProfile{i.profile.name, i.profile.picture, i.profile.businessName, i.profile.business},
		Settings: savedSettings{
			i.settings.autoRejectCalls, i.settings.callRejectMessage, i.settings.ignoreGroupMessages, i.settings.keepOnlineStatus,
			i.settings.autoReadMessages, i.settings.disableHistorySync, i.settings.ignoreStatus,
		},
		Proxy: savedProxy{i.proxy.enabled, i.proxy.host, i.proxy.port, i.proxy.protocol, i.proxy.username, i.proxy.password},
		S3: savedS3{
			i.s3.enabled, i.s3.region, i.s3.bucket, i.s3.accessKey, i.s3.secretKey, i.s3.endpoint, i.s3.pathPrefix,
		},
		Chatwoot: i.chatwoot, Receipts: i.receipts, Unread: map[string][]string{}, History: slices.Clone(i.history),
		Groups: maps.Clone(i.groups), About: i.about, Privacy: maps.Clone(i.privacy),
		RefuseCommunities: i.refuseCommunities, Refusal: savedRefusal{i.upstream.reason, i.upstream.left},
	}
	if i.privacyFault != nil {
		si.PrivacyFault = new(*i.privacyFault)
	}
	if l := i.chatwootLink; l != nil {
		si.ChatwootLink = &savedLink{
			l.id, l.baseURL, l.token, l.inbox, l.account, l.inboxID, l.sign, l.ignoreGroups, l.pending, l.reopen,
			l.status, l.lastError, l.created,
		}
	}
	if p := i.pairing; p != nil {
		si.Pairing = &savedPairing{p.number, p.code, p.codes, p.history, p.expires}
	}
	for _, h := range i.hooks {
		si.Hooks = append(si.Hooks, h.save())
	}
	if st := i.stream; st != nil {
		si.Stream = &savedStream{st.enabled, st.events, st.mediaBase64}
	}
	for chat, list := range i.unread {
		for _, m := range list {
			si.Unread[chat] = append(si.Unread[chat], m.ID)
		}
	}
	for _, c := range i.calls {
		si.Calls = append(si.Calls, *c)
	}
	i.book.save(&si)
	return si
}

func (h *hook) save() savedHook {
	sh := savedHook{
		Label: h.label, URL: h.url, Enabled: h.enabled, Authorization: h.authorization, ByEvents: h.byEvents,
		Events: h.events, MediaBase64: h.mediaBase64, LastStatus: h.lastStatus, LastAt: h.lastAt,
	}
	add := func(p *post, attempt int, due time.Time) {
		sh.Waiting = append(sh.Waiting, savedPost{p.event, p.url, p.auth, p.body, attempt, due})
	}
	if h.now != nil {
		add(h.now, h.now.attempt-1, time.Time{}) // its attempt may not have reached anybody
	}
	for _, p := range h.queue {
		add(p, p.attempt, time.Time{})
	}
	later := slices.SortedFunc(maps.Keys(h.later), func(a, b *post) int {
		return cmp.Or(h.later[a].Compare(h.later[b]), cmp.Compare(a.number, b.number))
	})
	for _, p := range later {
		add(p, p.attempt, h.later[p])
	}
	return sh
}

// restoreInstance makes an instance as it was. Its messages come after it, and
// what goes on in it with resume.
func (s *Server) restoreInstance(si savedInstance) *Instance {
	i := s.newInstance(s.accounts[si.Account], si.Name, si.Token)
	i.id, i.created, i.updated, i.state, i.phone, i.session = si.ID, si.Created, si.Updated, si.State, si.Phone, si.Session
	i.seed = seed{si.Seed.Made, si.Seed.Phone}
	i.profile = profile{si.Profile.Name, si.Profile.Picture, si.Profile.BusinessName, si.Profile.Business}
	st := si.Settings
	i.settings = settings{
		st.AutoRejectCalls, st.CallRejectMessage, st.IgnoreGroupMessages, st.KeepOnlineStatus,
		st.AutoReadMessages, st.DisableHistorySync, st.IgnoreStatus,
	}
	i.proxy = proxy{si.Proxy.Enabled, si.Proxy.Host, si.Proxy.Port, si.Proxy.Protocol, si.Proxy.Username, si.Proxy.Password}
	i.s3 = s3{
		si.S3.Enabled, si.S3.Region, si.S3.Bucket, si.S3.AccessKey, si.S3.SecretKey, si.S3.Endpoint, si.S3.PathPrefix,
	}
	i.chatwoot, i.receipts, i.history = si.Chatwoot, si.Receipts, si.History
	maps.Copy(i.groups, si.Groups)
	i.about, i.privacy, i.privacyFault = si.About, si.Privacy, si.PrivacyFault
	i.refuseCommunities, i.upstream = si.RefuseCommunities, upstream{si.Refusal.Reason, si.Refusal.Left}
	if l := si.ChatwootLink; l != nil {
		i.chatwootLink = &chatwootLink{
			l.ID, l.BaseURL, l.Token, l.Inbox, l.Account, l.InboxID, l.Sign, l.IgnoreGroups, l.Pending, l.Reopen,
			l.Status, l.LastError, l.Created,
		}
	}
	if st := si.Stream; st != nil {
		i.stream = &streamConfig{st.Enabled, st.Events, st.MediaBase64}
	}
	for _, sh := range si.Hooks {
		i.hooks = append(i.hooks, &hook{
			inst: i, label: sh.Label, enabled: sh.Enabled, url: sh.URL, authorization: sh.Authorization,
			byEvents: sh.ByEvents, events: sh.Events, mediaBase64: sh.MediaBase64, lastStatus: sh.LastStatus, lastAt: sh.LastAt,
		})
	}
	for _, c := range si.Calls {
		i.calls = append(i.calls, &c)
	}
	i.book.restore(si)
	return i
}

// resume lets go on what was going on when the state was saved: a code on show
// is renewed in time, receipts and webhook deliveries that were due come late.
func (i *Instance) resume(si savedInstance, at time.Time) {
	s := i.s
	for chat, ids := range si.Unread {
		for _, id := range ids {
			if m := i.byID[id]; m != nil {
				i.unread[chat] = append(i.unread[chat], m)
			}
		}
	}
	if p := si.Pairing; p != nil {
		i.pairing = &pairing{number: p.Number, code: p.Code, codes: p.Codes, history: p.History, expires: p.Expires}
		i.awaitPairing(i.pairing)
	}
	if si.Reconnecting {
		i.awaitReconnect()
	}
	for _, m := range i.messages {
		if m.FromMe && rank[m.Status] < rank["played"] {
			i.resumeReceipts(m, at)
		}
	}
	for k, sh := range si.Hooks {
		for _, p := range sh.Waiting {
			again := &post{event: p.Event, url: p.URL, auth: p.Authorization, body: p.Body, attempt: p.Attempt}
			if p.Due.IsZero() {
				i.hooks[k].add(again)
			} else {
				i.hooks[k].count++
				again.number = i.hooks[k].count
				i.hooks[k].pushAfter(p.Due.Sub(s.clock.now()), again)
			}
		}
	}
}
