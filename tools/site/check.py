"""Reads the site that was built: do links lead somewhere, does a search find the page?"""

import json
import os
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from lunr import lunr

SITE = sys.argv[1]

# What a reader types, and the page that answers. One that is not written yet is
# left out.
SEARCHES = {
    "LID": "numbers.html",
    "nono dígito": "pt-BR/numbers.html",
    "dead letter": "receiving.html",
    "fila de mensagens mortas": "pt-BR/receiving.html",
    "429": "quota.html",
    "limite de requisições": "pt-BR/quota.html",
    "webhook": "receiving.html",
    "ErrOutcomeUnknown": "settling.html",
    "rate class": "operations.html",
    "classe de limite": "pt-BR/operations.html",
    "endpoint more": "architecture.html",
}
FIRST = 5  # the page is among so many results


class Page(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.links, self.ids, self.faults, self.code = [], set(), [], 0
        with open(os.path.join(SITE, path), encoding="utf-8") as file:
            self.feed(file.read())

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.code += tag in ("code", "pre", "script")
        self.ids.update(v for k, v in attrs.items() if k in ("id", "name") and v)
        self.links += [v for k, v in attrs.items() if k in ("href", "src") and v]

    def handle_endtag(self, tag):
        self.code -= tag in ("code", "pre", "script")

    def handle_data(self, data):
        if self.code:
            return
        # What GitHub reads as Markdown and MkDocs does not.
        for line in data.splitlines():
            if line.startswith(("- ", "* ", "1. ", "| ", "```", "## ")) or "](" in line or "**" in line:
                self.faults.append("is not read as Markdown: " + line)


def main():
    faults = []
    pages = {}
    for folder, _, names in os.walk(SITE):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), SITE)
            if name.endswith(".html") and name != "404.html":
                pages[path] = Page(path)
    for path, page in pages.items():
        faults += [f"{path}: {fault}" for fault in page.faults]
        for link in page.links:
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            to = os.path.normpath(os.path.join(os.path.dirname(path), unquote(url.path))) if url.path else path
            if not os.path.exists(os.path.join(SITE, to)):
                faults.append(f"{path}: the link {link} leads nowhere")
            elif url.fragment and to in pages and unquote(url.fragment) not in pages[to].ids:
                faults.append(f"{path}: the link {link} has no such heading")

    with open(os.path.join(SITE, "search", "search_index.json"), encoding="utf-8") as file:
        docs = json.load(file)["docs"]
    index = lunr(ref="location", fields=[{"field_name": "title", "boost": 10}, "text"], documents=docs)
    done = 0
    for words, page in SEARCHES.items():
        if page not in pages:
            continue
        done += 1
        found = []
        for result in index.search(" ".join("+" + word for word in words.split())):
            to = result["ref"].split("#")[0]
            if to not in found:
                found.append(to)
        if page not in found[:FIRST]:
            faults.append(f"a search for {words!r} finds {found[:FIRST]}, not {page}")
    for fault in faults:
        print("site:", fault, file=sys.stderr)
    print(f"site: {len(pages)} pages, {done} searches, {len(faults)} faults")
    sys.exit(bool(faults) or not done)


main()
