package conformance

import (
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDocumentIsValidOpenAPI holds the document against the schema that the
// OpenAPI Initiative publishes (Apache License 2.0), follows each $ref, and
// compiles each schema, used or not.
func TestDocumentIsValidOpenAPI(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("testdata/openapi-3.1.json")
	require.NoError(t, err)
	root := theDocument(t).root
	require.NoError(t, schema.Validate(root.value()))
	require.NotPanics(t, func() { walkReferences(root) })
	for name, s := range root.get("components", "schemas").all() {
		require.NotPanics(t, func() { s.schema() }, name)
	}
}

func walkReferences(p part) {
	p.resolved()
	for _, c := range p.children() {
		walkReferences(c)
	}
}

// TestSharedRepliesAreWrittenOnce finds replies that two operations spell out
// alike: they belong into the components.
func TestSharedRepliesAreWrittenOnce(t *testing.T) {
	first := map[string]string{}
	for _, o := range theDocument(t).operations {
		for status, reply := range o.spec.get("responses").children() {
			if reply.child("$ref").exists() {
				continue
			}
			text, here := string(encode(reply.value())), o.id+" "+status
			assert.Empty(t, first[text], "%s has the same reply", here)
			first[text] = here
		}
	}
}

// TestShownRequestsFitAndAreClosed validates every request that the document
// shows, and adds a member to each of its objects: the simulator ignores it
// in silence, the document refuses it.
func TestShownRequestsFitAndAreClosed(t *testing.T) {
	d := theDocument(t)
	bodies := 0
	for _, o := range d.operations {
		if !o.spec.get("requestBody").exists() {
			continue
		}
		content := o.spec.get("requestBody").body()
		require.True(t, content.get("examples").exists(), "%s shows no request", o.id)
		schema := content.get("schema").schema()
		for name, e := range content.get("examples").all() {
			bodies++
			t.Run(o.id+"/"+name, func(t *testing.T) {
				body := e.get("value").value()
				assert.Empty(t, against(schema, encode(body)))
				for _, object := range objects(body) {
					object["notKnown"] = true
					assert.Error(t, schema.Validate(body), "unknown member of %v", object)
					delete(object, "notKnown")
				}
			})
		}
	}
	assert.Greater(t, bodies, 45)
}

// TestShownRepliesFit validates every reply that the document shows.
func TestShownRepliesFit(t *testing.T) {
	d := theDocument(t)
	for _, o := range d.operations {
		require.NotEmpty(t, o.shownReplies(), "%s shows no reply", o.id)
		for _, e := range o.shownReplies() {
			assert.Empty(t, against(o.reply(e.status).body().get("schema").schema(), encode(e.body)), "%s/%s", o.id, e.name)
		}
	}
}
