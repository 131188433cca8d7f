"""The address of the repository stands in one place, and every other mention agrees with it."""

import re
import shutil
import subprocess

import pytest
import set_repository

ROOT = set_repository.ROOT
OTHER = "https://github.com/Some-Body/their.book-2"


@pytest.fixture
def copy(tmp_path):
    """The files that mention the address, an assignment, and a chapter with others' addresses."""
    (tmp_path / "chapters").mkdir()
    (tmp_path / "assignments/source/01_a").mkdir(parents=True)
    for name in ("_config.yml", *(name for name in set_repository.FORMS if "*" not in name)):
        shutil.copy(ROOT / name, tmp_path / name)
    address = set_repository.read_address()
    install = f'"    %pip install -q git+{address}\\n",\n'
    page = set_repository.rewrite("https://a.github.io/b/", [set_repository.SITE], address)
    (tmp_path / "assignments/source/01_a/01_a.ipynb").write_text(
        f'{install}"[Chapter 1]({page}chapters/01_a.html)"'
    )
    (tmp_path / "chapters/01_a.ipynb").write_text(
        f'{install}    "git clone {address}\\n",\n    "cd {address.split("/")[-1]}\\n",\n'
        f'"[CITATION.cff]({address}/blob/main/CITATION.cff) [Colab]'
        '(https://colab.research.google.com/github/OWNER/REPOSITORY/blob/main/a.ipynb)",\n'
        '"[code](https://github.com/MilesCranmer/lagrangian_nns/blob/main/README.md), "\n'
        '"[notes](https://greydanus.github.io/2020/03/10/lagrangian-nns/)"\n'
    )
    return tmp_path


def move(root, address):
    config = (root / "_config.yml").read_text()
    (root / "_config.yml").write_text(config.replace(set_repository.read_address(root), address))


def contents(root):
    return {path: path.read_text() for path in root.rglob("*.*") if path.is_file()}


def test_every_mention_agrees():
    assert set_repository.main(["--check"]) == 0, "run: python scripts/set_repository.py"


def test_a_change_reaches_every_mention(copy, capsys):
    old = set_repository.read_address(copy)
    move(copy, OTHER)
    before = contents(copy)
    assert set_repository.main(["--check"], copy) == 1
    assert contents(copy) == before, "--check wrote something"
    reported = capsys.readouterr().out
    for name in (
        "README.md",
        "CITATION.cff",
        "pyproject.toml",
        "chapters/01_a.ipynb",
        "assignments/source/01_a/01_a.ipynb",
    ):
        assert name in reported

    assert set_repository.main([], copy) == 0
    assert set_repository.main(["--check"], copy) == 0
    slug = "/".join(old.split("/")[-2:])
    for path, text in contents(copy).items():
        assert slug not in text, f"{path.name} still mentions {slug}"
        assert not re.search(rf"{slug.split('/')[0]}\.github\.io", text), path.name
    assert "https://some-body.github.io/their.book-2/" in (copy / "README.md").read_text()


def test_no_mention_is_forgotten():
    """Every file of the checkout follows a change; `_config.yml` holds the address itself."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is not a git checkout")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    owner, repo = set_repository.read_address().split("/")[-2:]
    written = rf"\b{owner}/{repo}\b|\b{owner}\.github\.io\b|\bcd {repo}\b"
    mention = re.compile(written, re.IGNORECASE)
    forms = {
        path: forms for glob, forms in set_repository.FORMS.items() for path in ROOT.glob(glob)
    }
    for path in (ROOT / name for name in names.split("\0") if name):
        if path.name == "_config.yml" or not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", errors="ignore")
        after = set_repository.rewrite(text, forms.get(path, []), OTHER)
        assert not mention.search(after), f"{path.relative_to(ROOT)} keeps the old address"


def test_others_addresses_stay(copy):
    move(copy, OTHER)
    set_repository.main([], copy)
    text = (copy / "chapters/01_a.ipynb").read_text()
    assert f"git+{OTHER}\\n" in text and '"cd their.book-2\\n"' in text
    assert "https://github.com/MilesCranmer/lagrangian_nns/blob/main/README.md" in text
    assert "https://greydanus.github.io/2020/03/10/lagrangian-nns/" in text


def test_there_and_back_changes_no_byte(copy):
    before, old = contents(copy), set_repository.read_address(copy)
    for address in (OTHER, old):
        move(copy, address)
        set_repository.main([], copy)
    assert contents(copy) == before


def test_a_user_site_has_no_folder():
    forms = [set_repository.SITE]
    for page in ("https://a.github.io/b/", "https://a.github.io/"):
        text = set_repository.rewrite(page, forms, "https://github.com/Cc/cc.github.io")
        assert text == "https://cc.github.io/"


@pytest.mark.parametrize("address", ["", "https://example.org/a/b", "https://github.com/a/b/"])
def test_a_malformed_address_is_refused(copy, address):
    move(copy, f"'{address}'")
    with pytest.raises(ValueError, match="OWNER/REPO"):
        set_repository.main([], copy)
