package ryze

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// timesOfOthers are the times that do not come out of a reply or an event: what
// callers give, and what is tested beside streams, limits and sends.
var timesOfOthers = []string{
	"Attempt.SentAt", "CalendarEvent.StartAt", "CalendarEvent.EndAt", "HistoryQuery.From", "HistoryQuery.To", "LimiterRequest.Since",
	"OutcomeError.SentAt", "RateLimitError.RetryAt", "RateLimit.Reset", "StreamError.AliveUntil", "StreamStats.AliveUntil", "StreamStats.ConnectedSince", "StreamStats.LastEvent",
}

// Whatever the service writes, the times in results and events are UTC: every
// field of every exported type is seen with a time in it.
func TestTimesThatLeaveThePackageAreUTC(t *testing.T) {
	seen := map[string]bool{}
	abroad := regexp.MustCompile(`([T ]\d\d:\d\d:\d\d)Z"`)
	for _, c := range append(methodCases[:len(methodCases):len(methodCases)], timeCases...) {
		inst, _ := script(t, scriptedReply{body: abroad.ReplaceAllString(c.reply, `$1-03:00"`)})
		got, err := c.call(t.Context(), inst)
		require.NoError(t, err, c.name)
		walkTimes(t, c.name, reflect.ValueOf(got), seen)
	}
	eachFixture(t, func(name string, body []byte) {
		e := parse(t, abroad.ReplaceAll(body, []byte(`$1-03:00"`)))
		walkTimes(t, name, reflect.ValueOf(e), seen)
		assert.Equal(t, time.UTC, e.At().Location(), name)
		if r, ok := e.Data.(*ReceiptEvent); ok {
			walkTimes(t, name, reflect.ValueOf((&Receipts{}).known(r)), seen)
		}
	})
	label := parse(t, []byte(`{"event":"label.update","data":{"timestamp":"2026-04-28T10:30:05-03:00"}}`))
	walkTimes(t, "label", reflect.ValueOf(label), seen)
	gap := queued(t, &Event{Type: EventGap, Data: &GapEvent{From: time.Now().In(time.FixedZone("", 3600)), To: time.Now().In(time.FixedZone("", 3600))}})
	walkTimes(t, "gap", reflect.ValueOf(gap), seen)

	for _, field := range timeFields(t) {
		assert.NotEqual(t, seen[field], slices.Contains(timesOfOthers, field), "%s: seen with a time in it %t", field, seen[field])
	}
}

// known returns the progress of a receipt of messages that were sent.
func (r *Receipts) known(e *ReceiptEvent) []ReceiptUpdate {
	for _, id := range e.MessageIDs {
		r.Sent(id)
	}
	return r.Observe(e)
}

func walkTimes(t *testing.T, name string, v reflect.Value, seen map[string]bool) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			walkTimes(t, name, v.Elem(), seen)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			walkTimes(t, name, v.Index(i), seen)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			walkTimes(t, name, it.Value(), seen)
		}
	case reflect.Struct:
		for field, value := range v.Fields() {
			if !field.IsExported() {
				continue
			}
			at, isTime := value.Interface().(time.Time)
			if !isTime {
				walkTimes(t, name, value, seen)
			} else if !at.IsZero() {
				seen[v.Type().Name()+"."+field.Name] = true
				assert.Equal(t, time.UTC, at.Location(), "%s: %s.%s", name, v.Type().Name(), field.Name)
			}
		}
	}
}

// timeFields returns the fields of exported types that hold a time.
func timeFields(t *testing.T) (fields []string) {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || !spec.Name.IsExported() {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				for _, f := range s.Fields.List {
					selector, ok := f.Type.(*ast.SelectorExpr)
					for _, name := range f.Names {
						if ok && selector.Sel.Name == "Time" && name.IsExported() {
							fields = append(fields, spec.Name.Name+"."+name.Name)
						}
					}
				}
			}
			return true
		})
	}
	require.NotEmpty(t, fields)
	return fields
}

const noonText = `"2026-01-02T15:04:05Z"`

// timeCases are the methods with times in their results that methodCases lacks.
var timeCases = []methodCase{
	{
		name:  "Info",
		call:  func(ctx context.Context, i *InstanceClient) (any, error) { return i.Info(ctx) },
		reply: `{"success":true,"instances":[{"name":"support","status":"connected","createdAt":` + noonText + `,"updatedAt":` + noonText + `}]}`,
	},
	{
		name:  "Metrics",
		call:  func(ctx context.Context, i *InstanceClient) (any, error) { return i.Metrics(ctx) },
		reply: `{"success":true,"metrics":{"firstMessageAt":` + noonText + `,"lastMessageAt":` + noonText + `}}`,
	},
	{
		name: "SendText",
		call: func(ctx context.Context, i *InstanceClient) (any, error) {
			return i.Messages.SendText(ctx, ana, "Hello")
		},
		reply: `{"success":true,"data":{"messageId":"A","timestamp":` + noonText + `}}`,
	},
	{
		name:  "Groups.Info",
		call:  func(ctx context.Context, i *InstanceClient) (any, error) { return i.Groups.Info(ctx, family) },
		reply: `{"success":true,"group":{"jid":"120363000000000001@g.us","createdAt":` + noonText + `}}`,
	},
	{
		name:  "Groups.Requests",
		call:  func(ctx context.Context, i *InstanceClient) (any, error) { return i.Groups.Requests(ctx, family) },
		reply: `{"success":true,"requests":[{"jid":"123456789012345@lid","requestedAt":` + noonText + `}]}`,
	},
	{
		name:  "Chatwoot.Get",
		call:  func(ctx context.Context, i *InstanceClient) (any, error) { return i.Chatwoot.Get(ctx) },
		reply: `{"success":true,"status":"active","instance_name":"support","bridge_integration_id":"a","created_at":` + noonText + `}`,
	},
}

func TestTimesOfErrorsAreUTC(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inst, _ := script(t, scriptedReply{status: 502}, scriptedReply{status: 429, body: `{"success":false,"error":{"message":"Rate limit exceeded. Try again later."}}`})
		_, err := inst.Messages.SendText(t.Context(), ana, "Hello")
		var outcome *OutcomeError
		require.ErrorAs(t, err, &outcome)
		assert.Equal(t, time.UTC, outcome.SentAt.Location())
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err = inst.Messages.SendText(ctx, ana, "Hello")
		var limited *RateLimitError
		require.ErrorAs(t, err, &limited)
		assert.Equal(t, time.UTC, limited.RetryAt.Location())
	})
}
