//go:build js

// Command app is the page's program: the SDK in the browser. It lists the instances of
// an account and follows the event stream of each.
package main

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall/js"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
)

func main() {
	document := js.Global().Get("document")
	form, field := document.Call("getElementById", "enter"), document.Call("getElementById", "token")
	enter := func(token string) {
		form.Set("hidden", true)
		if err := run(document.Get("body").Get("dataset").Get("service").String(), token); err != nil {
			document.Call("getElementById", "problem").Set("textContent", err.Error())
		}
		document.Call("getElementById", "board").Set("hidden", true)
		form.Set("hidden", false)
		field.Call("focus")
	}
	tokens := make(chan string, 1)
	form.Call("addEventListener", "submit", js.FuncOf(func(_ js.Value, args []js.Value) any {
		args[0].Call("preventDefault")
		select { // no callback of a browser may wait
		case tokens <- field.Get("value").String():
			field.Set("value", "")
		default:
		}
		return nil
	}))
	// The address may bring the token behind a #, which no server sees. It is taken out
	// of the address, and kept nowhere but in the memory of this page.
	location := js.Global().Get("location")
	if token, brought := strings.CutPrefix(location.Get("hash").String(), "#token="); brought {
		js.Global().Get("history").Call("replaceState", nil, "", location.Get("pathname"))
		tokens <- token
	}
	for token := range tokens {
		enter(token)
	}
}

// run shows the account until its token is refused or the person leaves.
func run(service, token string) error {
	account, err := ryze.NewAccountClient(token, ryze.WithBaseURL(service))
	if err != nil {
		return err
	}
	defer func() { _ = account.Client().Close() }()
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	b := &board{account: account, instances: map[string]*instance{}, chats: map[string]*chat{}, ended: make(chan struct{}, 1)}
	b.view = newView(leave)
	defer b.view.close()
	var following sync.WaitGroup
	defer following.Wait()
	for ctx.Err() == nil {
		list, err := account.ListInstances(ctx)
		switch {
		case errors.Is(err, ryze.ErrUnauthorized), errors.Is(err, ryze.ErrInvalidArgument):
			leave()
			return err
		case err != nil && ctx.Err() == nil:
			b.tell("The list could not be read: " + err.Error())
		default:
			for _, info := range b.update(list) {
				following.Go(func() { b.follow(ctx, info); b.again() })
			}
		}
		select {
		case <-ctx.Done():
		case <-b.ended:
		case <-time.After(10 * time.Second): // for instances that come and go
		}
	}
	return nil
}

type board struct {
	account *ryze.AccountClient
	view    *view
	ended   chan struct{} // a stream has: perhaps its instance is gone

	mu        sync.Mutex
	notice    string
	instances map[string]*instance // by name
	chats     map[string]*chat     // by instance and JID
}

type instance struct {
	name, number string
	state        ryze.InstanceState
	stream       string // "live", or why it is not
	leave        func() // ends the stream
}

type chat struct {
	instance, name, number string
	lines                  []line
	at                     time.Time
}

type line struct {
	id, text string
	own      bool
	status   ryze.MessageStatus
	at       time.Time
}

// change changes what is shown.
func (b *board) change(what func()) {
	b.mu.Lock()
	what()
	b.mu.Unlock()
	b.view.draw(b)
}

func (b *board) tell(notice string) { b.change(func() { b.notice = notice }) }

func (b *board) again() {
	select {
	case b.ended <- struct{}{}:
	default:
	}
}

// update takes the list, and returns the instances that are new.
func (b *board) update(list []ryze.Instance) (fresh []ryze.Instance) {
	b.change(func() {
		b.notice = ""
		there := map[string]bool{}
		for _, info := range list {
			there[info.Name] = true
			if b.instances[info.Name] == nil {
				b.instances[info.Name] = &instance{name: info.Name, stream: "opening", leave: func() {}}
				fresh = append(fresh, info)
			}
			b.instances[info.Name].state, b.instances[info.Name].number = info.State, info.JID.Phone()
		}
		for name, in := range b.instances {
			if !there[name] {
				in.leave()
				delete(b.instances, name)
				maps.DeleteFunc(b.chats, func(_ string, c *chat) bool { return c.instance == name })
			}
		}
	})
	return fresh
}

// follow listens to one instance, with the token of that one. The SDK puts it into the
// address of the stream, as a browser cannot send it as a header.
func (b *board) follow(ctx context.Context, info ryze.Instance) {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	state := func(stream string) {
		b.change(func() {
			if in := b.instances[info.Name]; in != nil {
				in.stream, in.leave = stream, leave
			}
		})
	}
	stream, err := b.account.InstanceFrom(&info).Subscribe(ctx) // and changes no setting
	if err != nil {
		state(err.Error())
		return
	}
	state("live")
	for event, err := range stream.All() {
		if err != nil {
			state(err.Error())
			return
		}
		switch data := event.Data.(type) {
		case *ryze.MessageEvent:
			b.change(func() { b.message(info.Name, data) })
		case *ryze.ReceiptEvent:
			b.change(func() { b.receipt(info.Name, data) })
		case *ryze.InstanceStateEvent:
			b.change(func() {
				if in := b.instances[info.Name]; in != nil {
					in.state = data.State
				}
			})
		case *ryze.GapEvent:
			b.tell(info.Name + ": the stream had a hole of " + data.To.Sub(data.From).Round(time.Second).String() + ". What was written in it is not here.")
		}
		if ctx.Err() != nil {
			break
		}
	}
	_ = stream.Close()
}

func (b *board) message(name string, m *ryze.MessageEvent) {
	if b.instances[name] == nil {
		return
	}
	key := name + " " + string(m.Chat.JID)
	c := b.chats[key]
	if c == nil {
		c = &chat{instance: name, number: cmp.Or(m.Chat.JID.Phone(), m.Chat.JID.User())}
		b.chats[key] = c
	}
	c.name = cmp.Or(m.Chat.Name, c.name)
	if m.Direction == ryze.DirectionIncoming && m.Chat.Type == ryze.ChatPrivate {
		c.name = cmp.Or(m.Sender.Name, c.name)
	}
	at := cmp.Or(m.Timestamp, time.Now())
	if slices.ContainsFunc(c.lines, func(l line) bool { return l.id == m.ID }) {
		return
	}
	c.lines = append(c.lines, line{id: m.ID, text: cmp.Or(m.Text, "["+string(m.Type)+"]"), own: m.Direction == ryze.DirectionOutgoing, at: at})
	c.lines, c.at = c.lines[max(0, len(c.lines)-4):], at
	if len(b.chats) > 60 { // the oldest goes
		oldest := slices.MinFunc(slices.Collect(maps.Keys(b.chats)), func(x, y string) int { return b.chats[x].at.Compare(b.chats[y].at) })
		delete(b.chats, oldest)
	}
}

func (b *board) receipt(name string, r *ryze.ReceiptEvent) {
	c := b.chats[name+" "+string(r.Chat.JID)]
	if c == nil {
		return
	}
	for i := range c.lines {
		if l := &c.lines[i]; slices.Contains(r.MessageIDs, l.id) && r.Status.Supersedes(l.status) {
			l.status = r.Status
		}
	}
}
