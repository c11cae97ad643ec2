#!/usr/bin/env sh
# Resolve anew and write the exact pins to constraints.txt and pyproject.toml. Run from the project's root.
set -eu
python3 - <<'PY'
import pathlib, re, subprocess
project = pathlib.Path("pyproject.toml")
text = re.sub(r"\n\[tool\.uv\].*?\n\]\n", "\n", project.read_text(), flags=re.S)
project.write_text(text)
pathlib.Path("uv.lock").unlink(missing_ok=True)
export = ["uv", "export", "--no-hashes", "--no-emit-project", "--no-annotate", "--no-header", "--all-groups"]
lines = [l for l in subprocess.run(export, check=True, capture_output=True, text=True).stdout.splitlines() if l]
pathlib.Path("constraints.txt").write_text("\n".join(lines) + "\n")
quoted = "".join('  "%s",\n' % line.replace('"', "'") for line in lines)
note = "# The whole resolved set, exactly. Regenerate: sh .ci/pins.sh (the same list is constraints.txt for pip).\n"
project.write_text(text + "\n[tool.uv]\n" + note + "constraint-dependencies = [\n" + quoted + "]\n")
PY
