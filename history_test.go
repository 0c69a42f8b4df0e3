package ryze

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stored is a chat's history as the service keeps it, newest first.
type stored []time.Time

// RoundTrip answers as the service documents it: bounds are inclusive, hasMore
// is true when the page is full.
func (chat stored) RoundTrip(r *http.Request) (*http.Response, error) {
	var q struct {
		Count    int       `json:"count"`
		From, To time.Time // zero when absent
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		return nil, err
	}
	var items []string
	for i, at := range chat {
		if (q.From.IsZero() || !at.Before(q.From)) && (q.To.IsZero() || !at.After(q.To)) && len(items) < q.Count {
			items = append(items, fmt.Sprintf(`{"id":"%d","timestamp":%q,"type":"text","content":"%d"}`, i, at.Format(time.RFC3339), i))
		}
	}
	body := fmt.Sprintf(`{"success":true,"chat_jid":%q,"messages":[%s],"count":%d,"hasMore":%t}`,
		anaFull, strings.Join(items, ","), len(items), len(items) == q.Count)
	return jsonResponse(r, body), nil
}

func historyOf(t *testing.T, rt http.RoundTripper) *ChatsService {
	t.Helper()
	client, err := New(WithBaseURL("https://ryze.test"), WithHTTPClient(&http.Client{Transport: rt}))
	require.NoError(t, err)
	return client.Instance("support", "t0ken").Chats
}

// Every message comes once, newest first, whatever the page size and however
// many share a second.
func TestHistoryGivesEveryMessageOnce(t *testing.T) {
	for name, chat := range map[string]stored{
		"empty":                  nil,
		"one":                    {noon},
		"a second apart":         spread(101, time.Second),
		"four in a second":       spread(57, time.Second/4),
		"all in the same second": spread(90, 0),
		"a burst in the middle":  slices.Concat(spread(5, time.Second), slices.Repeat(stored{noon.Add(-time.Hour)}, 40), stored{noon.Add(-2 * time.Hour)}),
	} {
		for _, size := range []int{0, 1, 2, 7, 100, 1000} {
			synctest.Test(t, func(t *testing.T) { // small pages wait for quota
				var got []string
				for m, err := range historyOf(t, chat).History(t.Context(), ana, HistoryQuery{PageSize: size}) {
					require.NoError(t, err)
					got = append(got, m.ID)
				}
				want := make([]string, len(chat))
				for i := range chat {
					want[i] = fmt.Sprint(i)
				}
				assert.Len(t, got, len(want), "%s by %d", name, size)
				assert.ElementsMatch(t, want, got, "%s by %d", name, size)
			})
		}
	}
}

func spread(n int, step time.Duration) stored {
	chat := make(stored, n)
	for i := range chat {
		chat[i] = noon.Add(-time.Duration(i) * step).Truncate(time.Second)
	}
	return chat
}

func TestHistoryKeepsToItsBounds(t *testing.T) {
	chat := spread(100, time.Second)
	var got []string
	for m, err := range historyOf(t, chat).History(t.Context(), ana, HistoryQuery{From: noon.Add(-30 * time.Second), To: noon.Add(-20 * time.Second), PageSize: 3}) {
		require.NoError(t, err)
		got = append(got, m.ID)
	}
	assert.Equal(t, []string{"20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30"}, got)
}

func TestHistoryAsksNoFurtherThanItIsRead(t *testing.T) {
	page := func(ids ...string) scriptedReply {
		items := make([]string, len(ids))
		for i, id := range ids {
			items[i] = fmt.Sprintf(`{"id":%q,"timestamp":"2026-01-02T15:04:0%dZ"}`, id, 9-i)
		}
		return scriptedReply{body: `{"success":true,"messages":[` + strings.Join(items, ",") + `],"hasMore":true}`}
	}
	inst, s := script(t, page("a", "b", "c"))
	for m, err := range inst.Chats.History(t.Context(), ana, HistoryQuery{PageSize: 3}) {
		require.NoError(t, err)
		if m.ID == "c" {
			break
		}
	}
	assert.Len(t, s.requests(), 1)

	inst, s = script(t, page("a", "b", "c"), scriptedReply{status: 401, body: `{"success":false,"error":{"message":"Invalid token"}}`})
	var ids []string
	var failed error
	for m, err := range inst.Chats.History(t.Context(), ana, HistoryQuery{PageSize: 3}) {
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		ids = append(ids, m.ID)
	}
	assert.Equal(t, []string{"a", "b", "c"}, ids)
	require.ErrorIs(t, failed, ErrInvalidToken)
	require.Len(t, s.requests(), 2)
	assert.Contains(t, s.requests()[1].Body, `"to":"2026-01-02T15:04:07Z"`)
}

// A service that shows what is older than asked for is not asked for more.
func TestHistoryEndsBelowItsLowerBound(t *testing.T) {
	inst, s := script(t, scriptedReply{body: `{"success":true,"messages":[{"id":"a","timestamp":"2026-01-02T15:04:04Z"}],"hasMore":true}`})
	for _, err := range inst.Chats.History(t.Context(), ana, HistoryQuery{From: noon, PageSize: 1}) {
		require.NoError(t, err)
	}
	assert.Len(t, s.requests(), 1)
}

// A service that pays no heed to the bounds does not keep the caller going for
// ever.
func TestHistoryEndsAgainstAServiceThatAlwaysAnswersTheSame(t *testing.T) {
	for _, item := range []string{`{"id":"a","timestamp":"2026-01-02T15:04:05Z"}`, `{"id":"a"}`, `{"timestamp":"2026-01-02T15:04:05Z"}`, `{}`, `null`} {
		requests := 0
		chats := historyOf(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			requests++
			return jsonResponse(r, `{"success":true,"messages":[`+item+`],"hasMore":true}`), nil
		}))
		n := 0
		for _, err := range chats.History(t.Context(), ana, HistoryQuery{PageSize: 1}) {
			require.NoError(t, err)
			n++
		}
		assert.Equal(t, 1, n, item)
		assert.LessOrEqual(t, requests, 3, item)
	}
}
