package ryze

import "encoding/json"

// unacknowledged returns what a reply that shows nothing lacks to be a success, or
// "". The service says "success" with every success, but on the routes of Chatwoot:
// without that word a 2xx may be the page of whoever stands in between.
func (e *envelope) unacknowledged(op *Operation) string {
	var said struct {
		Status statusWord      `json:"status"`
		Data   json.RawMessage `json:"data"`
	}
	var inner envelope
	_ = json.Unmarshal(e.Raw(), &said)
	_ = json.Unmarshal(said.Data, &inner) // it may be anything
	switch bare := op.bare && (e.Text != "" || said.Status != ""); {
	case e.Success == unstated && !bare:
		return "the reply does not say that it worked"
	case e.Failure.said() || said.Status.meansFailure() || inner.failed() || inner.Failure.said():
		return "the reply says that it failed"
	}
	return ""
}
