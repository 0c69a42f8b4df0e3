package conformance

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
)

const pageFile = "../docs/operations.md"

var update = flag.Bool("update", false, "write docs/operations.md")

// TestOperationsPage compares docs/operations.md with the table of operations
// and with what the suite has observed. With -update it writes the page.
func TestOperationsPage(t *testing.T) {
	want := operationsPage(t, observe(t))
	if *update {
		require.NoError(t, os.WriteFile(pageFile, []byte(want), 0o644))
		return
	}
	have, err := os.ReadFile(pageFile)
	require.NoError(t, err)
	assert.Equal(t, want, string(have), "docs/operations.md is stale: go generate ./conformance")
}

var modules = map[string]string{
	"observability": "Health", "instance": "Instances", "messages": "Sending messages", "chat": "Chats, contacts and labels",
	"groups": "Groups", "communities": "Communities", "newsletter": "Channels", "profile": "Profile and privacy",
	"calls": "Calls", "events": "Webhooks and event stream", "chatwoot": "Chatwoot",
}

func operationsPage(t *testing.T, o *observed) string {
	t.Helper()
	var b strings.Builder
	operations := ryze.Operations()
	fmt.Fprintf(&b, `<!-- Written by "go generate ./conformance". Do not edit. -->

# Operations

The %d operations of the service, in the order of the table in operations.go, which the columns are
taken from. The Go methods are those that were seen to make the request, directly or within a longer
task; services are fields of `+"`InstanceClient`"+`. "Again" says whether a request is repeated by itself
after a lost connection, a time-out or a 5xx. The time limit is that of one attempt, without a send's
delay.

Conformance: %d of %d. `+"`go test -v -run TestConformance ./conformance`"+` calls the methods against the
simulator, validates what travels against [api/openapi.yaml](../api/openapi.yaml), and counts.
`, len(operations), o.conforming(), len(operations))
	module := ""
	for _, op := range operations {
		name, _, _ := strings.Cut(op.ID, ".")
		if name != module {
			module = name
			title, ok := modules[name]
			require.True(t, ok, "module %s has no title", name)
			fmt.Fprintf(&b, "\n## %s\n\n| operation | route | Go | rate class | again | time limit | since |\n| --- | --- | --- | --- | --- | --- | --- |\n", title)
		}
		again := map[bool]string{true: "yes", false: "no"}[op.Repeatable]
		fmt.Fprintf(&b, "| %s | `%s %s` | %s | %s | %s | %s | %s |\n",
			op.ID, op.Method, op.Path, strings.Join(goNames(o.byOperation[op.ID]), "<br>"), op.Class, again, seconds(op.Timeout), op.Since)
	}
	b.WriteString("\n## Other spellings\n\nNo method uses them; `Client.Do` knows them.\n\n| route | same as |\n| --- | --- |\n")
	for _, spec := range theDocument(t).operations {
		if original := aliasOf(t, spec); original != "" {
			fmt.Fprintf(&b, "| `%s %s` | %s |\n", spec.method, spec.path, original)
		}
	}
	return b.String()
}

func seconds(d time.Duration) string { return fmt.Sprintf("%g s", d.Seconds()) }

// goNames turns the names of methods into what a caller writes.
func goNames(methods []string) []string {
	fields := map[string]string{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[ryze.InstanceClient]()) {
		if f.IsExported() {
			fields[f.Type.Elem().Name()] = f.Name
		}
	}
	var names []string
	for _, m := range methods {
		holder, method, _ := strings.Cut(m, ".")
		if m == "Client.Do" {
			continue
		}
		if field, ok := fields[holder]; ok {
			holder = field
		}
		names = append(names, holder+"."+method)
	}
	slices.Sort(names)
	for i, n := range names {
		names[i] = "`" + n + "`"
	}
	return names
}
