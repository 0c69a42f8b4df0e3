package ryze

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// ContactsService reads the contacts that the instance has synced, and blocks
// people. It cannot add or change contacts.
type ContactsService service

// Contact is a contact of the instance. Raw has all fields; see
// docs/service-notes.md.
type Contact struct {
	Meta `json:"-"`

	// Found is false when the service does not know the contact. The other
	// fields may then be empty.
	Found         bool
	JID           JID
	LID           JID // when known
	FirstName     string
	FullName      string
	PushName      string // chosen by the contact
	BusinessName  string
	RedactedPhone string
}

type wireContact struct {
	JID           stringOrInt `json:"jid"`
	LID           stringOrInt `json:"lid"`
	Found         wireBool    `json:"found"`
	FirstName     stringOrInt `json:"first_name"`
	FullName      stringOrInt `json:"full_name"`
	PushName      stringOrInt `json:"push_name"`
	BusinessName  stringOrInt `json:"business_name"`
	RedactedPhone stringOrInt `json:"redacted_phone"`
}

func (w *wireContact) contact(meta Meta) Contact {
	jid, lid := eventAddresses(string(w.JID), string(w.LID), "")
	return Contact{
		Meta: meta, Found: w.Found.on || !w.Found.known, JID: jid, LID: lid,
		FirstName: string(w.FirstName), FullName: string(w.FullName), PushName: string(w.PushName),
		BusinessName: string(w.BusinessName), RedactedPhone: string(w.RedactedPhone),
	}
}

type contactReply struct {
	envelope
	Contact json.RawMessage `json:"contact"`
}

// List returns all synced contacts of the instance, without paging. It does not
// ask WhatsApp.
//
// GET /api/chat/contacts/:instance. Safe to repeat.
func (s *ContactsService) List(ctx context.Context) ([]Contact, error) {
	return fetchList(ctx, s.h, opContactsList, input{}, []string{"contacts"}, (*wireContact).contact)
}

// Get returns one contact, by phone or LID. An unknown contact is not an error:
// Found is false.
//
// GET /api/chat/contacts/:instance. Safe to repeat.
func (s *ContactsService) Get(ctx context.Context, who JID) (*Contact, error) {
	if err := who.check("contact", people); err != nil {
		return nil, err
	}
	in := input{query: url.Values{"number": {who.wire()}}.Encode()}
	r, err := fetchChecked(ctx, s.h, opContactsList, in, func(r *contactReply) string {
		if len(r.Contact) == 0 || r.Contact[0] != '{' {
			return "the reply has no contact"
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	c := readItems([]json.RawMessage{r.Contact}, r.RateLimit, (*wireContact).contact)[0]
	return &c, nil
}

// PhoneOf returns the phone of a person known by LID, in the form of
// [JID.Bare]. It returns [ErrContactNotFound] unless the answer names exactly
// that LID.
//
// GET /api/chat/contacts/:instance. Safe to repeat.
func (s *ContactsService) PhoneOf(ctx context.Context, lid JID) (JID, error) {
	if err := lid.check("lid", jidKinds{JIDLID}); err != nil {
		return "", err
	}
	c, err := s.Get(ctx, lid)
	if err != nil {
		return "", err
	}
	if !c.Found || !c.LID.Same(lid) || c.JID.Phone() == "" {
		return "", fmt.Errorf("ryze: LID %s: %w", quoted(string(lid)), ErrContactNotFound)
	}
	return c.JID, nil
}

// LIDOf returns the LID of a person known by phone. It returns
// [ErrContactNotFound] unless the answer names that phone, in either Brazilian
// form. The instance's own number may be missing.
//
// GET /api/chat/contacts/:instance. Safe to repeat.
func (s *ContactsService) LIDOf(ctx context.Context, phone JID) (JID, error) {
	if err := phone.check("phone", phones); err != nil {
		return "", err
	}
	c, err := s.Get(ctx, phone)
	if err != nil {
		return "", err
	}
	if !c.Found || !samePerson(c.JID, phone) || !c.LID.IsLID() {
		return "", fmt.Errorf("ryze: phone %s: %w", quoted(string(phone)), ErrContactNotFound)
	}
	return c.LID, nil
}

// Block blocks a person. Messages stop both ways, and the history stays. No
// event tells of it, and no route lists blocked people.
//
// POST /api/chat/block/:instance. Safe to repeat.
func (s *ContactsService) Block(ctx context.Context, person JID) error {
	return s.block(ctx, person, true)
}

// Unblock undoes Block.
//
// POST /api/chat/block/:instance. Safe to repeat.
func (s *ContactsService) Unblock(ctx context.Context, person JID) error {
	return s.block(ctx, person, false)
}

func (s *ContactsService) block(ctx context.Context, person JID, on bool) error {
	if err := person.check("person", people); err != nil {
		return err
	}
	return s.h.set(ctx, opContactBlock, person, people, "block", on)
}

// LabelFilter chooses chats that have at least one of the labels, or any label
// when none is named. Use either IDs or Names; see docs/service-notes.md.
type LabelFilter struct {
	IDs   []string
	Names []string // upper and lower case count as the same
	// Refresh syncs the labels with WhatsApp first, which needs a connected
	// instance.
	Refresh bool
}

// LabeledChats are chats with their labels.
type LabeledChats struct {
	Meta `json:"-"`

	// Chats has one JSON object for each chat, with all of its labels, as
	// received.
	Chats     []json.RawMessage
	Pairs     int      // pairs of a chat and a label
	Refreshed bool     // this call has synced the labels
	LabelIDs  []string // the labels that were really looked for
}

type labeledChatsReply struct {
	envelope
	TotalRows      wireInt      `json:"total_rows"`
	Refreshed      wireBool     `json:"refreshed"`
	FilterLabelIDs stringOrList `json:"filter_label_ids"`
}

// ByLabel returns the chats with certain labels, without paging.
//
// GET /api/chat/contactsByLabel/:instance. Safe to repeat.
func (s *ContactsService) ByLabel(ctx context.Context, filter LabelFilter) (*LabeledChats, error) {
	query := url.Values{}
	for _, list := range []struct {
		field, parameter string
		values           []string
	}{{"LabelFilter.IDs", "labelIds", filter.IDs}, {"LabelFilter.Names", "labelNames", filter.Names}} {
		for i, v := range list.values {
			if err := checkFilled(filled{at(list.field, i), v}); err != nil {
				return nil, err
			}
			if strings.Contains(v, ",") {
				return nil, invalid(at(list.field, i), quoted(v)+" has a comma, which separates labels on this route")
			}
		}
		if len(list.values) > 0 {
			query.Set(list.parameter, strings.Join(list.values, ","))
		}
	}
	if filter.Refresh {
		query.Set("refresh", strconv.FormatBool(true))
	}
	var list []json.RawMessage
	r, err := fetchChecked(ctx, s.h, opContactsByLabel, input{query: query.Encode()}, func(r *labeledChatsReply) (missing string) {
		list, missing = listIn(r.Raw(), "chats")
		list = withoutNulls(list)
		return missing
	})
	if err != nil {
		return nil, err
	}
	return &LabeledChats{Meta: r.Meta, Chats: list, Pairs: int(r.TotalRows), Refreshed: r.Refreshed.on, LabelIDs: r.FilterLabelIDs}, nil
}
