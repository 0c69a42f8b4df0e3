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

var update = flag.Bool("update", false, "write docs/operations.md and its twin")

// language is what the page of operations says in one language.
type language struct {
	file    string
	intro   string // with the number of operations, of conforming ones, and of operations again
	columns string
	modules map[string]string
	again   map[bool]string
	others  string
	decimal string
}

const ruler = "| --- | --- | --- | --- | --- | --- | --- |"

var languages = []language{{
	file: "../docs/operations.md",
	intro: `# Operations

*[Português](pt-BR/operations.md)*

<!-- Written by "go generate ./conformance". Do not edit. -->

The %d operations of the service, in the order of the table in operations.go, which the columns are
taken from. The Go methods are those that were seen to make the request, directly or within a longer
task; services are fields of ` + "`InstanceClient`" + `. "Again" says whether a request is repeated by itself
after a lost connection, a time-out or a 5xx. The time limit is that of one attempt, without a send's
delay.

Conformance: %d of %d. ` + "`go test -v -run TestConformance ./conformance`" + ` calls the methods against the
simulator, validates what travels against [api/openapi.yaml](../api/openapi.yaml), and counts.
`,
	columns: "| operation | route | Go | rate class | again | time limit | since |",
	modules: map[string]string{
		"observability": "Health", "instance": "Instances", "messages": "Sending messages", "chat": "Chats, contacts and labels",
		"groups": "Groups", "communities": "Communities", "newsletter": "Channels", "profile": "Profile and privacy",
		"calls": "Calls", "events": "Webhooks and event stream", "chatwoot": "Chatwoot",
	},
	again:   map[bool]string{true: "yes", false: "no"},
	others:  "## Other spellings\n\nNo method uses them; `Client.Do` knows them.\n\n| route | same as |\n| --- | --- |\n",
	decimal: ".",
}, {
	file: "../docs/pt-BR/operations.md",
	intro: `# Operações

*[English](../operations.md)*

<!-- Written by "go generate ./conformance". Do not edit. -->

As %d operações do serviço, na ordem da tabela em operations.go, de onde vêm as colunas. Os métodos em
Go são os que fizeram a requisição nos testes, de forma direta ou como parte de uma tarefa maior. Os
serviços são campos de ` + "`InstanceClient`" + `. A coluna "repete" diz se o SDK repete a requisição por conta
própria depois de uma conexão perdida, de um tempo esgotado ou de um 5xx. O tempo limite vale para uma
tentativa, sem contar o atraso de um envio.

Conformidade: %d de %d. ` + "`go test -v -run TestConformance ./conformance`" + ` chama os métodos contra o
simulador, valida o que trafega contra [api/openapi.yaml](../../api/openapi.yaml) e conta.
`,
	columns: "| operação | rota | Go | classe de limite | repete | tempo limite | desde |",
	modules: map[string]string{
		"observability": "Saúde", "instance": "Instâncias", "messages": "Envio de mensagens", "chat": "Conversas, contatos e etiquetas",
		"groups": "Grupos", "communities": "Comunidades", "newsletter": "Canais", "profile": "Perfil e privacidade",
		"calls": "Chamadas", "events": "Webhooks e fluxo de eventos", "chatwoot": "Chatwoot",
	},
	again:   map[bool]string{true: "sim", false: "não"},
	others:  "## Outras grafias\n\nNenhum método usa estas rotas; `Client.Do` as conhece.\n\n| rota | igual a |\n| --- | --- |\n",
	decimal: ",",
}}

// TestOperationsPage compares docs/operations.md and its twin with the table of
// operations and with what the suite has observed. With -update it writes them.
func TestOperationsPage(t *testing.T) {
	seen := observe(t)
	for _, in := range languages {
		want := operationsPage(t, seen, in)
		if *update {
			require.NoError(t, os.WriteFile(in.file, []byte(want), 0o644))
			continue
		}
		have, err := os.ReadFile(in.file)
		require.NoError(t, err)
		assert.Equal(t, want, string(have), "%s is stale: go generate ./conformance", in.file)
	}
}

func operationsPage(t *testing.T, o *observed, in language) string {
	t.Helper()
	var b strings.Builder
	operations := ryze.Operations()
	fmt.Fprintf(&b, in.intro, len(operations), o.conforming(), len(operations))
	module := ""
	for _, op := range operations {
		name, _, _ := strings.Cut(op.ID, ".")
		if name != module {
			module = name
			title, ok := in.modules[name]
			require.True(t, ok, "module %s has no title in %s", name, in.file)
			fmt.Fprintf(&b, "\n## %s\n\n%s\n%s\n", title, in.columns, ruler)
		}
		fmt.Fprintf(&b, "| %s | `%s %s` | %s | %s | %s | %s | %s |\n",
			op.ID, op.Method, op.Path, strings.Join(goNames(o.byOperation[op.ID]), "<br>"), op.Class, in.again[op.Repeatable],
			strings.ReplaceAll(seconds(op.Timeout), ".", in.decimal), op.Since)
	}
	b.WriteString("\n" + in.others)
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
