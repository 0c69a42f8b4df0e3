package ryzetest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// notSaved says of each field of the state that Save leaves out why it does. The key
// is the type and the field. Everything else has to be the same after a restart.
var notSaved = map[string]string{
	"Server.URL":          "of the port, which is opened anew",
	"Server.cfg":          "the options are given at each start",
	"Server.clocks":       "an option",
	"Server.faults":       "faults belong to one run; they hold functions",
	"Server.log":          "the log is of one run",
	"Server.changes":      "the feed is of one run",
	"Server.hookLog":      "the log of deliveries is of one run; what is not delivered yet is saved",
	"Server.dead":         "part of that log",
	"Server.resets":       "counts within one run",
	"Server.client":       "plumbing",
	"Server.hooks":        "plumbing",
	"Server.fetcher":      "plumbing",
	"Server.started":      "of one run",
	"Server.http":         "plumbing",
	"Server.listener":     "plumbing",
	"Server.ctx":          "plumbing",
	"Server.cancel":       "plumbing",
	"Server.once":         "plumbing",
	"Server.closed":       "plumbing",
	"Server.gate":         "plumbing",
	"Server.work":         "plumbing",
	"Server.conns":        "plumbing",
	"Server.tls":          "an option",
	"Server.accepted":     "connections are of one run",
	"Server.connMu":       "plumbing",
	"Server.open":         "connections are of one run",
	"Server.broken":       "a fault of connections",
	"Server.brokenHow":    "a fault of connections",
	"Server.stale":        "a fault of connections",
	"Server.control":      "an option",
	"Server.lastDelivery": "numbers the log of deliveries",
	"Server.refuse":       "a fault of connections",
	"Server.frozen":       "a fault of connections",
	"Server.mu":           "plumbing",

	"clock.mu":      "plumbing",
	"clock.jobs":    "the state tells what is due; resume plans it anew",
	"clock.seq":     "orders the jobs",
	"clock.closed":  "plumbing",
	"clock.wake":    "plumbing",
	"clock.running": "plumbing",
	"windows.mu":    "plumbing",
	"windows.limit": "an option",

	"Instance.s":         "plumbing",
	"life.gone":          "plumbing",
	"life.sockets":       "connections are of one run",
	"life.reconnect":     "a function; that there is one is saved",
	"pairing.cancel":     "functions",
	"chatState.presence": "fades within ten seconds",
	"chatState.shown":    "counts the presences",
	"label.deleted":      "a deleted label goes within two seconds",
	"hook.inst":          "plumbing",
	"hook.queue":         "may be drained meanwhile; TestStateKeepsWhatWaitsForAWebhook",
	"hook.now":           "the same",
	"hook.count":         "orders what waits",
	"hook.working":       "plumbing",
	"hook.wake":          "plumbing",
	"hook.later":         "the same as queue",
	"Group.s":            "plumbing",
	"Newsletter.s":       "plumbing",
}

// comparison walks through two servers at once.
type comparison struct {
	t     *testing.T
	seen  map[[2]unsafe.Pointer]bool
	zero  map[string]bool // fields that were zero wherever they were met
	known map[string]bool // fields that were met
}

func compareState(t *testing.T, a, b *Server) {
	t.Helper()
	c := comparison{t, map[[2]unsafe.Pointer]bool{}, map[string]bool{}, map[string]bool{}}
	c.same("Server", reflect.ValueOf(a), reflect.ValueOf(b))
	for _, field := range slices.Sorted(maps.Keys(c.zero)) {
		if c.zero[field] {
			t.Errorf("%s is in no state that this test saves: add it there, and to Save; or to notSaved, with the reason", field)
		}
	}
	for field := range notSaved {
		if !c.known[field] {
			t.Errorf("notSaved has %s, which there is not", field)
		}
	}
}

var timeType = reflect.TypeFor[time.Time]()

func (c *comparison) same(path string, a, b reflect.Value) {
	if a.IsValid() != b.IsValid() {
		c.t.Errorf("%s: %v is now %v", path, a, b)
		return
	}
	if !a.IsValid() {
		return
	}
	if a.Type() == timeType {
		if x, y := timeOf(a), timeOf(b); !x.Equal(y) {
			c.t.Errorf("%s: %v is now %v", path, x, y)
		}
		return
	}
	switch a.Kind() {
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			if a.IsNil() != b.IsNil() {
				c.t.Errorf("%s: one of them is nil", path)
			}
			return
		}
		pair := [2]unsafe.Pointer{a.UnsafePointer(), b.UnsafePointer()}
		if !c.seen[pair] {
			c.seen[pair] = true
			c.same(path, a.Elem(), b.Elem())
		}
	case reflect.Interface:
		// Numbers that a program gave come back as those of JSON.
		if x, y := fmt.Sprint(a), fmt.Sprint(b); x != y {
			c.t.Errorf("%s: %s is now %s", path, x, y)
		}
	case reflect.Struct:
		for k := range a.NumField() {
			c.field(path, a, b, k)
		}
	case reflect.Slice:
		if a.Len() != b.Len() {
			c.t.Errorf("%s: %d elements are now %d", path, a.Len(), b.Len())
			return
		}
		for k := range a.Len() {
			c.same(fmt.Sprintf("%s[%d]", path, k), a.Index(k), b.Index(k))
		}
	case reflect.Map:
		if a.Len() != b.Len() {
			c.t.Errorf("%s: %d elements are now %d", path, a.Len(), b.Len())
		}
		for _, key := range a.MapKeys() {
			c.same(fmt.Sprintf("%s[%v]", path, key), a.MapIndex(key), b.MapIndex(key))
		}
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		c.t.Errorf("%s: a %s cannot be saved", path, a.Kind())
	default:
		if !a.Equal(b) {
			c.t.Errorf("%s: %v is now %v", path, a, b)
		}
	}
}

func (c *comparison) field(path string, a, b reflect.Value, k int) {
	f := a.Type().Field(k)
	name := a.Type().Name() + "." + f.Name
	c.known[name] = true
	if notSaved[name] != "" {
		return
	}
	if was, met := c.zero[name]; !met || was {
		c.zero[name] = a.Field(k).IsZero()
	}
	c.same(path+"."+f.Name, a.Field(k), b.Field(k))
}

// timeOf reads a time out of an unexported field.
func timeOf(v reflect.Value) time.Time {
	c := reflect.New(v.Type()).Elem()
	for k := range v.NumField() {
		src, dst := v.Field(k), c.Field(k)
		dst = reflect.NewAt(dst.Type(), unsafe.Pointer(dst.UnsafeAddr())).Elem()
		switch src.Kind() {
		case reflect.Uint64:
			dst.SetUint(src.Uint())
		case reflect.Int64:
			dst.SetInt(src.Int())
		default:
			dst.Set(reflect.NewAt(src.Type(), src.Addr().UnsafePointer()).Elem())
		}
	}
	return c.Interface().(time.Time)
}

func TestAFieldThatIsNotSavedIsNoticed(t *testing.T) {
	for field, reason := range notSaved {
		if strings.TrimSpace(reason) == "" {
			t.Errorf("%s has no reason", field)
		}
	}
}
