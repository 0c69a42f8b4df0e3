package ryzetest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/ryzeapi/ryze-go/ryzetest/internal/web"
)

const (
	maxReaders = 64               // of changes at a time
	heartbeat  = 15 * time.Second // a silent stream says that it is still there
)

func controlChangeRoutes() []controlRoute {
	return []controlRoute{
		{method: "GET", path: "changes", query: []string{"after"}, handle: (*controlCall).changes},
	}
}

type changeView struct {
	Number   int64      `json:"number"`
	Time     instant    `json:"time"`
	Kind     ChangeKind `json:"kind"`
	Instance string     `json:"instance"`
	Chat     string     `json:"chat"`
	Message  string     `json:"message"`
}

// changes streams what happens from now on, or after a change that the reader knows.
func (c *controlCall) changes() (any, error) {
	last, err := c.resume()
	if err != nil {
		return nil, err
	}
	select {
	case c.c.readers <- struct{}{}:
		defer func() { <-c.c.readers }()
	default:
		c.w.Header().Set("Retry-After", "5")
		return nil, &web.Error{Status: http.StatusServiceUnavailable, Message: "too many readers of changes: " + strconv.Itoa(maxReaders)}
	}
	stream, err := web.OpenStream(c.w)
	if err == nil && c.r.Method != http.MethodHead {
		c.follow(stream, last) // until one of the two leaves
	}
	return nil, nil //nolint:nilnil // the reader is gone
}

// resume is the number of the last change that the reader knows: that of its header,
// which a browser sets when it comes back, else that of its address, else the last.
func (c *controlCall) resume() (int64, error) {
	after, err := c.whole("after", c.s.changes.last(), 0, 1<<53)
	if err != nil {
		return 0, err
	}
	if id := c.r.Header.Get("Last-Event-ID"); id != "" {
		if after, err = strconv.ParseInt(id, 10, 64); err != nil || after < 0 {
			return 0, web.Invalid("Last-Event-ID", "Last-Event-ID must be the number of a change")
		}
	}
	return after, nil
}

// follow sends changes until the reader or the server is gone.
func (c *controlCall) follow(stream *web.Stream, last int64) {
	ctx := c.r.Context()
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		list, more := c.s.changes.since(last)
		for _, change := range list {
			data, err := json.Marshal(changeView{
				change.Number, instant(change.Time), change.Kind, change.Instance, change.Chat, change.Message,
			})
			if err != nil || stream.Send(change.Number, "change", data) != nil {
				return
			}
			if last = change.Number; ctx.Err() != nil || c.s.ctx.Err() != nil {
				return
			}
		}
		if more == nil {
			continue
		}
		select {
		case <-more:
		case <-tick.C:
			if stream.Comment("still here") != nil {
				return
			}
		case <-ctx.Done():
			return
		case <-c.s.ctx.Done():
			return
		}
	}
}

// since is after, for a reader who may have slept, or have seen another server: one
// that misses changes is told so, and goes on with the last.
func (l *changes) since(number int64) (list []Change, more <-chan struct{}) {
	last := l.last()
	if number > last {
		return []Change{{Number: last, Time: time.Now(), Kind: ChangesLost}}, nil
	}
	list, more = l.after(number)
	if len(list) > 0 && list[0].Kind == ChangesLost && list[0].Number != number+1 {
		end := list[len(list)-1]
		return []Change{{Number: end.Number, Time: end.Time, Kind: ChangesLost}}, nil
	}
	return list, more
}
