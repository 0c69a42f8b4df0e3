"""What MkDocs must be told so that it reads the pages as GitHub does."""

import glob
import os
import re
import shutil
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


def on_files(files, config):
    """The code of the guides is beside them, and is none of the site."""
    for file in list(files):
        if is_code(file.src_path):
            files.remove(file)
    return files


def is_code(path):
    return path.endswith((".go", ".mod"))


def on_page_markdown(markdown, page, config, files):
    """Links that leave the site lead to the repository."""
    here = os.path.dirname(os.path.join(config["docs_dir"], page.file.src_path))

    def outside(match):
        path = os.path.normpath(os.path.join(here, match[2]))
        if not os.path.relpath(path, config["docs_dir"]).startswith("..") and not is_code(path):
            return match[0]
        return match[1] + REPOSITORY + os.path.relpath(path, ROOT).replace(os.sep, "/") + match[3]

    return re.sub(r"""(\]\(|(?:href|src)=")(?![a-zA-Z][a-zA-Z0-9+.-]*:)([^)#"\s]+)([^)"\s]*(?:\)|"))""", outside, markdown)


def on_post_build(config):
    """Debian's package has another jQuery than its pages name."""
    js = os.path.join(config["site_dir"], "js")
    named = os.path.join(js, "jquery-3.6.0.min.js")
    has = glob.glob(os.path.join(js, "jquery-*.min.js"))
    if not os.path.exists(named) and has:
        shutil.copyfile(has[0], named)
