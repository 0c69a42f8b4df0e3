package ryze

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exact is a history that knows when its messages came and shows only the second.
type exact struct {
	at   []time.Time // newest first; the last is of the message looked for
	most int         // of a page, 0 for as many as are asked for
	show func(time.Time) string
}

func (e *exact) answer(r *http.Request) *http.Response {
	if !strings.HasPrefix(r.URL.Path, "/api/chat/history/") {
		return jsonResponse(r, `{"success":true,"contact":{"found":false}}`)
	}
	var q struct {
		Count    int
		From, To time.Time
	}
	_ = json.NewDecoder(r.Body).Decode(&q)
	if e.most > 0 {
		q.Count = min(q.Count, e.most)
	}
	var items []string
	for i, at := range e.at {
		if at.Before(q.From) || !q.To.IsZero() && at.After(q.To) || len(items) == q.Count {
			continue
		}
		text := "another"
		if i == len(e.at)-1 {
			text = "Hello"
		}
		items = append(items, fmt.Sprintf(`{"id":"%d","fromMe":%t,"type":"text","content":%q,"timestamp":%q}`, i, text == "Hello", text, e.show(at)))
	}
	res := jsonResponse(r, fmt.Sprintf(`{"success":true,"messages":[%s]}`, strings.Join(items, ",")))
	res.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	return res
}

// Messages of the second in which a page ends are not lost between two pages, when
// only seconds are shown. Where nothing tells what a page has left out, nothing is
// said to be missing.
func TestNothingIsLostBetweenTwoPages(t *testing.T) {
	second := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	for name, c := range map[string]struct {
		exact
		n    int
		step time.Duration
		want error
	}{
		"cut to the second":          {exact{show: second}, 150, 5 * time.Millisecond, nil},
		"a maximum within a second":  {exact{show: second, most: 20}, 50, 10 * time.Millisecond, ErrOutcomeUnknown},
		"a maximum, and no zone":     {exact{show: func(t time.Time) string { return t.Format("2006-01-02T15:04:05") }, most: 20}, 50, time.Second, ErrOutcomeUnknown},
		"a maximum within, in order": {exact{show: func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }, most: 20}, 50, 10 * time.Millisecond, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inst := (&archive{reply: c.answer}).instance(t)
				time.Sleep(20 * time.Millisecond)
				_, uncertain := inst.Messages.SendText(t.Context(), family, "Hello")
				began := time.Now().Add(30 * time.Millisecond)
				for i := range c.n + 1 {
					c.at = append(c.at, began.Add(time.Duration(c.n-i)*c.step))
				}
				time.Sleep(time.Hour)
				message, err := inst.Messages.Settle(t.Context(), uncertain)
				require.ErrorIs(t, err, c.want)
				if c.want == nil {
					assert.Equal(t, fmt.Sprint(c.n), message.ID)
				}
			})
		})
	}
}
