"""A bot, and its test against the simulator: Python's standard library, no Go."""
import json, os, queue, threading, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BASE, TOKEN = os.environ["RYZE_BASE_URL"], os.environ["RYZE_ACCOUNT_TOKEN"]


def call(method, path, body=None, token=None):
    headers = {"Content-Type": "application/json", **({"token": token} if token else {})}
    data = None if body is None and method == "GET" else json.dumps(body or {}).encode()
    with urllib.request.urlopen(urllib.request.Request(BASE + path, data, headers, method=method), timeout=10) as reply:
        return json.load(reply)


def play(path, **body):  # what happens on the phone, and around the service
    return call("POST", "/_sim/api/" + path, body)


class Bot(BaseHTTPRequestHandler):  # the program under development
    def do_POST(self):
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
        data = event["data"]
        if event["event"] == "message.exchange" and data["direction"] == "incoming":
            tapped = (data["message"]["interactive"] or {}).get("selectedButtonId")
            kind, body = ("text", {"message": "One coffee is on its way"}) if tapped == "coffee" else ("button", {
                "contentText": "What may it be?", "buttons": [{"id": "coffee", "displayText": "Coffee"}]})
            body["number"] = data["sender"]["jid"]
            call("POST", f"/api/message/{kind}/cafe", body, TOKEN)

    def log_message(self, *_): pass


bot = ThreadingHTTPServer(("127.0.0.1", 0), Bot)
threading.Thread(target=bot.serve_forever, daemon=True).start()
told = queue.Queue()  # the changes of the simulator, as they come
stream = urllib.request.urlopen(BASE + "/_sim/api/changes", timeout=10)
threading.Thread(target=lambda: [told.put(json.loads(line[6:])) for line in stream if line[:6] == b"data: "], daemon=True).start()


def answer(ready):  # waits until a message of the bot is as wanted
    while True:
        messages = call("GET", "/_sim/api/instances/cafe/chats/5511987654321/messages")["messages"]
        if messages and messages[-1]["fromMe"] and ready(messages[-1]):
            return messages[-1]
        told.get(timeout=10)


play("instances", name="cafe")
play("instances/cafe/pair", phone="5511900000001")
call("POST", "/api/events/webhook/cafe", {"enabled": True, "url": f"http://127.0.0.1:{bot.server_port}"}, TOKEN)
play("instances/cafe/receive", **{"from": "5511987654321", "name": "Ana", "text": "Hello"})
button = answer(lambda m: m["kind"] == "buttons")["buttons"]["buttons"][0]
play("instances/cafe/receive", **{"from": "5511987654321", "answer": {"kind": "button", "id": button["id"]}})
assert answer(lambda m: m["kind"] == "text")["text"] == "One coffee is on its way"
assert not [r for r in call("GET", "/_sim/api/requests")["requests"] if r["violations"]]
assert all(d["status"] == 200 for d in call("GET", "/_sim/api/deliveries")["deliveries"])
play("reset")
assert call("GET", "/_sim/api/state")["instances"] == []
print("ok")
