package conformance

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDocumentIsValidOpenAPI(t *testing.T) {
	valid, errs := theDocument(t).validator.ValidateDocument()
	assert.True(t, valid, "%v", reasons("document", errs))
}

// TestShownRequestsFitAndAreClosed validates every request that the document
// shows, and adds a member to each of its objects: the simulator ignores it
// in silence, the document refuses it.
func TestShownRequestsFitAndAreClosed(t *testing.T) {
	d := theDocument(t)
	bodies := 0
	for _, o := range d.operations {
		if o.spec.RequestBody == nil {
			continue
		}
		media, ok := o.spec.RequestBody.Content.Get("application/json")
		require.True(t, ok, o.id)
		require.NotNil(t, media.Examples, "%s shows no request", o.id)
		schema := media.Schema.Schema()
		for name, e := range media.Examples.FromOldest() {
			bodies++
			t.Run(o.id+"/"+name, func(t *testing.T) {
				var body any
				require.NoError(t, e.Value.Decode(&body))
				body = plain(t, body)
				assert.Empty(t, d.against(schema, encode(body)))
				for _, object := range objects(body) {
					object["notKnown"] = true
					valid, _ := d.schemas.ValidateSchemaBytes(schema, encode(body))
					assert.False(t, valid, "unknown member of %v", object)
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
		require.NotEmpty(t, o.shownReplies(t), "%s shows no reply", o.id)
		for _, e := range o.shownReplies(t) {
			assert.Empty(t, d.against(o.reply(e.status).schema(), encode(e.body)), "%s/%s", o.id, e.name)
		}
	}
}
