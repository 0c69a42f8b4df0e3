package ryze

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A reply that lists what became of each part is a result, whatever it says beside
// the list. What was done must not be said to be refused: beside a no it is in doubt.
func TestListOfPartsCountsWhateverStandsBesideIt(t *testing.T) {
	const (
		result  = "result"
		refused = "refused"
		open    = "open"
	)
	ana, bruno := JID("5511987654321"), JID("5521912345678")
	inOrder := [][2]bool{{true, false}, {false, false}}
	entries := []string{`[{"success":true},{"success":false,"error":"private"}]`, `[{"success":false,"error":"private"},{"success":false}]`}
	lists := []string{`"linked":["120363000000000002@g.us"],"failed":["120363000000000003@g.us"]`, `"linked":[],"failed":["120363000000000002@g.us","120363000000000003@g.us"]`}
	for envelope, c := range map[string]struct {
		some, none string // what comes of it when some were done, and when none were
		beside     string
	}{
		`"success":true`: {result, result, ""},
		`"success":true,"error":{"message":"1 of 2 failed"}`:           {result, result, "1 of 2 failed"},
		`"success":true,"error":"1 of 2 failed"`:                       {result, result, "1 of 2 failed"},
		`"success":true,"status":"failed"`:                             {result, result, "the reply says that it failed"},
		`"success":true,"error":{"message":"\u202e a t0ken"}`:          {result, result, "\u202e a [redacted]"},
		`"success":"partial"`:                                          {result, result, ""},
		`"x":1`:                                                        {result, result, ""},
		`"success":false,"message":"1 of 2 failed"`:                    {open, refused, ""},
		`"success":false,"error":{"message":"not an admin"}`:           {open, refused, ""},
		`"success":0,"message":"1 of 2 failed"`:                        {open, refused, ""},
		`"error":{"message":"1 of 2 failed"}`:                          {open, refused, ""},
		`"success":0`:                                                  {open, open, ""},
		`"status":"failed"`:                                            {open, open, ""},
		`"success":true,"error":"none"`:                                {result, result, ""},
		`"success":false,"success":true,"error":{"message":"a t0ken"}`: {open, open, ""},
	} {
		for i, want := range []string{c.some, c.none} {
			for what, call := range map[string]func(*InstanceClient) ([2]bool, error){
				`{` + envelope + `,"participants":` + entries[i] + `}`:          addTwo(t, ana, bruno),
				`{` + envelope + `,"data":{"participants":` + entries[i] + `}}`: addTwo(t, ana, bruno),
				`{` + envelope + `,` + lists[i] + `}`:                           linkTwo(t, "120363000000000002@g.us", "120363000000000003@g.us"),
			} {
				_, inst, _ := answering(t, "t0ken", 200, what)
				done, err := call(inst)
				require.Error(t, err, what)
				switch want {
				case result:
					assert.Equal(t, inOrder[i], done, what)
					assert.Equal(t, OutcomeAccepted, OutcomeOf(err), "%s: %v", what, err)
					var partial *PartialError
					require.ErrorAs(t, err, &partial, what)
					if last := partial.Failures[len(partial.Failures)-1]; c.beside != "" {
						assert.Equal(t, PartialFailure{Reason: c.beside}, last, what)
					} else {
						assert.NotEmpty(t, last.Target, what)
					}
					assert.NotContains(t, err.Error(), "\u202e")
				case refused:
					assert.Equal(t, OutcomeNotAccepted, OutcomeOf(err), "%s: %v", what, err)
				default:
					assert.ErrorIs(t, err, ErrOutcomeUnknown, what)
					assert.Equal(t, inOrder[i], done, what)
				}
			}
		}
	}
}

func addTwo(t *testing.T, members ...JID) func(*InstanceClient) ([2]bool, error) {
	t.Helper()
	return func(inst *InstanceClient) (done [2]bool, err error) {
		result, err := inst.Groups.AddMembers(t.Context(), "120363000000000001@g.us", members...)
		if result != nil {
			done = [2]bool{result.Members[0].Done, result.Members[1].Done}
		}
		return done, err
	}
}

func linkTwo(t *testing.T, groups ...JID) func(*InstanceClient) ([2]bool, error) {
	t.Helper()
	return func(inst *InstanceClient) (done [2]bool, err error) {
		result, err := inst.Communities.Link(t.Context(), "120363000000000001@g.us", groups...)
		if result != nil {
			done = [2]bool{jidList(result.Done).has(groups[0]), jidList(result.Done).has(groups[1])}
		}
		return done, err
	}
}

// A person of whom the reply says both that it worked and that it failed is among
// the failures.
func TestMemberWithAnErrorIsAFailure(t *testing.T) {
	for said, reason := range map[string]string{
		`"invite sent instead"`:             "invite sent instead",
		`{"message":"invite sent instead"}`: "invite sent instead",
		`403`:                               "the reply gives no reason",
		`"none"`:                            "", `""`: "", `0`: "", `{}`: "", `null`: "", `false`: "",
	} {
		_, inst, _ := answering(t, "t0ken", 200, `{"success":true,"participants":[{"success":true,"error":`+said+`}]}`)
		result, err := inst.Groups.AddMembers(t.Context(), "120363000000000001@g.us", "5511987654321")
		require.NotNil(t, result, said)
		assert.Equal(t, reason != "", errors.Is(err, ErrPartial), "%s: %v", said, err)
		assert.True(t, result.Members[0].Done, "as the reply says")
		assert.Equal(t, reason, result.Members[0].Reason, said)
	}
}

// What a reply shows to be there is returned, also when it has an error beside it.
func TestErrorBesideAGroupIsTold(t *testing.T) {
	const group, beside = `"group":{"jid":"120363000000000001@g.us"},"isCommunity":true`, "no picture"
	for what, call := range map[string]func(*InstanceClient) (JID, error){
		"group": func(i *InstanceClient) (JID, error) {
			g, err := i.Groups.Create(t.Context(), CreateGroupParams{Name: "Crew", Members: []JID{"5511987654321"}})
			return g.JID, err
		},
		"community": func(i *InstanceClient) (JID, error) {
			c, err := i.Communities.Create(t.Context(), CreateCommunityParams{Name: "Crew"})
			return c.JID, err
		},
		"update": func(i *InstanceClient) (JID, error) {
			g, err := i.Groups.Update(t.Context(), "120363000000000001@g.us", GroupUpdate{Name: new("Crew")})
			return g.JID, err
		},
	} {
		_, inst, _ := answering(t, "t0ken", 200, `{"success":true,"error":{"message":"no picture"},`+group+`}`)
		jid, err := call(inst)
		assert.Equal(t, JID("120363000000000001@g.us"), jid, what)
		var partial *PartialError
		require.ErrorAs(t, err, &partial, what)
		assert.Equal(t, []PartialFailure{{Reason: beside}}, partial.Failures, what)
		assert.Equal(t, jid, partial.Group)
	}
	for _, no := range []string{`"success":false`, `"status":"failed"`} {
		_, inst, _ := answering(t, "t0ken", 200, `{`+no+`,`+group+`}`)
		_, err := inst.Groups.Create(t.Context(), CreateGroupParams{Name: "Crew", Members: []JID{"5511987654321"}})
		require.ErrorIs(t, err, ErrOutcomeUnknown, no)
	}
	_, inst, _ := answering(t, "t0ken", 200, `{"success":false,"error":{"message":"not an admin"},`+group+`}`)
	_, err := inst.Groups.Update(t.Context(), "120363000000000001@g.us", GroupUpdate{Name: new("Crew")})
	require.Error(t, err)
	assert.Equal(t, OutcomeNotAccepted, OutcomeOf(err))
}

// A name may stand in anybody's reply, and is no sign that a group was changed.
func TestNameAloneIsNoGroup(t *testing.T) {
	_, inst, _ := answering(t, "t0ken", 200, `{"name":"Crew","status":"ok"}`)
	_, err := inst.Groups.Update(t.Context(), "120363000000000001@g.us", GroupUpdate{Name: new("Crew")})
	require.ErrorIs(t, err, ErrBadResponse)
}
