package ryzetest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// contractRoute is one route as the service documents it, with a request that
// is right and the reply that it gets.
type contractRoute struct {
	method, path string
	// request fills the path's instance in, and adds a query. "a" is connected.
	instance, query string
	body            string
	status          int // 200 when 0
	// want is the reply. Strings in angle brackets stand for any value of a
	// kind; keys with a question mark may be missing; the single element of an
	// array stands for any number of elements.
	want string
}

// contract lists every route. Words in braces stand for what the setup has.
var contract = []contractRoute{
	{method: "GET", path: "/health", want: `{"status":"ok","service":"RyzeAPI","uptime":"<string>","timestamp":"<utc>","checks":{"db":"ok"}}`},

	// instance
	{method: "POST", path: "/api/instance/new", body: `{"name":"new","disableHistorySync":true}`, status: 201,
		want: `{"success":true,"message":"<string>","instance":{"id":"<string>","name":"new","token":"<string>","status":"disconnected","numberJid":null,"createdAt":"<utc>","updatedAt":"<utc>"}}`},
	{method: "GET", path: "/api/instance/list", query: "instanceName=a",
		want: `{"success":true,"message":"1 Instance found","meta":{"total":1},"instances":[{"id":"<string>","name":"a","token":"<string>","status":"connected","numberJid":"<jid>",
			"connection":{"state":"connected","numberJid":"<jid>","presenceStatus":"unavailable","displayStatus":"Offline"},
			"profile":{"name":"a","pictureUrl":"","isBusiness":false,"businessName":""},
			"webhook":{"enabled":true,"label":"default","url":"https://hooks.example.com/wh","authorization":null,"byEvents":false,"events":[],"mediaBase64":false},
			"websocket":{"enabled":true,"events":[],"mediaBase64":false},"chatwoot":{"enabled":true,"status":"active"},"proxy":"<object>","settings":"<object>","s3":"<object>",
			"createdAt":"<utc>","updatedAt":"<utc>"}]}`},
	{method: "GET", path: "/api/instance/connect/:instance", instance: "b", want: `{"success":true,"message":"QR code generated","qrCode":"<string>","qrCodeBase64":"<string>","status":"qr"}`},
	{method: "POST", path: "/api/instance/reconnect/:instance", want: `{"success":true,"message":"Reconnect initiated","status":"connecting"}`},
	{method: "DELETE", path: "/api/instance/logout/:instance", want: `{"success":true,"message":"Instance logged out","instance":{"status":"loggedout"}}`},
	{method: "DELETE", path: "/api/instance/delete/:instance", want: `{"success":true,"message":"Instance deleted","instance":{"status":"deleted"}}`},
	{method: "POST", path: "/api/instance/settings/:instance", body: `{"autoReadMessages":true}`,
		want: `{"success":true,"message":"Settings updated successfully","settings":{"autoRejectCalls":false,"callRejectMessage":"","ignoreGroupMessages":false,"keepOnlineStatus":false,"autoReadMessages":true,"disableHistorySync":true,"ignoreStatus":false}}`},
	{method: "GET", path: "/api/instance/getSettings/:instance",
		want: `{"success":true,"message":"Settings retrieved successfully","settings":{"autoRejectCalls":false,"callRejectMessage":"","ignoreGroupMessages":false,"keepOnlineStatus":false,"autoReadMessages":false,"disableHistorySync":true,"ignoreStatus":false}}`},
	{method: "POST", path: "/api/instance/proxy/:instance", body: `{"enabled":true,"host":"proxy.example.net","port":"1080","protocol":"socks5","username":"u","password":"p"}`,
		want: `{"success":true,"message":"<string>","proxy":{"enabled":true,"host":"proxy.example.net","port":"1080","protocol":"socks5","username":"u"}}`},
	{method: "GET", path: "/api/instance/getProxy/:instance", want: `{"success":true,"message":"Proxy configuration retrieved successfully","proxy":{"enabled":false,"host":"<any>","port":"<any>","protocol":"<any>","username":"<any>"}}`},
	{method: "POST", path: "/api/instance/s3/:instance", body: `{"enabled":true,"region":"us-east-1","bucket":"example-media","accessKey":"AK","secretKey":"SK","endpoint":"","pathPrefix":"media/"}`,
		want: `{"success":true,"message":"S3 configuration updated","s3":{"enabled":true,"region":"us-east-1","bucket":"example-media","accessKey":"AK","endpoint":"","pathPrefix":"media/"}}`},
	{method: "GET", path: "/api/instance/getS3/:instance", want: `{"success":true,"s3":{"enabled":false,"region":"<any>","bucket":"<any>","accessKey":"<any>","secretKey":null,"endpoint":"<any>","pathPrefix":"<any>"}}`},
	{method: "GET", path: "/api/instance/metrics/:instance",
		want: `{"success":true,"message":"Metrics retrieved successfully","metrics":{"instance":"a","totalMessages":"<number>","messagesReceived":"<number>","messagesSent":"<number>","messagesByType":"<object>",
			"groupMessages":0,"individualMessages":"<number>","messagesWithMedia":1,"mediaByType":{"audio":1},"messagesByStatus":{"pending":0,"sent":"<number>","delivered":0,"read":0,"played":0,"failed":0},
			"uniqueChats":1,"uniqueGroups":0,"uniqueContacts":1,"messagesLast7Days":"<number>","messagesLast30Days":"<number>","firstMessageAt":"<utc>","lastMessageAt":"<utc>"}}`},

	// messages
	{method: "POST", path: "/api/message/text/:instance", body: `{"number":"{friend}","message":"Hello","linkPreview":false,"replyTo":"{in}"}`, want: sentAs(`"messageType":"text","content":"Hello","replyTo":{"messageId":"{in}"}`)},
	{method: "POST", path: "/api/message/media/:instance", body: `{"number":"{friend}","mediaType":"document","mediaUrl":"https://example.com/a.pdf","fileName":"a.pdf","message":"caption"}`,
		want: sentAs(`"messageType":"document","content":"caption","mediaUrl":"<string>","mediaMimeType":"application/pdf"`)},
	{method: "POST", path: "/api/message/sticker/:instance", body: `{"number":"{friend}","imageUrl":"https://example.com/s.png"}`, want: sentAs(`"messageType":"sticker","mediaMimeType":"image/webp"`)},
	{method: "POST", path: "/api/message/location/:instance", body: `{"number":"{friend}","latitude":-23.5,"longitude":-46.6,"name":"Office","address":"Street 1"}`,
		want: sentAs(`"messageType":"location","content":"📍 Office\nStreet 1\nLat: -23.5, Long: -46.6"`)},
	{method: "POST", path: "/api/message/contact/:instance", body: `{"number":"{friend}","vcard":[{"fullName":"Test Person","phone":"5511987654321"}]}`,
		want: sentAs(`"messageType":"<string>","vcard":[{"fullName":"Test Person","phone":"5511987654321"}]`)},
	{method: "POST", path: "/api/message/reaction/:instance", body: `{"number":"{friend}","messageId":"{in}","reaction":"remove","fromMe":false}`,
		want: strings.Replace(sentAs(`"messageType":"<string>","content":"","replyTo":{"messageId":"{in}"}`), `"message":"<string>"`, `"message":"Reaction removed successfully"`, 1)},
	{method: "POST", path: "/api/message/poll/:instance", body: `{"number":"{friend}","question":"When?","options":["9am","2pm"],"maxAnswer":1}`, want: sentAs(`"messageType":"<string>","content":"When?\n1. 9am\n2. 2pm"`)},
	{method: "POST", path: "/api/message/carousel/:instance", body: `{"number":"{friend}","message":"Pick one","footer":"until Friday","cards":[{"header":{"title":"Plan A","imageUrl":"https://example.com/a.jpg"},"body":{"text":"details"},"footer":"49","buttons":[{"displayText":"I want A","id":"plan_a","type":"REPLY"}]}]}`,
		want: sentAs(`"messageType":"interactive","content":"Pick one - Carousel with 1 card(s)"`)},
	{method: "POST", path: "/api/message/button/:instance", body: `{"number":"{friend}","contentText":"Choose","headerText":"Support","footerText":"24/7","buttons":[{"id":"a","displayText":"Sales","type":"REPLY"},{"id":"b","displayText":"Help","type":"REPLY"}]}`,
		want: sentAs(`"messageType":"buttons","content":"Choose"`)},
	{method: "POST", path: "/api/message/list/:instance", body: `{"number":"{friend}","contentText":"Menu","buttonText":"Open","sections":[{"title":"Dishes","rows":[{"id":"p1","title":"Lasagna","description":"4 slices"}]}]}`,
		want: sentAs(`"messageType":"list","content":"Menu"`)},
	{method: "POST", path: "/api/message/form/:instance", body: `{"number":"{friend}","message":"Fill in","formType":"contact_details","buttonLabel":"Open","deliveryAddressVisible":false}`,
		want: sentAs(`"messageType":"interactive","content":"Fill in"`)},
	{method: "POST", path: "/api/message/pix/:instance", body: `{"number":"{friend}","merchantName":"support-line","pixKey":"test@example.com","pixKeyType":"EMAIL"}`, want: sentAs(`"messageType":"<string>"`)},
	{method: "POST", path: "/api/message/event/:instance", body: `{"number":"{group}","name":"Meeting","startAt":"2027-01-01T14:00:00-03:00","endAt":"2027-01-01T15:00:00-03:00","location":{"name":"Room 3","address":"Street 1"},"hasReminder":true,"reminderOffsetSec":900}`,
		want: strings.Replace(sentAs(`"messageType":"<string>","content":"Meeting"`), `"jid":"{friend}@s.whatsapp.net"`, `"jid":"{group}","groupName":"Release crew"`, 1)},
	{method: "POST", path: "/api/message/status/:instance", body: `{"type":"text","message":"News","backgroundColor":"#00AAFF","font":"serif"}`,
		want: strings.Replace(sentAs(`"messageType":"text","content":"News"`), "{friend}@s.whatsapp.net", "status@broadcast", 1)},

	// chat
	{method: "GET", path: "/api/chat/contacts/:instance", query: "number={friend}", want: `{"success":true,"contact":{"jid":"{friend}@s.whatsapp.net","lid":"77@lid","first_name":"Ana","push_name":"Ana","found":true}}`},
	{method: "GET", path: "/api/chat/contactsByLabel/:instance", query: "labelIds=1,2&refresh=true",
		want: `{"success":true,"chats":["<object>"],"total_chats":1,"total_rows":1,"refreshed":true,"filter_label_ids":["1"]}`},
	{method: "GET", path: "/api/chat/getMessage/:instance", query: "messageId={media}",
		want: `{"success":true,"message":"Message found","messageId":"{media}","status":"found","data":{"content":"","type":"audio","from":"{friend}@s.whatsapp.net","to":"{phone}@s.whatsapp.net","chat":"{friend}@s.whatsapp.net",
			"timestamp":"<utc>","isGroup":false,"status":"received","media":{"type":"audio","mimeType":"audio/ogg; codecs=opus","size":4,"duration":7}}}`},
	{method: "POST", path: "/api/chat/history/:instance", body: `{"number":"{friend}","count":100,"from":"1999-01-01T00:00:00Z","to":"2200-01-31T23:59:59-03:00"}`,
		want: `{"success":true,"chat_jid":"{friend}@s.whatsapp.net","count":4,"hasMore":false,"messages":[{"id":"<id>","timestamp":"<utc>","fromMe":"<bool>","type":"<string>","content":"<any>","chatJid":"{friend}@s.whatsapp.net","senderJid":"<jid>"}]}`},
	{method: "GET", path: "/api/chat/base64/:instance", query: "messageId={media}",
		want: `{"success":true,"message":"Base64 retrieved successfully","message_id":"{media}","mime_type":"audio/ogg; codecs=opus","media_type":"audio","base64":"T2dnUw=="}`},
	{method: "GET", path: "/api/chat/status/:instance", query: "messageId={in}",
		want: `{"success":true,"message":"Message status retrieved successfully","message_id":"{in}","status":"received","status_code":3,"direction":"received","chat_jid":"{friend}@s.whatsapp.net","timestamp":"<utc>"}`},
	{method: "GET", path: "/api/chat/poll/:instance", query: "messageId={poll}",
		want: `{"success":true,"message":"Poll votes retrieved successfully","messageId":"{poll}","data":{"messageId":"{poll}","name":"Which day?","votes":[{"optionName":"Monday","optionVoteCount":1}],
			"voteDetails":[{"optionHash":"<string>","optionName":"Monday","senderJid":"{friend}","voteMessageId":"<id>","createdAt":"<utc>"}]}}`},
	{method: "POST", path: "/api/chat/markRead/:instance", body: `{"messageId":"{in}","number":"{group}","sender":"{friend}@s.whatsapp.net"}`,
		want: `{"success":true,"message":"Message marked as read successfully","message_id":"{in}","chat_jid":"{group}"}`},
	{method: "POST", path: "/api/chat/edit/:instance", body: `{"messageId":"{text}","content":"Corrected text"}`,
		want: `{"success":true,"message":"Message edited successfully","messageId":"{text}","chatJid":"{friend}@s.whatsapp.net","oldContent":"Old text","newContent":"Corrected text"}`},
	{method: "DELETE", path: "/api/chat/delete/:instance", body: `{"messageId":"{text}","deleteForEveryone":true}`, want: `{"success":true,"message":"Message deleted for everyone","delete_type":"revoke"}`},
	{method: "POST", path: "/api/chat/forward/:instance", body: `{"messageId":"{in}","to":"{friend}"}`,
		want: `{"success":true,"message":"Message forwarded successfully","messageId":"<id>","originalId":"{in}","destinationJid":"{friend}@s.whatsapp.net"}`},
	{method: "POST", path: "/api/chat/pinMessage/:instance", body: `{"messageId":"{in}","pin":true,"duration":"7d"}`,
		want: `{"success":true,"message":"Message pinned successfully","chat_jid":"{friend}@s.whatsapp.net","message_id":"{in}","pinned":true,"duration":"7d"}`},
	{method: "POST", path: "/api/chat/favorite/:instance", body: `{"messageId":"{in}","favorite":true}`,
		want: `{"success":true,"message":"<string>","type":"message","chat_jid":"{friend}@s.whatsapp.net","message_id":"{in}","favorite":true}`},
	{method: "GET", path: "/api/chat/tag/:instance", want: `{"success":true,"message":"Tags retrieved successfully","tags":[{"id":"1","name":"Lead","color":0,"type":"CUSTOM","deleted":false}],"total":1}`},
	{method: "POST", path: "/api/chat/tag/:instance", body: `{"name":"Gold","color":5}`, want: `{"success":true,"message":"Tag created successfully","tag":{"id":"2","name":"Gold","color":5,"type":"CUSTOM","deleted":false}}`},
	{method: "DELETE", path: "/api/chat/tag/:instance", query: "tagId=1", want: `{"success":true,"message":"Tag deleted successfully","tag":{"id":"1","name":"","color":0,"type":"","deleted":true}}`},
	{method: "POST", path: "/api/chat/assignTag/:instance", body: `{"number":"{friend}","tagId":"1"}`, want: `{"success":true,"message":"Tag assigned successfully","tag_id":"1"}`},
	{method: "DELETE", path: "/api/chat/assignTag/:instance", query: "number={friend}&tagId=1", want: `{"success":true,"message":"Tag removed successfully","tag_id":"1"}`},
	{method: "POST", path: "/api/chat/archive/:instance", body: `{"number":"{friend}","archive":true}`, want: `{"success":true,"message":"Chat archived successfully","chat_jid":"{friend}@s.whatsapp.net","archived":true}`},
	{method: "POST", path: "/api/chat/markChatRead/:instance", body: `{"number":"{friend}","read":true}`, want: `{"success":true,"message":"Chat marked as read successfully","chat_jid":"{friend}@s.whatsapp.net","read":true}`},
	{method: "POST", path: "/api/chat/pinChat/:instance", body: `{"number":"{friend}","pin":true}`, want: `{"success":true,"message":"Chat pinned successfully","chat_jid":"{friend}@s.whatsapp.net","pinned":true}`},
	{method: "POST", path: "/api/chat/mute/:instance", body: `{"number":"{friend}","mute":true,"duration":"1 week"}`, want: `{"success":true,"message":"Chat muted for 1 week","muted":true,"duration":604800}`},
	{method: "POST", path: "/api/chat/block/:instance", body: `{"number":"{friend}","block":true}`,
		want: `{"success":true,"message":"Contact blocked successfully","contact_jid":"{friend}@s.whatsapp.net","blocked_count":1,"blocked":true}`},
	{method: "POST", path: "/api/chat/presence/:instance", body: `{"number":"{friend}","state":"typing","duration":5}`, want: `{"success":true}`},
	{method: "DELETE", path: "/api/chat/deleteChat/:instance", body: `{"number":"{friend}","deleteMedia":true}`,
		want: `{"success":true,"message":"Chat deleted successfully (including media)","chat_jid":"{friend}@s.whatsapp.net","delete_media":true}`},

	// groups
	{method: "POST", path: "/api/group/create/:instance", body: `{"name":"New crew","participants":["{friend}","5521912345678"],"description":"Coordination channel","image":"https://cdn.example.com/crew.png","communityJid":"{hub}","groupSettings":{"membersCanSendMessages":false,"requireAdminApproval":true}}`,
		want: `{"success":true,"message":"<string>","group":` + groupInfoShape("New crew", 3) + `}`},
	{method: "GET", path: "/api/group/list/:instance", query: "includeMembers=false", want: `{"success":true,"message":"<string>","groups":[{"groupJid":"<jid>","name":"<string>","memberCount":"<number>"}]}`},
	{method: "GET", path: "/api/group/info/:instance", query: "identifier={group}",
		want: `{"success":true,"message":"<string>","group":{"name":"Release crew","jid":"{group}","description":"","image":"<any>","inviteCode":"<string>","inviteLink":"<string>","createdBy":"{phone}@s.whatsapp.net","createdAt":"<utc>","participantCount":2,
			"participants":[{"jid":"<jid>","lid?":"<jid>","isAdmin":"<bool>","isSuperAdmin":"<bool>"}],"groupSettings":{"membersCanEditInfo":true,"membersCanSendMessages":true,"membersCanAddOthers":false,"requireAdminApproval":false},
			"metadata":{},"isEphemeral":false,"isIncognito":false,"isSuspended":false,"isDefaultSubGroup":false}}`},
	{method: "PUT", path: "/api/group/update/:instance", body: `{"identifier":"{group}","name":"Old crew","description":"","removeImage":true,"groupSettings":{"membersCanSendMessages":false,"requireAdminApproval":true}}`,
		want: `{"success":true,"message":"<string>","group":` + groupInfoShape("Old crew", 2) + `}`},
	{method: "POST", path: "/api/group/participants/:instance", body: `{"action":"add","identifier":"{group}","participants":["5521912345678","{friend}"]}`,
		want: `{"success":true,"message":"<string>","participants":[{"success":"<bool>","error?":"already a member of the group"}]}`},
	{method: "POST", path: "/api/group/join/:instance", body: `{"identifier":"https://chat.whatsapp.com/{code}"}`, want: `{"success":true,"message":"<string>","groupJid":"{group}","requiresApproval":false}`},
	{method: "POST", path: "/api/group/resetLink/:instance", body: `{"identifier":"{group}"}`,
		want: `{"success":true,"message":"Group invite link reset successfully","groupJid":"{group}","inviteCode":"<string>","inviteLink":"<string>"}`},
	{method: "GET", path: "/api/group/requests/:instance", query: "identifier={group}",
		want: `{"success":true,"message":"1 pending requests found","groupJid":"{group}","requests":[{"jid":"<jid>","phoneNumber":"5521900000000@s.whatsapp.net","requestedAt":"<utc>"}],"meta":{"total":1}}`},
	{method: "DELETE", path: "/api/group/leave/:instance", query: "identifier={group}", want: `{"success":true,"message":"Successfully left the group","groupJid":"{group}"}`},

	// communities
	{method: "POST", path: "/api/community/create/:instance", body: `{"name":"Acme hub","description":"Everything Acme","image":"https://cdn.example.com/acme.png","groupJid":["{group}","1@g.us"],"membershipApprovalMode":"request_required"}`,
		want: `{"success":true,"message":"<string>","group":{"jid":"<jid>"},"isCommunity":true,"linkedGroups":["{group}"],"failedGroups":["1@g.us"]}`},
	{method: "POST", path: "/api/community/link/:instance", body: `{"communityJid":"{hub}","groupJid":["{group}","1@g.us"]}`,
		want: `{"success":true,"message":"Linked 1 of 2 groups to community","linked":["{group}"],"failed":["1@g.us"]}`},
	{method: "POST", path: "/api/community/unlink/:instance", body: `{"communityJid":"{hub}","groupJid":["{sub}"]}`,
		want: `{"success":true,"message":"Unlinked 1 of 1 groups from community","linked":["{sub}"],"failed":[]}`},
	{method: "GET", path: "/api/community/listSubGroups/:instance", query: "communityJid={hub}",
		want: `{"success":true,"message":"2 subgroup(s) found","communityJid":"{hub}","subgroups":[{"jid":"<jid>","name":"<string>","isDefaultSubGroup":"<bool>"}]}`},

	// newsletter
	{method: "POST", path: "/api/newsletter/create/:instance", body: `{"name":"Acme news","description":"Monthly updates","image":"https://cdn.example.com/acme.png"}`,
		want: `{"success":true,"message":"<string>","channel":{"jid":"<jid>","state":"active","name":"Acme news","description":"Monthly updates","inviteLink":"<string>","subscriberCount":0,"pictureUrl":"<string>"}}`},
	{method: "GET", path: "/api/newsletter/list/:instance", want: `{"success":true,"channels":[]}`},
	{method: "GET", path: "/api/newsletter/info/:instance", query: "identifier={news}",
		want: `{"success":true,"message":"Newsletter info retrieved","channel":{"jid":"{news}","state":"active","name":"Theirs","description":"d","inviteLink?":"<string>","subscriberCount":42,"pictureUrl?":"<any>"}}`},
	{method: "POST", path: "/api/newsletter/join/:instance", body: `{"identifier":"{news}"}`, want: `{"success":true,"message":"<string>","channelJid":"{news}"}`},
	{method: "DELETE", path: "/api/newsletter/leave/:instance", query: "identifier={followed}", instance: "c", want: `{"success":true,"message":"Successfully left newsletter","channelJid":"{followed}"}`},

	// profile
	{method: "POST", path: "/api/profile/account/:instance", body: `{"profilePicture":"https://cdn.example.com/avatar.jpg","profileName":"Support Line","profileStatus":"Weekdays 9-18"}`,
		want: `{"success":true,"message":"Profile updated successfully","updatedFields":["profilePicture","profileName","profileStatus"]}`},
	{method: "GET", path: "/api/profile/getAccount/:instance", query: "number={friend}",
		want: `{"success":true,"profile":{"profilePicture":null,"profileName":"Ana","phoneNumber":"{friend}","jid":"{friend}@s.whatsapp.net","lid":"77@lid"}}`},
	{method: "GET", path: "/api/profile/getPrivacy/:instance", want: `{"success":true,"message":"Privacy settings retrieved successfully","settings":` + privacyShape + `}`},
	{method: "GET", path: "/api/profile/privacy/:instance", want: `{"success":true,"message":"Privacy settings retrieved successfully","settings":` + privacyShape + `}`},
	{method: "POST", path: "/api/profile/privacy/:instance", body: `{"visibility":{"lastSeen":"none","status":"contacts","profile":"contacts","online":"match_last_seen"},"privacy":{"readReceipts":"none"},"permissions":{"callAdd":"known","groupAdd":"contacts"}}`,
		want: `{"success":true,"settings":{"visibility":{"lastSeen":"none","status":"contacts","profile":"contacts","online":"match_last_seen"},"privacy":{"readReceipts":"none"},"permissions":{"callAdd":"known","groupAdd":"contacts"}}}`},

	// calls
	{method: "POST", path: "/api/call/fake/:instance", body: `{"number":"{friend}","duration":15}`, want: `{"success":true,"message":"Call placed successfully","callId":"<string>","number":"{friend}","duration":15}`},
	{method: "POST", path: "/api/call/audio/:instance", body: `{"number":"{friend}","mediaUrl":"https://cdn.example.com/notice.mp3"}`, want: `{"success":true,"message":"Audio call placed","callId":"<string>","number":"{friend}"}`},

	// events
	{method: "POST", path: "/api/events/webhook/:instance", body: `{"label":"analytics","enabled":true,"url":"https://hooks.example.com/x","authorization":"Bearer t","byEvents":false,"events":["message.exchange","message.status"],"mediaBase64":false}`,
		want: `{"success":true,"message":"<string>","webhook":{"label":"analytics","enabled":true,"url":"https://hooks.example.com/x","authorization":"Bearer t","byEvents":false,"events":["message.exchange","message.status"],"mediaBase64":false}}`},
	{method: "GET", path: "/api/events/getWebhook/:instance", want: `{"success":true,"message":"<string>","webhooks":[{"label":"default","enabled":true,"url":"<string>","authorization":null,"byEvents":false,"events":[],"mediaBase64":false}]}`},
	{method: "GET", path: "/api/events/webhook/:instance", query: "label=", want: `{"success":true,"message":"<string>","webhook":{"label":"default","enabled":true,"url":"<string>","authorization":null,"byEvents":false,"events":[],"mediaBase64":false}}`},
	{method: "POST", path: "/api/events/websocket/:instance", body: `{"enabled":true,"events":["message.exchange","message.status"],"mediaBase64":true}`,
		want: `{"success":true,"message":"<string>","websocket":{"enabled":true,"events":["message.exchange","message.status"],"mediaBase64":true}}`},
	{method: "GET", path: "/api/events/getWebsocket/:instance", want: `{"success":true,"message":"WebSocket configuration retrieved","websocket":{"enabled":true,"events":[],"mediaBase64":false}}`},
	{method: "GET", path: "/ws/:instance", instance: "b", status: 400,
		want: `{"success":false,"error":{"message":"WebSocket is not enabled for this instance. Configure it first using POST /api/events/websocket/b"}}`},

	// chatwoot
	{method: "POST", path: "/api/chatwoot/set/:instance", status: 201,
		body: `{"chatwootBaseUrl":"https://chatwoot.example.com","chatwootAccountId":7,"chatwootApiToken":"cw_example_token","inboxName":"support-line","signMessages":true,"ignoreGroups":false,"startAsPending":false,"reopenResolved":true}`,
		want: `{"instance":"a","status":"active","bridge_integration_id":"<string>","message":"chatwoot integration activated"}`},
	{method: "GET", path: "/api/chatwoot/list/:instance",
		want: `{"instance_name":"a","status":"active","bridge_integration_id":"<string>","chatwoot_base_url":"https://chatwoot.example.com","chatwoot_account_id":7,"chatwoot_api_token":"cw","chatwoot_inbox_id":"<number>","chatwoot_inbox_name":"support",
			"last_error":"","created_at":"<utc>","sign_messages":true,"ignore_groups":false,"start_as_pending":false,"reopen_resolved":true}`},
	{method: "DELETE", path: "/api/chatwoot/delete/:instance", want: `{"message":"chatwoot integration deactivated"}`},
}

// sentAs is the reply to a send, with further members of its data.
func sentAs(data string) string {
	return `{"success":true,"message":"<string>","status":"sent","data":{"messageId":"<id>","timestamp":"<time>","direction":"outgoing",
		"chat":{"jid":"{friend}@s.whatsapp.net","isGroup?":"<bool>"},"sender":"<object>",` + data + `}}`
}

func groupInfoShape(name string, members int) string {
	return fmt.Sprintf(`{"name":%q,"jid":"<jid>","description":"<any>","inviteCode":"<string>","inviteLink":"<string>","createdBy":"{phone}@s.whatsapp.net","participantCount":%d,
		"participants":[{"jid":"<jid>","isAdmin":"<bool>","isSuperAdmin":"<bool>"}],
		"groupSettings":{"membersCanEditInfo":"<bool>","membersCanSendMessages":"<bool>","membersCanAddOthers":"<bool>","requireAdminApproval":"<bool>"}}`, name, members)
}

const privacyShape = `{"visibility":{"lastSeen":"all","status":"all","profile":"all","online":"all"},"privacy":{"readReceipts":"all"},"permissions":{"callAdd":"all","groupAdd":"all"}}`

// furnish fills a server with something for every route, and returns what the
// words in braces stand for.
func furnish(t *testing.T, s *Server, c client, i *Instance) *strings.Replacer {
	t.Helper()
	s.AddContact(Contact{Phone: friend, LID: "77@lid", Name: "Ana"})
	i.SetDelivery(Receipts{Off: true})
	s.AddInstance("b")
	reader := s.AddInstance("c")
	reader.Pair("5511900000003")

	in := i.Receive(Incoming{From: friend, Text: "Hello"})
	media := i.Receive(Incoming{From: friend, Media: &File{Data: []byte("OggS"), MIME: "audio/ogg; codecs=opus", Duration: 7}})
	poll := i.TypeOnPhone(friend, Incoming{Poll: &Poll{Question: "Which day?", Options: []string{"Monday"}, Max: 1}})
	require.NotEmpty(t, i.Vote(poll, friend, "Monday"))
	text := c.sent(friend, "Old text")
	i.LabelChat(i.AddLabel("Lead", 0), friend, true)

	group := i.AddGroup("Release crew", friend)
	group.RequestToJoin("5521900000000")
	hub, sub := i.AddCommunity("Hub"), i.AddGroup("Sub")
	c.good("POST", "/api/community/link/a", fmt.Sprintf(`{"communityJid":%q,"groupJid":[%q]}`, hub.JID(), sub.JID()))
	news, followed := s.AddNewsletter("Theirs", "d", 42), s.AddNewsletter("Followed", "", 0)
	c.good("POST", "/api/newsletter/join/c", fmt.Sprintf(`{"identifier":%q}`, followed.JID()))
	c.do("POST", "/api/chatwoot/set/a", strings.Replace(activation, ".com/", ".com", 1))
	c.good("POST", "/api/events/webhook/a", `{"enabled":true,"url":"https://hooks.example.com/wh"}`)
	c.good("POST", "/api/events/websocket/a", `{"enabled":true}`)
	return strings.NewReplacer(
		"{friend}", friend, "{phone}", i.Phone(), "{in}", in, "{media}", media, "{poll}", poll, "{text}", text,
		"{group}", group.JID(), "{code}", group.InviteCode(), "{hub}", hub.JID(), "{sub}", sub.JID(),
		"{news}", news.JID(), "{followed}", followed.JID())
}

func (r contractRoute) target(words *strings.Replacer, extra string) string {
	query := strings.Trim(words.Replace(r.query)+"&"+extra, "&")
	target := strings.Replace(r.path, ":instance", cmp.Or(r.instance, "a"), 1)
	if query != "" {
		target += "?" + query
	}
	return target
}

// differ compares a reply with a template, key by key. It returns what is wrong.
func differ(at string, want, got any) []string {
	wrong := func() []string { return []string{fmt.Sprintf("%s: want %v, got %v", at, want, got)} }
	switch w := want.(type) {
	case map[string]any:
		g, isObject := got.(map[string]any)
		if !isObject {
			return wrong()
		}
		var all []string
		known := map[string]bool{}
		for key, value := range w {
			name, optional := strings.CutSuffix(key, "?")
			known[name] = true
			if inner, there := g[name]; there {
				all = append(all, differ(at+"."+name, value, inner)...)
			} else if !optional {
				all = append(all, at+"."+name+": missing")
			}
		}
		for key := range g {
			if !known[key] {
				all = append(all, at+"."+key+": not documented")
			}
		}
		return all
	case []any:
		g, isArray := got.([]any)
		if !isArray || len(w) == 0 && len(g) > 0 || len(w) > 0 && len(g) == 0 || len(w) > 1 && len(w) != len(g) {
			return wrong()
		}
		var all []string
		for k, inner := range g {
			all = append(all, differ(fmt.Sprintf("%s[%d]", at, k), w[min(k, len(w)-1)], inner)...)
		}
		return all
	case string:
		if !strings.HasPrefix(w, "<") {
			break
		}
		text, isText := got.(string)
		fits := false
		switch w {
		case "<any>":
			fits = true
		case "<string>":
			fits = text != ""
		case "<number>":
			_, fits = got.(float64)
		case "<bool>":
			_, fits = got.(bool)
		case "<object>":
			_, fits = got.(map[string]any)
		case "<jid>":
			fits = isText && strings.Contains(text, "@")
		case "<id>":
			fits = strings.HasPrefix(text, "3EB0") && len(text) == 20
		case "<time>", "<utc>":
			_, err := time.Parse(time.RFC3339, text)
			fits = err == nil && (w == "<time>" || strings.HasSuffix(text, "Z"))
		}
		if !fits {
			return wrong()
		}
		return nil
	}
	if want != got {
		return wrong()
	}
	return nil
}

func TestEveryDocumentedRouteIsThere(t *testing.T) {
	var names []string
	for _, r := range contract {
		names = append(names, r.method+" "+r.path)
	}
	assert.ElementsMatch(t, names, Routes())
	got := Routes()
	slices.Sort(got)
	assert.Len(t, slices.Compact(slices.Clone(got)), len(got), "no route twice")
	seen := map[string]bool{}
	for _, r := range routes {
		assert.False(t, seen[r.id], r.id)
		seen[r.id] = true
	}
}

func TestEveryRouteAnswersAsDocumented(t *testing.T) {
	for _, r := range contract {
		t.Run(r.method+" "+r.path, func(t *testing.T) {
			paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
				words := furnish(t, s, c, i)
				a := c.do(r.method, r.target(words, ""), words.Replace(r.body))
				status := r.status
				if status == 0 {
					status = http.StatusOK
				}
				require.Equal(t, status, a.status, string(a.raw))
				var want any
				require.NoError(t, json.Unmarshal([]byte(words.Replace(r.want)), &want))
				assert.Empty(t, differ("reply", want, any(a.body)), string(a.raw))
				assert.Empty(t, s.Violations())
			})
		})
	}
}

func TestEveryRouteKnowsItsFieldsAndParameters(t *testing.T) {
	for _, r := range contract {
		t.Run(r.method+" "+r.path, func(t *testing.T) {
			paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
				words := furnish(t, s, c, i)
				body := words.Replace(r.body)
				want := []Violation{{r.method + " " + r.path, UnknownQuery, "bogus"}}
				if body != "" {
					body = strings.TrimSuffix(body, "}") + `,"bogus":1}`
					want = append(want, Violation{r.method + " " + r.path, UnknownField, "bogus"})
				}
				c.do(r.method, r.target(words, "bogus=1"), body)
				assert.ElementsMatch(t, want, s.Violations())
			})
		})
	}
}

func TestEveryRouteButHealthWantsAToken(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		words := furnish(t, s, c, i)
		for _, r := range contract {
			for token, text := range map[string]string{"": "Missing token in header", "wrong": "Invalid token"} {
				a := c.with(token).do(r.method, r.target(words, ""), words.Replace(r.body))
				if r.path == "/health" {
					assert.Equal(t, 200, a.status)
					continue
				}
				assert.Equal(t, 401, a.status, r.path)
				assert.Contains(t, a.text(), text)
			}
			if !strings.Contains(r.path, ":instance") {
				continue
			}
			a := c.with(i.Token()).do(r.method, strings.Replace(r.path, ":instance", "c", 1), words.Replace(r.body))
			if r.path == "/api/instance/delete/:instance" {
				assert.Equal(t, 401, a.status, "for a TokenAccount only")
				continue
			}
			assert.Equal(t, 403, a.status, r.path)
			assert.Equal(t, "Instance token does not match requested instance", a.text())
		}
	})
}

func TestRoutesMayBeCalledAtTheSameTime(t *testing.T) {
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		words := furnish(t, s, c, i)
		var work sync.WaitGroup
		for _, r := range contract {
			if strings.HasPrefix(r.path, "/api/instance/") {
				continue // those end the instance
			}
			for range 3 {
				work.Go(func() {
					a, err := c.try(r.method, r.target(words, ""), words.Replace(r.body))
					assert.NoError(t, err)
					assert.NotZero(t, a.status)
				})
			}
		}
		group := s.Group(words.Replace("{group}"))
		work.Go(func() { group.Leave(friend); group.Join(friend); group.Promote(friend); group.Rename("x") })
		work.Go(func() { i.Receive(Incoming{From: friend, Text: "x"}); i.Chat(friend); i.Messages(); i.Calls() })
		work.Wait()
	})
}

// TestConnectionIsWantedAsDocumented holds for every route: those of chats
// answer 503 for an instance that is not connected, those of groups,
// communities and newsletters 400, and those that only read or write the
// service's own data do not care.
func TestConnectionIsWantedAsDocumented(t *testing.T) {
	local := []string{"/api/chat/contacts/:instance", "/api/chat/status/:instance", "/api/chat/poll/:instance"}
	paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
		words := furnish(t, s, c, i)
		i.Disconnect()
		s.Instance("c").Disconnect()
		for _, r := range contract {
			module, _, _ := strings.Cut(strings.TrimPrefix(r.path, "/api/"), "/")
			status := 0
			switch module {
			case "message", "profile", "call", "chat":
				status = http.StatusServiceUnavailable
			case "group", "community", "newsletter":
				status = http.StatusBadRequest
			}
			if slices.Contains(local, r.path) {
				status = 0
			}
			if strings.HasPrefix(r.path, "/api/instance/") {
				continue
			}
			a := c.do(r.method, r.target(words, ""), words.Replace(r.body))
			if status == 0 {
				assert.NotEqual(t, textNotConnected, a.text(), r.path)
				continue
			}
			assert.Equal(t, status, a.status, r.path)
			assert.Equal(t, textNotConnected, a.text(), r.path)
		}
	})
}
