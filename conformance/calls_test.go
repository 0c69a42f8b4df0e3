package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// call is one call of an exported method: what is there before it, and what
// becomes of it when the simulator answers.
type call struct {
	name    string
	options []ryzetest.Option
	prepare func(*env) // with the simulator only
	do      func(context.Context, *env) (any, error)
	fails   error // what the error is, nil for a success
	partial bool  // a success of which a part is not done
}

// gives is a call of a method with a result.
func gives[T any](name string, do func(context.Context, *env) (T, error)) call {
	return call{name: name, do: func(ctx context.Context, e *env) (any, error) { return do(ctx, e) }}
}

// does is a call of a method that returns an error only.
func does(name string, do func(context.Context, *env) error) call {
	return call{name: name, do: func(ctx context.Context, e *env) (any, error) { return nil, do(ctx, e) }}
}

// after sets the simulator up for the call.
func (c call) after(prepare func(*env)) call { c.prepare = prepare; return c }

// with builds the simulator with further options.
func (c call) with(options ...ryzetest.Option) call { c.options = options; return c }

// failing is a call that the service refuses.
func (c call) failing(err error) call { c.fails = err; return c }

// inPart is a call that succeeds but for a part of it.
func (c call) inPart() call { c.partial = true; return c }

// wants reports whether err is what the call is expected to end with.
func (c call) wants(err error) bool {
	if c.partial {
		return errors.Is(err, ryze.ErrPartial)
	}
	return is(err, c.fails)
}

// refused is an error with a text that contains this; for those that match no
// sentinel of package ryze.
type refused string

func (r refused) Error() string { return "an error with the text " + string(r) }

// is reports whether err is the one that was to be expected.
func is(err, want error) bool {
	var text refused
	if errors.As(want, &text) {
		return err != nil && strings.Contains(err.Error(), string(text))
	}
	return errors.Is(err, want)
}

// calls are all calls of the suite.
var calls = slices.Concat(
	accountCalls, instanceCalls, configurationCalls,
	sendCalls, messageCalls, chatCalls,
	groupCalls, communityCalls, newsletterCalls,
	profileCalls, callCalls, chatwootCalls, refusedCalls,
)

const (
	ana     ryze.JID = "5511987654321"
	anaLID  ryze.JID = "123456789012345@lid"
	bruno   ryze.JID = "5521912345678"
	carla   ryze.JID = "5531955554444"
	own              = "5511900000001"
	name             = "support-line"
	picture          = "https://media.example.net/picture.png"
)

var png = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xa75\x81\x84\x00\x00\x00\x00IEND\xaeB`\x82")

// env is the world of one call.
type env struct {
	client  *ryze.Client
	account *ryze.AccountClient
	inst    *ryze.InstanceClient
	token   string // of the account

	sim   *ryzetest.Server // nil when replies come from the document
	phone *ryzetest.Instance

	received, sent, media, poll, inGroup string // ids of messages
	group, subgroup, community           ryze.JID
	invite                               string
	label                                string
	channel                              string
}

// simulated is the world in the simulator: an instance with a few chats, a
// group, a community, a label, and a channel that it follows not yet.
func simulated(t *testing.T, sim *ryzetest.Server, transport http.RoundTripper) *env {
	t.Helper()
	client, err := ryze.New(ryze.WithBaseURL(sim.URL), ryze.WithHTTPClient(&http.Client{Transport: transport}))
	require.NoError(t, err)
	sim.AddContact(ryzetest.Contact{Phone: string(ana), LID: string(anaLID), Name: "Ana Example", About: "At work", Picture: picture})
	sim.AddContact(ryzetest.Contact{Phone: string(bruno), Name: "Bruno Example"})
	sim.AddContact(ryzetest.Contact{Phone: string(carla), Name: "Carla Example"})
	phone := sim.AddInstance(name)
	phone.Pair(own)
	group := phone.AddGroup("Release crew", string(ana))
	community := phone.AddCommunity("Neighbours")
	e := &env{
		client: client, account: client.Account(sim.AccountToken), inst: client.Instance(name, phone.Token()),
		token: sim.AccountToken, sim: sim, phone: phone,
		group: ryze.JID(group.JID()), invite: group.InviteLink(),
		subgroup:  ryze.JID(phone.AddGroup("Garden", string(ana)).JID()),
		community: ryze.JID(community.JID()),
		label:     phone.AddLabel("Lead", 3),
		channel:   sim.AddNewsletter("News of the day", "What happened", 12).JID(),
		received:  phone.Receive(ryzetest.Incoming{From: string(ana), Name: "Ana Example", Text: "Hello"}),
		media:     phone.Receive(ryzetest.Incoming{From: string(ana), Text: "Look", Media: &ryzetest.File{Data: png, MIME: "image/png", FileName: "dot.png"}}),
		sent:      phone.TypeOnPhone(string(ana), ryzetest.Incoming{Text: "Good morning"}),
		poll:      phone.TypeOnPhone(string(ana), ryzetest.Incoming{Poll: &ryzetest.Poll{Question: "Which day?", Options: []string{"Monday", "Tuesday"}, Max: 1}}),
		inGroup:   phone.Receive(ryzetest.Incoming{From: string(ana), Group: group.JID(), Text: "Hello, all"}),
	}
	return e
}

// shown is the world in which replies come from the document: every id is
// that of its examples.
func shown(t *testing.T, transport http.RoundTripper) *env {
	t.Helper()
	client, err := ryze.New(ryze.WithBaseURL("https://ryze.test"), ryze.WithHTTPClient(&http.Client{Transport: transport}))
	require.NoError(t, err)
	const id = "3EB0000000000000AAAA"
	return &env{
		client: client, account: client.Account("account-token"), inst: client.Instance(name, "instance-token"),
		token: "account-token", received: id, sent: id, media: id, poll: id, inGroup: id,
		group: "120363000000000001@g.us", subgroup: "120363000000000003@g.us", community: "120363000000000002@g.us",
		invite: "https://chat.whatsapp.com/AbCdEf123", label: "3", channel: "120363000000000002@newsletter",
	}
}

// TestConformance calls every method against the simulator, validates what
// travels, and counts the operations for which all three agree.
func TestConformance(t *testing.T) {
	o := observe(t)
	operations := ryze.Operations()
	for _, op := range operations {
		assert.Empty(t, o.faults(op), op.ID)
	}
	fmt.Printf("Conformance: %d of %d\n", o.conforming(), len(operations))
}
