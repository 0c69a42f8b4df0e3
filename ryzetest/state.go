package ryzetest

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// stateVersion is that of the form in which Save writes. It goes up when a reader
// of the former one would misunderstand it.
const stateVersion = 1

// saved is the state as Save writes it: one JSON object, whose lists have a line
// for each of their elements. Its types are apart from those that the server works
// with, so that a change of these does not change files that exist.
type saved struct {
	server    savedServer
	instances []savedInstance
	messages  []savedMessage
}

type savedServer struct {
	At          time.Time // of the server's clock
	ClockOffset time.Duration
	Accounts    []savedAccount // the main account first
	NextPhone   int
	Degraded    map[string]string `json:",omitempty"`
	World       savedWorld
	Windows     []savedWindow `json:",omitempty"`
	Stranger    float64       `json:",omitempty"`
}

type savedAccount struct {
	Token string
	Quota int
}

type savedWindow struct {
	Token string
	Class rateClass
	Reset time.Time
	Used  int
	Eaten float64 `json:",omitempty"`
}

// Save writes what the server knows, at one moment, for WithState: accounts,
// instances, chats, messages with media, waiting webhook events, contacts,
// groups, newsletters, rate windows, the clock's offset. Tokens and texts are
// in it: keep it secret.
//
// It leaves out options, faults, open streams and logs. It may be called while
// the server works.
func (s *Server) Save(w io.Writer) error {
	state := s.snapshot()
	out := bufio.NewWriterSize(w, 64<<10)
	fmt.Fprintf(out, "{\"format\": %q,\n\"version\": %d,\n\"server\": ", stateFormat, stateVersion)
	if err := writeElement(out, state.server); err != nil {
		return err
	}
	fmt.Fprint(out, ",\n\"instances\": ")
	if err := writeList(out, state.instances); err != nil {
		return err
	}
	fmt.Fprint(out, ",\n\"messages\": ")
	if err := writeList(out, state.messages); err != nil {
		return err
	}
	fmt.Fprint(out, "\n}\n")
	return out.Flush() // it has kept the first error of those that write
}

const stateFormat = "ryzetest state"

func writeList[T any](out *bufio.Writer, list []T) error {
	before := "[\n"
	for _, item := range list {
		fmt.Fprint(out, before)
		if err := writeElement(out, item); err != nil {
			return err
		}
		before = ",\n"
	}
	if len(list) == 0 {
		fmt.Fprint(out, "[")
	}
	fmt.Fprint(out, "]")
	return nil
}

func writeElement(out *bufio.Writer, item any) error {
	text, err := json.Marshal(item)
	if err != nil {
		return fmt.Errorf("ryzetest: the state cannot be written: %w", err)
	}
	_, err = out.Write(text)
	return err
}

// readState reads what Save has written, and nothing else.
func readState(r io.Reader) (*saved, error) {
	state, err := decodeState(r)
	switch {
	case err == nil:
		return state, nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("the state is cut off: its end is missing")
	}
	return nil, fmt.Errorf("the state cannot be read: %w", err)
}

func decodeState(r io.Reader) (*saved, error) {
	dec := json.NewDecoder(bufio.NewReaderSize(r, 64<<10))
	dec.UseNumber()
	dec.DisallowUnknownFields()
	if err := expect(dec, json.Delim('{')); err != nil {
		return nil, err
	}
	state := &saved{}
	version := 0
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		if version == 0 && key != "format" && key != "version" {
			return nil, errNoState
		}
		switch key {
		case "format":
			var format string
			if err = dec.Decode(&format); err == nil && format != stateFormat {
				err = errNoState
			}
		case "version":
			err = dec.Decode(&version)
			switch {
			case err == nil && version > stateVersion:
				err = fmt.Errorf("it has version %d, and this program knows %d: use a newer program", version, stateVersion)
			case err == nil && version < 1:
				err = errNoState
			}
		case "server":
			err = dec.Decode(&state.server)
		case "instances":
			err = readList(dec, &state.instances)
		case "messages":
			err = readList(dec, &state.messages)
		default:
			err = fmt.Errorf("unknown field %q", key)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := expect(dec, json.Delim('}')); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows its end")
	}
	if len(state.server.Accounts) == 0 {
		return nil, errNoState
	}
	return state, state.check()
}

var errNoState = errors.New("it is none that a simulator has saved")

func expect(dec *json.Decoder, want json.Delim) error {
	got, err := dec.Token()
	if err == nil && got != want {
		err = errNoState
	}
	return err
}

func readList[T any](dec *json.Decoder, list *[]T) error {
	if err := expect(dec, '['); err != nil {
		return err
	}
	for dec.More() {
		var item T
		if err := dec.Decode(&item); err != nil {
			return err
		}
		*list = append(*list, item)
	}
	return expect(dec, ']')
}

// check finds what the rest of the reading relies on.
func (st *saved) check() error {
	type place struct {
		account int
		name    string
	}
	names := map[place]bool{}
	for _, i := range st.instances {
		at := place{i.Account, i.Name}
		if i.Account < 0 || i.Account >= len(st.server.Accounts) || i.Name == "" || i.Token == "" || names[at] {
			return fmt.Errorf("instance %q does not fit the rest", i.Name)
		}
		names[at] = true
	}
	for _, m := range st.messages {
		if m.Instance < 0 || m.Instance >= len(st.instances) || m.Message == nil {
			return errors.New("a message belongs to no instance")
		}
	}
	for _, w := range st.server.Windows {
		if w.Class != rateGlobal && w.Class != rateCreate {
			return errors.New("a rate window is of no known class")
		}
	}
	return st.server.World.check()
}

// snapshot copies what Save writes. What the copies share with the server does not
// change any more: media, bodies of requests, events.
func (s *Server) snapshot() *saved {
	state := &saved{}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.now()
	state.server = savedServer{
		At: now, ClockOffset: s.clock.ahead(), NextPhone: s.nextPhone, World: s.world.save(),
		Windows: s.windows.save(now), Stranger: s.windows.share(),
	}
	for k, acc := range s.accounts {
		state.server.Accounts = append(state.server.Accounts, savedAccount{acc.token, acc.quota})
		for _, i := range acc.instances {
			state.messages = append(state.messages, i.saveMessages(len(state.instances))...)
			state.instances = append(state.instances, i.save(k))
		}
	}
	if len(s.degraded) > 0 {
		state.server.Degraded = maps.Clone(s.degraded)
	}
	return state
}

// restore takes over what was read. Nobody else has the server yet.
func (s *Server) restore(state *saved) {
	sv := state.server
	s.clock.offset = sv.ClockOffset
	former := sv.Accounts[0].Token
	if s.cfg.accountToken == "" {
		s.AccountToken = former
	}
	s.accounts = nil
	for k, acc := range sv.Accounts {
		if k == 0 {
			acc = savedAccount{s.AccountToken, s.cfg.quota}
		}
		s.accounts = append(s.accounts, &account{token: acc.Token, quota: acc.Quota})
	}
	s.nextPhone = sv.NextPhone
	for check, reason := range sv.Degraded {
		s.degraded[check] = reason
	}
	s.world.restore(s, sv.World)
	for k := range sv.Windows {
		if w := &sv.Windows[k]; w.Token == former {
			w.Token = s.AccountToken
		}
	}
	s.windows.restore(sv.Windows, sv.Stranger)

	instances := make([]*Instance, len(state.instances))
	for k, si := range state.instances {
		instances[k] = s.restoreInstance(si)
	}
	for _, m := range state.messages {
		instances[m.Instance].restoreMessage(m)
	}
	for k, i := range instances {
		i.resume(state.instances[k], sv.At)
	}
}

func (ws *windows) save(now time.Time) []savedWindow {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	var list []savedWindow
	for key, w := range ws.open {
		if now.Before(w.reset) {
			list = append(list, savedWindow{key.token, key.class, w.reset, w.used, w.eaten})
		}
	}
	slices.SortFunc(list, func(a, b savedWindow) int {
		return cmp.Or(strings.Compare(a.Token, b.Token), cmp.Compare(a.Class, b.Class))
	})
	return list
}

func (ws *windows) share() float64 {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return ws.stranger
}

func (ws *windows) restore(list []savedWindow, stranger float64) {
	ws.stranger = stranger
	for _, w := range list {
		ws.open[windowKey{w.Token, w.Class}] = &window{reset: w.Reset, used: w.Used, eaten: w.Eaten}
	}
}
