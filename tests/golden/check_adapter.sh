#!/usr/bin/env bash
# Runs check_adapter.py in a Python environment of its own (.cache/python, made on the first call).
#   tests/golden/check_adapter.sh --model DIR --adapter DIR --probe FILE
#   tests/golden/check_adapter.sh              shows that the check itself can pass and fail
# Exit: 0 passed, 1 failed, 2 bad arguments or files, 77 not run because Python or a package is not to be had.
set -u
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
env="${TABTUNE_PYTHON_ENV:-$here/../../.cache/python}"
log="$env.log"
requirements="$here/requirements.txt"

not_run() {
  {
    echo
    echo "################################################################"
    echo "  PEFT CHECK NOT RUN: $1"
    echo "  Nothing was verified with real PEFT. Details: $log"
    echo "################################################################"
    echo
  } >&2
  exit 77
}

python="${PYTHON:-python3}"
mkdir -p "$(dirname "$env")"
: >"$log"
command -v "$python" >/dev/null || not_run "there is no $python on the PATH"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || not_run "$("$python" --version 2>&1) is older than 3.10"

# The stamp holds the requirements that were installed: a changed file makes a new environment.
if ! cmp -s "$requirements" "$env/installed.txt"; then
  rm -rf "$env"
  echo "Making the Python environment in $env (once; about 1 GB)" >&2
  "$python" -m venv "$env" >>"$log" 2>&1 || not_run "$python cannot make a virtual environment (python3-venv missing?)"
  pip() { "$env/bin/python" -m pip --disable-pip-version-check install --no-input --retries 1 --timeout 60 "$@" >>"$log" 2>&1; }
  # torch first and alone: the extra index has builds without CUDA, which pip prefers (+cpu sorts higher) and which are ten
  # times smaller. Where that index does not answer, pip takes the usual build.
  torch="$(grep -E '^torch==' "$requirements")"
  pip "$torch" --extra-index-url https://download.pytorch.org/whl/cpu || pip "$torch" || not_run "$torch cannot be installed"
  pip -r "$requirements" || not_run "the packages of requirements.txt cannot be installed"
  "$env/bin/python" -c 'import torch, transformers, peft, onnx' >>"$log" 2>&1 || not_run "the installed packages cannot be imported"
  cp "$requirements" "$env/installed.txt"
fi

export HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error HF_HUB_DISABLE_PROGRESS_BARS=1 TOKENIZERS_PARALLELISM=false
if [ "$#" -eq 0 ]; then
  exec "$env/bin/python" "$here/check_adapter_test.py"
fi
exec "$env/bin/python" "$here/check_adapter.py" "$@"
