"""Write the address of the repository wherever it is needed.

The address stands in one place, `repository.url` of `_config.yml`. After a change there:

    python scripts/set_repository.py            write it everywhere else
    python scripts/set_repository.py --check    write nothing; name the files that disagree
"""

import argparse
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent

NAME = r"[\w.-]*\w"
GITHUB = rf"https://github\.com/{NAME}/{NAME}"
PAGES = rf"https://{NAME}\.github\.io/(?:{NAME}/)?"

# Each form: what stands before, the address (its kind and pattern), what follows. A link to
# somebody else's repository has none of these forms.
INSTALL = (r"git\+", "url", GITHUB, "")
CLONE = (r"git clone ", "url", GITHUB, "")
# In a notebook each line is a string of its own.
FOLDER = (rf'git clone {GITHUB}(?:\n|\\n",\n *")cd ', "repo", NAME, r"\\n|\n")
COLAB = (r"colab\.research\.google\.com/github/", "slug", f"{NAME}/{NAME}", r"/blob/")
TREE = ("", "url", GITHUB, r"/(?:issues|actions/workflows|blob/main|tree/main)\b")
CITATION = ("", "url", GITHUB, r"/blob/main/CITATION\.cff\b")
SITE = ("", "pages", PAGES, "")
PAGE = ("", "pages", PAGES, r"chapters/\w+\.html\b")

FORMS = {
    "README.md": [INSTALL, CLONE, FOLDER, COLAB, TREE, SITE],
    "CONTRIBUTING.md": [INSTALL, CLONE, FOLDER, TREE],
    "CITATION.cff": [(r'repository-code: "', "url", GITHUB, ""), SITE],
    "pyproject.toml": [(r'Repository = "', "url", GITHUB, ""), TREE, SITE],
    "_config.yml": [(r"(?:html_baseurl|ogp_site_url): ", "pages", PAGES, "")],
    "chapters/*.md": [INSTALL, CLONE, FOLDER, CITATION, PAGE],
    "chapters/*.ipynb": [INSTALL, CLONE, FOLDER, CITATION, PAGE],
    "assignments/source/*/*.ipynb": [INSTALL, CITATION, PAGE],
}


def main(arguments=None, root=ROOT):
    parser = argparse.ArgumentParser(description="Write the address of the repository everywhere.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail on a difference")
    options = parser.parse_args(arguments)

    address = read_address(root)
    differing = []
    for pattern, forms in FORMS.items():
        for path in sorted(root.glob(pattern)):
            before = path.read_text(encoding="utf-8")
            after = rewrite(before, forms, address)
            if after != before:
                differing.append(path.relative_to(root).as_posix())
                if not options.check:
                    path.write_text(after, encoding="utf-8", newline="\n")
    verb = "Another address than" if options.check else "Rewritten for"
    print(f"{verb} {address}: {', '.join(differing) or 'no file'}")
    return 1 if options.check and differing else 0


def read_address(root=ROOT):
    """The one address, from `_config.yml`."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    address = config["repository"]["url"]
    if not re.fullmatch(GITHUB, address):
        raise ValueError(f"_config.yml: expected https://github.com/OWNER/REPO, got {address!r}")
    return address


def rewrite(text, forms, address):
    """`text` with the address in each of the forms."""
    owner, repo = address.split("/")[-2:]
    host = f"{owner.lower()}.github.io"
    values = {
        "url": address,
        "slug": f"{owner}/{repo}",
        "repo": repo,
        "pages": f"https://{host}/" if repo.lower() == host else f"https://{host}/{repo}/",
    }
    for before, kind, pattern, after in forms:
        text = re.sub(rf"({before}){pattern}(?={after})", rf"\g<1>{values[kind]}", text)
    return text


if __name__ == "__main__":
    sys.exit(main())
