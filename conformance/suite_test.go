package conformance

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// outcome is what was seen of one call.
type outcome struct {
	call       *call
	prepared   []*exchange
	exchanges  []*exchange
	violations []ryzetest.Violation
}

// play makes one call against a simulator of its own, in virtual time.
func play(t *testing.T, c *call) *outcome {
	t.Helper()
	seen, err := playWith(t, c, nil)
	require.True(t, c.wants(err), "got %v, want %v", err, c.fails)
	assert.Empty(t, seen.violations)
	return seen
}

// playWith changes the circumstances after the call has been prepared, and
// looks only at what travels from then on.
func playWith(t *testing.T, c *call, change func(*env), options ...ryzetest.Option) (seen *outcome, failed error) {
	t.Helper()
	seen = &outcome{call: c}
	synctest.Test(t, func(t *testing.T) {
		sim := ryzetest.NewServer(slices.Concat([]ryzetest.Option{ryzetest.InMemory()}, c.options, options)...)
		defer sim.Close()
		rec := &recorder{next: sim.HTTPClient().Transport}
		e := simulated(t, sim, rec)
		defer func() { require.NoError(t, e.client.Close()) }()
		if c.prepare != nil {
			c.prepare(e)
		}
		if change != nil {
			change(e)
		}
		prepared := len(rec.all())
		_, failed = c.do(t.Context(), e)
		seen.prepared, seen.exchanges = rec.all()[:prepared], rec.all()[prepared:]
		seen.violations = sim.Violations()
	})
	return seen, failed
}

// outcomes are those of all calls that went well, made once for all tests.
var outcomes = sync.OnceValue(func() *observed {
	return &observed{byMethod: map[string][]string{}, byOperation: map[string][]string{}}
})

// observed is which exported methods led to which operations.
type observed struct {
	mu          sync.Mutex
	done        bool
	all         []*outcome
	byMethod    map[string][]string
	byOperation map[string][]string
	answered    map[string]bool // operations with a success
	faulty      map[string]bool // operations with an exchange against the document
}

// observe plays all calls, once for all tests.
func observe(t *testing.T) *observed {
	t.Helper()
	o := outcomes()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.done {
		return o
	}
	o.done, o.answered, o.faulty = true, map[string]bool{}, map[string]bool{}
	d := theDocument(t)
	for i := range calls {
		t.Run(calls[i].name, func(t *testing.T) {
			seen, err := playWith(t, &calls[i], nil)
			assert.True(t, calls[i].wants(err), "got %v, want %v", err, calls[i].fails)
			assert.NotEmpty(t, seen.exchanges)
			assert.Empty(t, seen.violations)
			o.add(d, seen, t.Failed())
			for _, x := range seen.exchanges {
				if problems := x.validate(d); len(problems) > 0 {
					t.Errorf("%s\n%s", strings.Join(problems, "\n"), x.describe())
					o.faulty[x.operation] = true
				}
			}
		})
	}
	return o
}

func (o *observed) add(d *document, seen *outcome, failed bool) {
	o.all = append(o.all, seen)
	for _, x := range seen.exchanges {
		spec := d.matching(x.request)
		if spec == nil {
			continue
		}
		x.operation = spec.id
		if failed {
			o.faulty[spec.id] = true
		}
		if x.succeeded() {
			o.answered[spec.id] = true
		}
		for _, m := range x.methods {
			o.byMethod[m] = include(o.byMethod[m], spec.id)
			o.byOperation[spec.id] = include(o.byOperation[spec.id], m)
		}
	}
}

func (x *exchange) succeeded() bool {
	return x.response != nil && (x.response.StatusCode/100 == 2 || x.response.StatusCode == http.StatusSwitchingProtocols)
}

func include(list []string, s string) []string {
	i, found := slices.BinarySearch(list, s)
	if found {
		return list
	}
	return slices.Insert(list, i, s)
}

// faults are what keeps an operation from conforming.
func (o *observed) faults(op ryze.Operation) (found []string) {
	if len(o.byOperation[op.ID]) == 0 {
		found = append(found, "no method calls it")
	}
	if !o.answered[op.ID] {
		found = append(found, "the simulator never answered with a success")
	}
	if o.faulty[op.ID] {
		found = append(found, "what travelled is not what the document says")
	}
	return found
}

// conforming counts the operations for which all three agree.
func (o *observed) conforming() (n int) {
	for _, op := range ryze.Operations() {
		if len(o.faults(op)) == 0 {
			n++
		}
	}
	return n
}
