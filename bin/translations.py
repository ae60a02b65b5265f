"""Compiled translations: every .po of the project into the .mo beside it."""

from pathlib import Path

from bin.steps import ROOT, VENV, Stamp, StepError, run, say


def compile_translations() -> None:
    """Compile the catalogues that changed since the last time.

    Raises: StepError when a catalogue is broken or compiles to nothing.
    """
    for folder in find_locales(ROOT):
        sources = sorted(folder.glob("*/LC_MESSAGES/*.po"))
        compiled = [source.with_suffix(".mo") for source in sources]
        stamp = Stamp(f"locale-{folder.parent.name}", inputs=sources, outputs=compiled)
        if stamp.is_fresh():
            continue
        for domain in sorted({source.stem for source in sources}):
            command: list[str | Path] = [
                VENV / "bin" / "pybabel",
                "--quiet",
                "compile",
                "--directory",
                folder,
                "--domain",
                domain,
            ]
            run(command, quiet=True)
        for target in compiled:
            if not target.exists():
                # Babel passes over a catalogue whose header is marked fuzzy without an error.
                raise StepError(
                    f"{target.with_suffix('.po').relative_to(ROOT)} was not compiled; is its header fuzzy?"
                )
        stamp.write()
        say(f"{folder.relative_to(ROOT)}: {len(compiled)} translations compiled.")


def find_locales(root: Path) -> list[Path]:
    """Return the locale folders of the project and of its applications that hold a catalogue, sorted."""
    return sorted(
        path
        for path in [*root.glob("locale"), *root.glob("*/locale")]
        if any(path.glob("*/LC_MESSAGES/*.po"))
    )


if __name__ == "__main__":
    compile_translations()
