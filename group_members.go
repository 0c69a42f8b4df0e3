package ryze

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"
)

// MembersResult says what a call did for each person.
type MembersResult struct {
	Meta `json:"-"`

	Message string         // the service's text
	Members []MemberResult // in the order in which they were given
}

// MemberResult is the outcome for one person.
type MemberResult struct {
	Meta `json:"-"`

	Member JID // as given to the call
	Done   bool
	// Reason is the service's text for a refusal, such as a number that is not
	// on WhatsApp. With Done it is an error that the reply has beside it.
	Reason string
	// ByPosition means that the reply did not name the person. Its entry was
	// matched by its place in the list.
	ByPosition bool
}

type memberAction string

const (
	addMembers     memberAction = "add"
	removeMembers  memberAction = "remove"
	promoteMembers memberAction = "promote"
	demoteMembers  memberAction = "demote"
	approveMembers memberAction = "approve"
	rejectMembers  memberAction = "reject"
)

// AddMembers adds people by phone number or LID. Only admins may. The service
// works for up to 60 s. When some people, or all, are not added, the result
// comes with [ErrPartial]:
//
//	added, err := inst.Groups.AddMembers(ctx, group, "5511987654321", "5521912345678")
//	if errors.Is(err, ryze.ErrPartial) {
//		for _, m := range added.Members {
//			log.Print(m.Member, m.Done, m.Reason)
//		}
//	}
//
// After [ErrOutcomeUnknown] read the members first. The result is nil then, unless
// the reply contradicts itself. See also [MemberResult.ByPosition].
//
// POST /api/group/participants/:instance. Not safe to repeat.
func (s *GroupsService) AddMembers(ctx context.Context, group JID, members ...JID) (*MembersResult, error) {
	return s.members(ctx, addMembers, group, members)
}

// RemoveMembers removes people. Only admins may. The invite link lets them
// return until it is reset. It works like [GroupsService.AddMembers].
//
// POST /api/group/participants/:instance. Not safe to repeat.
func (s *GroupsService) RemoveMembers(ctx context.Context, group JID, members ...JID) (*MembersResult, error) {
	return s.members(ctx, removeMembers, group, members)
}

// Promote makes members admins. Only the super admin may. It works like
// [GroupsService.AddMembers].
//
// POST /api/group/participants/:instance. Not safe to repeat.
func (s *GroupsService) Promote(ctx context.Context, group JID, members ...JID) (*MembersResult, error) {
	return s.members(ctx, promoteMembers, group, members)
}

// Demote makes admins plain members. Only the super admin may. It works like
// [GroupsService.AddMembers].
//
// POST /api/group/participants/:instance. Not safe to repeat.
func (s *GroupsService) Demote(ctx context.Context, group JID, members ...JID) (*MembersResult, error) {
	return s.members(ctx, demoteMembers, group, members)
}

// ApproveRequests accepts people of [GroupsService.Requests]. Only admins may.
// The service works for up to 90 s. It works like [GroupsService.AddMembers].
//
// POST /api/group/participants/:instance. Not safe to repeat.
func (s *GroupsService) ApproveRequests(ctx context.Context, group JID, members ...JID) (*MembersResult, error) {
	return s.members(ctx, approveMembers, group, members)
}

// RejectRequests refuses people of [GroupsService.Requests], by LID or phone.
// Only admins may. It works like [GroupsService.AddMembers].
//
// POST /api/group/participants/:instance. Not safe to repeat.
func (s *GroupsService) RejectRequests(ctx context.Context, group JID, members ...JID) (*MembersResult, error) {
	return s.members(ctx, rejectMembers, group, members)
}

type membersBody struct {
	Action       memberAction `json:"action"`
	Identifier   string       `json:"identifier"`
	Participants []string     `json:"participants"`
}

type membersReply struct {
	partialReply
	participants []json.RawMessage
}

func (r *membersReply) missing() string {
	r.participants, _ = listIn(r.Raw(), "participants")
	done := slices.ContainsFunc(r.participants, func(raw json.RawMessage) bool {
		var entry wireMemberResult
		_ = json.Unmarshal(raw, &entry)
		return entry.Success.on
	})
	return r.unproven(opGroupParticipants, len(r.participants) > 0, done)
}

func (s *GroupsService) members(ctx context.Context, action memberAction, group JID, members []JID) (*MembersResult, error) {
	if err := group.check("group", groupsOnly); err != nil {
		return nil, err
	}
	list, err := addresses("members", members, people)
	if err != nil {
		return nil, err
	}
	in := input{
		body: membersBody{Action: action, Identifier: group.wire(), Participants: list},
		hint: "it may have been done: read the members of the group",
	}
	r, err := fetchChecked(ctx, s.h, opGroupParticipants, in, (*membersReply).missing)
	if r == nil {
		return nil, err
	}
	result := &MembersResult{Meta: r.Meta, Message: r.Text, Members: matchMembers(members, r.participants, r.RateLimit)}
	failed := partsOf(s.h, opGroupParticipants)
	failed.failed.Group = group
	for _, m := range result.Members {
		if !m.Done || m.Reason != "" {
			failed.add(string(m.Member), string(action)+" failed: "+m.Reason)
		}
	}
	failed.addComplaint(&r.partialReply)
	return result, cmp.Or(err, failed.err())
}

// wireMemberResult is an entry of the reply. Only success and error are
// documented; the other keys are those under which this service names people
// elsewhere.
type wireMemberResult struct {
	Success     wireBool    `json:"success"`
	Failure     errorBody   `json:"error"`
	JID         stringOrInt `json:"jid"`
	LID         stringOrInt `json:"lid"`
	Number      stringOrInt `json:"number"`
	Phone       stringOrInt `json:"phone"`
	PhoneNumber stringOrInt `json:"phoneNumber"`

	raw   json.RawMessage
	taken bool
}

func (w *wireMemberResult) names() []JID {
	var names []JID
	for _, j := range []stringOrInt{w.JID, w.LID, w.Number, w.Phone, w.PhoneNumber} {
		if j != "" {
			names = append(names, JID(j))
		}
	}
	return names
}

// matchMembers says which entry of the reply is about whom: the one that names
// the person, otherwise the one in the person's place if there are as many
// entries as people and it does not name somebody else.
func matchMembers(asked []JID, entries []json.RawMessage, rate RateLimit) []MemberResult {
	results := make([]MemberResult, len(asked))
	found := make([]*wireMemberResult, len(asked))
	read := make([]wireMemberResult, len(entries))
	for i, raw := range entries {
		_ = json.Unmarshal(raw, &read[i]) // what could be read; Raw has the rest
		read[i].raw = raw
	}
	for i, j := range asked {
		results[i].Member = j
		for k := range read {
			if !read[k].taken && named(j, read[k].names()) == itIs {
				read[k].taken, found[i] = true, &read[k]
				break
			}
		}
	}
	for i, j := range asked {
		r := &results[i]
		if found[i] == nil && len(read) == len(asked) && !read[i].taken && named(j, read[i].names()) != itIsNot {
			read[i].taken, found[i], r.ByPosition = true, &read[i], true
		}
		e := found[i]
		if e == nil {
			r.Meta, r.Reason = Meta{RateLimit: rate}, "the reply does not say what became of it"
			continue
		}
		r.Meta = Meta{RateLimit: rate, raw: hide(e.raw)}
		r.Done = e.Success.on
		if !r.Done || e.Failure.said() {
			r.Reason = cmp.Or(e.Failure.message, "the reply gives no reason")
		}
	}
	return results
}

type identity int

const (
	cannotTell identity = iota // other kinds of addresses: a phone and a LID
	itIs
	itIsNot
)

// named reports whether one of the names is the person's.
func named(j JID, names []JID) identity {
	verdict := cannotTell
	for _, name := range names {
		for _, alias := range BrazilAliases(j) {
			if name.Same(alias) {
				return itIs
			}
		}
		if name.Kind() == j.Kind() {
			verdict = itIsNot
		}
	}
	return verdict
}

// JoinRequest is a person who waits to join a group.
type JoinRequest struct {
	Meta `json:"-"`

	JID         JID // a LID
	Phone       JID // empty when WhatsApp hides it
	RequestedAt time.Time
}

type wireJoinRequest struct {
	JID         JID         `json:"jid"`
	PhoneNumber stringOrInt `json:"phoneNumber"` // an address, whatever its name
	RequestedAt stringOrInt `json:"requestedAt"`
}

// Requests returns the people who wait to join the group. The group must
// require approval. Only admins may. Errors: [ErrNotAdmin], [ErrGroupNotFound].
//
// GET /api/group/requests/:instance. Safe to repeat.
func (s *GroupsService) Requests(ctx context.Context, group JID) ([]JoinRequest, error) {
	if err := group.check("group", groupsOnly); err != nil {
		return nil, err
	}
	in := input{query: identifiedQuery(group.wire())}
	return fetchList(ctx, s.h, opGroupRequests, in, []string{"requests"}, func(w *wireJoinRequest, meta Meta) JoinRequest {
		return JoinRequest{Meta: meta, JID: w.JID, Phone: JID(w.PhoneNumber), RequestedAt: parseTime(w.RequestedAt)}
	})
}
