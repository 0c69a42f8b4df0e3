package ryze

import (
	"net/http"
	"path"
	"strings"
	"time"
)

// Operation describes one route of the service: its name, quota and repetition.
// The ID appears in errors and logs.
type Operation struct {
	ID     string // such as "messages.text"
	Method string
	Path   string // with ":instance" where the instance's name goes
	Class  RateClass
	// Repeatable operations are tried again after a lost connection, a time-out
	// or a 5xx. Others are tried again only when the request was certainly not
	// accepted; see [OutcomeError].
	Repeatable bool
	// Timeout limits one attempt, within the caller's context. Sends add their
	// delay to it.
	Timeout time.Duration
	Since   string // the first version of this package with the route

	// gone is set for removals: when a lost reply led to a second attempt, and the
	// service then says that the target is not there, the removal is done.
	gone error
	// bare marks the routes of Chatwoot, whose replies have no envelope.
	bare      bool
	anonymous bool // no token is sent
	reports   bool // a 503 is an answer, not an outage
	proves    bool // its reply proves what it shows: "success": false beside that leaves the outcome open
	alias     bool // another spelling of a route that is in the table
}

// The two columns of the retry table.
const (
	repeat = true  // safe to repeat
	once   = false // sends, creations, and whatever the service does not promise
)

const (
	get  = http.MethodGet
	post = http.MethodPost
	put  = http.MethodPut
	del  = http.MethodDelete
)

// The versions of this package that first knew a route.
const v010 = "v0.1.0"

// Time limits of one attempt.
const (
	readLimit    = 15 * time.Second
	sendLimit    = 30 * time.Second
	mediaLimit   = 120 * time.Second
	connectLimit = 75 * time.Second // the service holds the request for up to a minute
	groupsLimit  = 65 * time.Second // the list of groups is slow
	membersLimit = 95 * time.Second // the service works on members for up to 90 s
	slowLimit    = 65 * time.Second // Chatwoot's first activation: up to 60 s on the server
)

// The table of all routes: the only place where a path is written.
var (
	opHealth = define("observability.health", v010, get, "/health", RateBypass, repeat, readLimit, withoutToken, reports)

	opInstanceCreate    = define("instance.create", v010, post, "/api/instance/new", RateCreate, once, sendLimit, proves)
	opInstanceList      = define("instance.list", v010, get, "/api/instance/list", RateGlobal, repeat, readLimit)
	opInstanceConnect   = define("instance.connect", v010, get, "/api/instance/connect/:instance", RateGlobal, once, connectLimit)
	opInstanceReconnect = define("instance.reconnect", v010, post, "/api/instance/reconnect/:instance", RateGlobal, once, sendLimit)
	opInstanceLogout    = define("instance.logout", v010, del, "/api/instance/logout/:instance", RateGlobal, repeat, sendLimit)
	opInstanceDelete    = define("instance.delete", v010, del, "/api/instance/delete/:instance", RateGlobal, repeat, sendLimit, gone(ErrInstanceNotFound))
	opSettingsUpdate    = define("instance.settings.update", v010, post, "/api/instance/settings/:instance", RateGlobal, repeat, readLimit)
	opSettingsGet       = define("instance.settings.get", v010, get, "/api/instance/getSettings/:instance", RateGlobal, repeat, readLimit)
	opProxyUpdate       = define("instance.proxy.update", v010, post, "/api/instance/proxy/:instance", RateGlobal, repeat, readLimit)
	opProxyGet          = define("instance.proxy.get", v010, get, "/api/instance/getProxy/:instance", RateGlobal, repeat, readLimit)
	opStorageUpdate     = define("instance.s3.update", v010, post, "/api/instance/s3/:instance", RateGlobal, repeat, readLimit)
	opStorageGet        = define("instance.s3.get", v010, get, "/api/instance/getS3/:instance", RateGlobal, repeat, readLimit)
	opInstanceMetrics   = define("instance.metrics", v010, get, "/api/instance/metrics/:instance", RateGlobal, repeat, sendLimit)

	opSendText     = define("messages.text", v010, post, "/api/message/text/:instance", RateGlobal, once, sendLimit)
	opSendMedia    = define("messages.media", v010, post, "/api/message/media/:instance", RateGlobal, once, mediaLimit)
	opSendSticker  = define("messages.sticker", v010, post, "/api/message/sticker/:instance", RateGlobal, once, mediaLimit)
	opSendLocation = define("messages.location", v010, post, "/api/message/location/:instance", RateGlobal, once, sendLimit)
	opSendContact  = define("messages.contact", v010, post, "/api/message/contact/:instance", RateGlobal, once, sendLimit)
	opSendReaction = define("messages.reaction", v010, post, "/api/message/reaction/:instance", RateGlobal, once, sendLimit)
	opSendPoll     = define("messages.poll", v010, post, "/api/message/poll/:instance", RateGlobal, once, sendLimit)
	opSendCarousel = define("messages.carousel", v010, post, "/api/message/carousel/:instance", RateGlobal, once, mediaLimit)
	opSendButtons  = define("messages.button", v010, post, "/api/message/button/:instance", RateGlobal, once, mediaLimit)
	opSendList     = define("messages.list", v010, post, "/api/message/list/:instance", RateGlobal, once, sendLimit)
	opSendForm     = define("messages.form", v010, post, "/api/message/form/:instance", RateGlobal, once, sendLimit)
	opSendPix      = define("messages.pix", v010, post, "/api/message/pix/:instance", RateGlobal, once, sendLimit)
	opSendEvent    = define("messages.event", v010, post, "/api/message/event/:instance", RateGlobal, once, sendLimit)
	opSendStatus   = define("messages.status", v010, post, "/api/message/status/:instance", RateGlobal, once, mediaLimit)

	opContactsList    = define("chat.contacts.list", v010, get, "/api/chat/contacts/:instance", RateGlobal, repeat, sendLimit)
	opContactsByLabel = define("chat.contacts.by_label", v010, get, "/api/chat/contactsByLabel/:instance", RateGlobal, repeat, sendLimit)
	opMessageGet      = define("chat.message.get", v010, get, "/api/chat/getMessage/:instance", RateGlobal, repeat, readLimit)
	opChatHistory     = define("chat.history", v010, post, "/api/chat/history/:instance", RateGlobal, repeat, sendLimit)
	opMessageMedia    = define("chat.message.media_base64", v010, get, "/api/chat/base64/:instance", RateGlobal, repeat, mediaLimit)
	opMessageStatus   = define("chat.message.status", v010, get, "/api/chat/status/:instance", RateGlobal, repeat, readLimit)
	opPollVotes       = define("chat.poll.votes", v010, get, "/api/chat/poll/:instance", RateGlobal, repeat, readLimit)
	opMessageRead     = define("chat.message.mark_read", v010, post, "/api/chat/markRead/:instance", RateGlobal, repeat, readLimit)
	opMessageEdit     = define("chat.message.edit", v010, post, "/api/chat/edit/:instance", RateGlobal, once, sendLimit)
	opMessageDelete   = define("chat.message.delete", v010, del, "/api/chat/delete/:instance", RateGlobal, repeat, sendLimit, gone(ErrMessageNotFound))
	opMessageForward  = define("chat.message.forward", v010, post, "/api/chat/forward/:instance", RateGlobal, once, mediaLimit)
	opMessagePin      = define("chat.message.pin", v010, post, "/api/chat/pinMessage/:instance", RateGlobal, repeat, readLimit)
	opChatFavorite    = define("chat.favorite", v010, post, "/api/chat/favorite/:instance", RateGlobal, repeat, readLimit)
	opLabelsList      = define("chat.tags.list", v010, get, "/api/chat/tag/:instance", RateGlobal, repeat, readLimit)
	opLabelCreate     = define("chat.tags.create", v010, post, "/api/chat/tag/:instance", RateGlobal, once, sendLimit, proves)
	opLabelDelete     = define("chat.tags.delete", v010, del, "/api/chat/tag/:instance", RateGlobal, repeat, readLimit, gone(ErrLabelNotFound))
	opLabelAssign     = define("chat.tags.assign", v010, post, "/api/chat/assignTag/:instance", RateGlobal, repeat, readLimit)
	opLabelUnassign   = define("chat.tags.unassign", v010, del, "/api/chat/assignTag/:instance", RateGlobal, repeat, readLimit)
	opChatArchive     = define("chat.archive", v010, post, "/api/chat/archive/:instance", RateGlobal, repeat, readLimit)
	opChatRead        = define("chat.mark_chat_read", v010, post, "/api/chat/markChatRead/:instance", RateGlobal, repeat, readLimit)
	opChatPin         = define("chat.pin", v010, post, "/api/chat/pinChat/:instance", RateGlobal, repeat, readLimit)
	opChatMute        = define("chat.mute", v010, post, "/api/chat/mute/:instance", RateGlobal, repeat, readLimit)
	opContactBlock    = define("chat.block", v010, post, "/api/chat/block/:instance", RateGlobal, repeat, readLimit)
	opChatPresence    = define("chat.presence.send", v010, post, "/api/chat/presence/:instance", RateGlobal, repeat, readLimit)
	opChatDelete      = define("chat.delete", v010, del, "/api/chat/deleteChat/:instance", RateGlobal, repeat, sendLimit)

	opGroupCreate       = define("groups.create", v010, post, "/api/group/create/:instance", RateGlobal, once, membersLimit, proves)
	opGroupsList        = define("groups.list", v010, get, "/api/group/list/:instance", RateGlobal, repeat, groupsLimit)
	opGroupInfo         = define("groups.info", v010, get, "/api/group/info/:instance", RateGlobal, repeat, sendLimit)
	opGroupUpdate       = define("groups.update", v010, put, "/api/group/update/:instance", RateGlobal, repeat, groupsLimit)
	opGroupParticipants = define("groups.participants", v010, post, "/api/group/participants/:instance", RateGlobal, once, membersLimit, proves)
	opGroupJoin         = define("groups.join", v010, post, "/api/group/join/:instance", RateGlobal, repeat, sendLimit)
	opGroupResetLink    = define("groups.reset_link", v010, post, "/api/group/resetLink/:instance", RateGlobal, once, sendLimit)
	opGroupRequests     = define("groups.requests", v010, get, "/api/group/requests/:instance", RateGlobal, repeat, sendLimit)
	opGroupLeave        = define("groups.leave", v010, del, "/api/group/leave/:instance", RateGlobal, repeat, sendLimit, gone(ErrGroupNotFound))

	opCommunityCreate    = define("communities.create", v010, post, "/api/community/create/:instance", RateGlobal, once, membersLimit, proves)
	opCommunityLink      = define("communities.link", v010, post, "/api/community/link/:instance", RateGlobal, once, sendLimit, proves)
	opCommunityUnlink    = define("communities.unlink", v010, post, "/api/community/unlink/:instance", RateGlobal, once, sendLimit, proves)
	opCommunitySubgroups = define("communities.list_subgroups", v010, get, "/api/community/listSubGroups/:instance", RateGlobal, repeat, sendLimit)

	opNewsletterCreate = define("newsletter.create", v010, post, "/api/newsletter/create/:instance", RateGlobal, once, groupsLimit, proves)
	opNewslettersList  = define("newsletter.list", v010, get, "/api/newsletter/list/:instance", RateGlobal, repeat, sendLimit)
	opNewsletterInfo   = define("newsletter.info", v010, get, "/api/newsletter/info/:instance", RateGlobal, repeat, readLimit)
	opNewsletterJoin   = define("newsletter.join", v010, post, "/api/newsletter/join/:instance", RateGlobal, repeat, sendLimit)
	opNewsletterLeave  = define("newsletter.leave", v010, del, "/api/newsletter/leave/:instance", RateGlobal, repeat, sendLimit, gone(ErrNewsletterNotFound))

	opProfileUpdate = define("profile.update_account", v010, post, "/api/profile/account/:instance", RateGlobal, repeat, groupsLimit)
	opProfileGet    = define("profile.get_account", v010, get, "/api/profile/getAccount/:instance", RateGlobal, repeat, sendLimit)
	opPrivacyGet    = define("profile.get_privacy", v010, get, "/api/profile/getPrivacy/:instance", RateGlobal, repeat, readLimit)
	_               = define("profile.get_privacy_alias", v010, get, "/api/profile/privacy/:instance", RateGlobal, repeat, readLimit, aliasOnly)
	opPrivacyUpdate = define("profile.update_privacy", v010, post, "/api/profile/privacy/:instance", RateGlobal, repeat, groupsLimit)

	opCallFake  = define("calls.fake", v010, post, "/api/call/fake/:instance", RateGlobal, once, sendLimit)
	opCallAudio = define("calls.audio", v010, post, "/api/call/audio/:instance", RateGlobal, once, mediaLimit)

	opWebhookSet       = define("events.webhook.set", v010, post, "/api/events/webhook/:instance", RateGlobal, repeat, readLimit)
	opWebhookGet       = define("events.webhook.get", v010, get, "/api/events/getWebhook/:instance", RateGlobal, repeat, readLimit)
	_                  = define("events.webhook.get_alias", v010, get, "/api/events/webhook/:instance", RateGlobal, repeat, readLimit, aliasOnly)
	opWebSocketSet     = define("events.websocket.set", v010, post, "/api/events/websocket/:instance", RateGlobal, repeat, readLimit)
	opWebSocketGet     = define("events.websocket.get", v010, get, "/api/events/getWebsocket/:instance", RateGlobal, repeat, readLimit)
	opWebSocketConnect = define("events.websocket.connect", v010, get, "/ws/:instance", RateGlobal, repeat, readLimit)

	opChatwootSet    = define("chatwoot.set", v010, post, "/api/chatwoot/set/:instance", RateGlobal, once, slowLimit, bareReplies)
	opChatwootGet    = define("chatwoot.get", v010, get, "/api/chatwoot/list/:instance", RateGlobal, repeat, readLimit, bareReplies)
	opChatwootDelete = define("chatwoot.delete", v010, del, "/api/chatwoot/delete/:instance", RateGlobal, repeat, groupsLimit, gone(ErrNotConfigured), bareReplies)
)

// operations holds every row of the table above, in its order.
var operations []*Operation

//nolint:unparam // the next version will add to the table
func define(id, since, method, path string, class RateClass, repeatable bool, limit time.Duration, marks ...func(*Operation)) *Operation {
	op := &Operation{ID: id, Method: method, Path: path, Class: class, Repeatable: repeatable, Timeout: limit, Since: since}
	for _, mark := range marks {
		mark(op)
	}
	operations = append(operations, op)
	return op
}

func bareReplies(op *Operation)  { op.bare = true }
func withoutToken(op *Operation) { op.anonymous = true }
func reports(op *Operation)      { op.reports = true }
func proves(op *Operation)       { op.proves = true }

// gone marks a removal: when an attempt may have been carried out, and the next
// one is told that the target is not there, it is done.
func gone(target error) func(*Operation) { return func(op *Operation) { op.gone = target } }

func aliasOnly(op *Operation) { op.alias = true }

// Operations returns the table of all routes, in its order, without aliases.
func Operations() []Operation {
	out := make([]Operation, 0, len(operations))
	for _, op := range operations {
		if !op.alias {
			out = append(out, *op)
		}
	}
	return out
}

// operationFor finds the row of a method and a path in which names are filled
// in, for requests that do not go through a typed method. The path may be
// written in several ways; the first that is in the table counts.
func operationFor(method string, paths ...string) *Operation {
	for _, written := range paths {
		for _, op := range operations {
			if op.Method == method && op.isAt(path.Clean(written)) {
				return op
			}
		}
	}
	return nil
}

// isAt reports whether the row is that of a path.
func (op *Operation) isAt(path string) bool {
	before, ok := strings.CutSuffix(op.Path, ":instance")
	if !ok {
		return path == op.Path
	}
	name, ok := strings.CutPrefix(path, before)
	return ok && name != "" && !strings.Contains(name, "/")
}

// repeatableGet reports whether a HEAD of the path may be repeated: servers answer
// it by doing what a GET does.
func repeatableGet(paths ...string) bool {
	op := operationFor(http.MethodGet, paths...)
	return op == nil || op.Repeatable
}
