"""What MkDocs must be told so that it reads the pages as GitHub does."""

import os
import re
import unicodedata

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
REPOSITORY = "https://github.com/ryzeapi/ryze-go/blob/main/"

# The order of the guides. A page that is not named comes after them.
ORDER = """README tokens sending numbers media receiving outbox quota errors settling testing processes production
observability security migrating troubleshooting versions service-notes operations architecture""".split()


def anchor(title, _separator):
    """The name by which GitHub links to a heading."""
    kept = (c for c in title.lower() if c in "-_ " or unicodedata.category(c)[0] in "LNM")
    return "".join(kept).replace(" ", "-")


def on_config(config):
    config["mdx_configs"].setdefault("toc", {})["slugify"] = anchor
    config["nav"] = [
        {"English": pages(config["docs_dir"], "")},
        {"Português": pages(config["docs_dir"], "pt-BR/")},
    ]
    return config


def pages(docs, folder):
    names = [n[:-3] for n in os.listdir(os.path.join(docs, folder)) if n.endswith(".md")]
    names.sort(key=lambda n: (ORDER.index(n) if n in ORDER else len(ORDER), n))
    return [folder + n + ".md" for n in names]


def on_page_markdown(markdown, page, config, files):
    """Links that leave docs/ lead to the repository."""
    here = os.path.dirname(os.path.join(config["docs_dir"], page.file.src_path))

    def outside(match):
        path = os.path.normpath(os.path.join(here, match[2]))
        if not os.path.relpath(path, config["docs_dir"]).startswith(".."):
            return match[0]
        return match[1] + REPOSITORY + os.path.relpath(path, ROOT).replace(os.sep, "/") + match[3]

    return re.sub(r"""(\]\(|(?:href|src)=")(\.\.?/[^)#"\s]*)([^)"\s]*(?:\)|"))""", outside, markdown)
