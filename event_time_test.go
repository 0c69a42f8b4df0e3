package ryze

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every form of one moment gives that moment, in UTC, in each kind of event, in a
// history and in a reply.
func TestTimesAreReadInAnyForm(t *testing.T) {
	whole := time.Date(2026, 4, 28, 10, 30, 5, 0, time.UTC)
	tenth, milli, micro := whole.Add(100*time.Millisecond), whole.Add(123*time.Millisecond), whole.Add(123456*time.Microsecond)
	for in, want := range map[string]time.Time{
		`"2026-04-28T10:30:05Z"`: whole, `"2026-04-28T07:30:05-03:00"`: whole, `"2026-04-28T07:30:05-0300"`: whole, `"2026-04-28T07:30:05-03"`: whole,
		`"2026-04-28T07:30:05 -0300"`: whole, `"2026-04-28 07:30:05 -03:00"`: whole, `"2026-04-28T16:00:05+0530"`: whole, `"2026-04-28T16:00:05+05:30"`: whole,
		`"2026-04-28T10:30:05"`: whole, `"2026-04-28 10:30:05"`: whole, `"2026-04-28 10:30:05Z"`: whole, `"2026-04-28t10:30:05z"`: whole, `"2026-04-28_10:30:05"`: whole,
		`" 2026-04-28T10:30:05Z\n"`: whole, `"2026-04-28  10:30:05  UTC"`: whole, `"2026-04-28 10:30:05 GMT"`: whole, `"2026-04-28 10:30:05 gmt-0"`: whole,
		`"2026-04-28T10:30:05.1Z"`: tenth, `"2026-04-28T10:30:05,1Z"`: tenth, `"2026-04-28T07:30:05.100-0300"`: tenth, `"2026-04-28 10:30:05.123"`: milli,
		`"2026-04-28T10:30:05.123456Z"`: micro, `"2026-04-28T10:30:05.123456789Z"`: whole.Add(123456789),
		`"2026-04-28T10:30:05+00:00"`: whole, `"2026-04-28T10:30:05-00:00"`: whole, `"2026-04-28T10:30:05+0000"`: whole, `"2026-04-28 10:30:05.1 +0000 UTC"`: tenth,
		`"2026-04-28 07:30:05 -0300 -03"`: whole, `"2026-04-28 07:30:05 -0300 BRT m=+0.5"`: whole, `"2026-04-28T07:30:05-03:00[America/Sao_Paulo]"`: whole,
		`"2026-04-28T10:30Z"`: whole.Add(-5 * time.Second), `"2026-04-28 10:30"`: whole.Add(-5 * time.Second), `"2026/04/28 10:30:05"`: whole,
		`"20260428T103005Z"`: whole, `"20260428T073005-0300"`: whole, `"20260428103005"`: whole, `20260428103005`: whole, `"20260428T103005.123"`: milli,
		`"Tue, 28 Apr 2026 10:30:05 GMT"`: whole, `"Tue, 28 Apr 2026 07:30:05 -0300"`: whole, `"Tue Apr 28 2026 07:30:05 GMT-0300 (Brasilia Standard Time)"`: whole,
		`1777372205`: whole, `"1777372205"`: whole, `1777372205000`: whole, `"1777372205000"`: whole, `1777372205000000`: whole, `"1777372205000000"`: whole,
		`1777372205000000000`: whole, `"1777372205000000000"`: whole, `1.777372205e9`: whole, `1.777372205E12`: whole, `1777372205.0`: whole,
		`1777372205.1`: tenth, `"1777372205.1"`: tenth, `1777372205.123`: milli, `1777372205123`: milli, `"1777372205123"`: milli, `1777372205123.0`: milli,
		`1777372205.123456`: micro, `1777372205123456`: micro, `1777372205123.456`: micro, `"1777372205123456"`: micro, `1777372205123456789`: whole.Add(123456789),

		`null`: {}, `""`: {}, `"soon"`: {}, `0`: {}, `-1`: {}, `"-1777372205"`: {}, `1e999`: {}, `"NaN"`: {}, `"inf"`: {}, `"0x6a6a"`: {}, `{}`: {}, `[]`: {}, `true`: {},
		`"2026-04-28"`: {}, `"2026-13-28T10:30:05Z"`: {}, `"2026-04-28T25:30:05Z"`: {}, `"2026-04-28T10:30:05 BRT"`: {}, `"2026-04-28T10:30:05+99"`: {},
		`"2026-04-28T10:30:05[America/Sao_Paulo]"`: {}, `"28/04/2026 10:30:05"`: {}, `"0001-01-01T00:00:00Z"`: {}, `"2026-04-28x10:30:05"`: {}, `"2026-04"`: {}, `"é026-04-28"`: {},
	} {
		read := map[string]time.Time{}
		for event, data := range map[EventType]string{
			EventMessage: `{"timestamp":%s,"message":{}}`, EventReceipt: `{"timestamp":%s}`, EventCall: `{"timestamp":%s}`, EventGroup: `{"timestamp":%s}`,
			EventInstanceState: `{"timestamp":%s}`, EventLabel: `{"timestamp":%s}`,
		} {
			e := parse(t, fmt.Appendf(nil, `{"event":%q,"data":`+data+`}`, event, in))
			read[string(event)] = e.At()
			assert.Equal(t, !want.IsZero(), hasTime([]byte(e.Lookup("data"))), in)
		}
		read["documented layout"] = parse(t, fmt.Appendf(nil, `{"event":"message.exchange","data":{"message":{"timestamp":%s}}}`, in)).At()
		inst, _ := script(t, scriptedReply{body: `{"success":true,"messages":[{"id":"a","timestamp":` + in + `}]}`}, scriptedReply{body: `{"success":true,"messageId":"a","data":{"timestamp":` + in + `}}`})
		page, err := inst.Chats.HistoryPage(t.Context(), ana, HistoryQuery{})
		require.NoError(t, err)
		read["history"] = page.Messages[0].Timestamp
		stored, err := inst.Messages.Get(t.Context(), "a")
		require.NoError(t, err)
		read["stored"] = stored.Timestamp
		for where, got := range read {
			assert.Equal(t, want, got, "%s in %s", in, where)
		}
	}
}

// One moment in two forms is one event.
func TestDedupeKeyKnowsATimeInAnyForm(t *testing.T) {
	for _, event := range []EventType{EventMessage, EventReceipt, EventCall, EventGroup, EventInstanceState, EventLabel, "presence.update"} {
		keys := map[string]bool{}
		for _, at := range []string{`"2026-04-28T10:30:05Z"`, `"2026-04-28T07:30:05-0300"`, `"2026-04-28 10:30:05"`, `1777372205`, `"1777372205000"`} {
			keys[parse(t, fmt.Appendf(nil, `{"event":%q,"data":{"timestamp":%s}}`, event, at)).DedupeKey()] = true
		}
		assert.Len(t, keys, 1, "%s", event)
	}
}

func FuzzTime(f *testing.F) {
	for _, s := range []string{"2026-04-28T10:30:05Z", "2026-04-28 07:30:05.5 -0300 -03", "20260428103005", "1777372205.5", "Tue, 28 Apr 2026 10:30:05 GMT", "2026-04-28T10:30:05+"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, zoned := momentOf([]byte(s))
		if at.IsZero() {
			assert.False(t, zoned)
			return
		}
		assert.Equal(t, time.UTC, at.Location())
		text, err := json.Marshal(at)
		require.NoError(t, err)
		assert.True(t, at.Equal(timeOf(text[1:len(text)-1])), "%q is %s", s, at)
	})
}
