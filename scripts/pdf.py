"""Build `_build/lnn-tutorial.pdf` with TeX, or say what to install.

python scripts/pdf.py
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / "_build" / "latex" / "lnn-tutorial.pdf"
PDF = ROOT / "_build" / "lnn-tutorial.pdf"

PROGRAMS = ["make", "latexmk", "xelatex", "makeindex", "kpsewhich"]
# One file for each of the packages below that the book needs besides the programs.
TEX_FILES = ["polyglossia.sty", "newunicodechar.sty", "FreeSerif.otf"]
INSTALL = """\
The PDF needs XeLaTeX. Install it:
  Debian, Ubuntu   apt-get install --no-install-recommends make latexmk texlive-xetex \\
                     texlive-latex-recommended texlive-latex-extra \\
                     texlive-fonts-recommended fonts-freefont-otf
  macOS            brew install --cask mactex-no-gui   (Homebrew; has everything)
  elsewhere        https://tug.org/texlive, the full scheme
Missing here: """


def main():
    if names := missing():
        return INSTALL + ", ".join(names)
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [jupyter_book, "build", ROOT, "-W", "-n", "--keep-going", "--builder", "pdflatex"]
    print("Building the PDF takes some minutes.", flush=True)
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if run.returncode:
        log = run.stdout.decode(errors="replace").splitlines()
        return "\n".join(
            [*log[-60:], "", f"The PDF was not built. TeX's log lies in {BUILT.parent}"]
        )
    shutil.copyfile(BUILT, PDF)
    print(f"{PDF.relative_to(ROOT)}: {PDF.stat().st_size / 1e6:.1f} MB")


def missing():
    """The programs and TeX files that are not installed."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if "kpsewhich" in absent:
        return absent
    return absent + [name for name in TEX_FILES if not found(name)]


def found(name):
    return subprocess.run(["kpsewhich", name], capture_output=True).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
