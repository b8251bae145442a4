#!/usr/bin/env bash
# Runs the GPU tests and benchmarks on this machine's CUDA device.
#   LightTts.Benchmarks/gpu/run.sh [--natives FOLDER] [--published FOLDER] [--out FOLDER] [tests|benchmarks|all]
# --natives    folder of a CUDA libtorch (default: LIGHTTTS_NATIVES, or torch/lib of python3's PyTorch)
# --published  folder with LightTts.Tests and LightTts.Benchmarks, published self-contained with -p:LightTtsBackend=external, for machines without the
#              .NET SDK (default: LIGHTTTS_PUBLISHED; otherwise both are built here)
# --out        where logs and figures go (default: a new temporary folder)
# The golden fixtures are looked for as in all tests: LIGHTTTS_GOLDEN and LIGHTTTS_VOICE; what is missing is skipped with a reason.
# LIGHTTTS_TEST_DEVICE=cpu rehearses everything without a GPU, with any libtorch.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
natives=${LIGHTTTS_NATIVES:-} published=${LIGHTTTS_PUBLISHED:-} out='' what=all
die() { echo "gpu/run.sh: $*" >&2; exit 2; }
while [ $# -gt 0 ]; do
  case $1 in
    --natives) natives=${2:?} && shift 2 ;;
    --published) published=${2:?} && shift 2 ;;
    --out) out=${2:?} && shift 2 ;;
    tests|benchmarks|all) what=$1 && shift ;;
    *) die "unknown argument '$1'; see the head of this file" ;;
  esac
done
device=${LIGHTTTS_TEST_DEVICE:-cuda}
[ -n "$out" ] || out=$(mktemp -d)
mkdir -p "$out" || die "cannot write to '$out'"

# What it runs on.
if [ -z "$natives" ]; then
  command -v python3 >/dev/null || die "no libtorch: name its folder with --natives (there is no python3 here whose PyTorch could be asked)"
  natives=$(python3 -c 'import os, importlib.util as u; print(os.path.join(os.path.dirname(u.find_spec("torch").origin), "lib"))' 2>/dev/null) \
    || die "no libtorch: python3 here has no PyTorch; install it, or name libtorch's folder with --natives"
fi
[ -e "$natives/libtorch_cpu.so" ] || die "'$natives' holds no libtorch_cpu.so"
if [ "$device" = cuda ]; then
  [ -e "$natives/libtorch_cuda.so" ] || die "'$natives' is a libtorch without CUDA (no libtorch_cuda.so)"
  command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || die "no NVIDIA driver: nvidia-smi is missing or fails"
fi
echo "libtorch: $natives$(cat "$natives/../version.py" 2>/dev/null | sed -n "s/^__version__ = '\(.*\)'/ (\1)/p")"

# The programs.
if [ -z "$published" ]; then
  command -v dotnet >/dev/null || die "no .NET SDK here: publish elsewhere and name the folder with --published (see README, GPU)"
  published=$out/app
  for project in Tests Benchmarks; do
    dotnet publish "$root/LightTts.$project" -c Release -p:LightTtsBackend=external --artifacts-path "$out/build" -o "$published" -v quiet --nologo || die "LightTts.$project does not build"
  done
fi
for program in Tests Benchmarks; do
  [ -x "$published/LightTts.$program" ] || die "'$published' holds no program LightTts.$program"
done
[ -d "$root/models/lighttts-tiny-en" ] || die "'$root' holds no models/lighttts-tiny-en: run this from a clone"
# Symbols that this libtorch lacks end the process when they are called; said beforehand, they have names.
LD_LIBRARY_PATH=$natives ldd -r "$published/libLibTorchSharp.so" 2>&1 | grep 'undefined symbol' | c++filt 2>/dev/null > "$out/undefined.txt"
[ ! -s "$out/undefined.txt" ] || { echo "TorchSharp asks for $(wc -l < "$out/undefined.txt") symbols that this libtorch lacks (undefined.txt):"; head -n 5 "$out/undefined.txt"; }

cd "$root" || exit 2
export LIGHTTTS_TEST_DEVICE=$device LIGHTTTS_NATIVES=$natives LIGHTTTS_ROOT=$root
passed=0 failed=0 skipped=0
count() { sed -nE "s/.* $1: *([0-9]+).*/\1/p" "$2" | tail -n 1; }
tests() {
  for class in GpuStreamTests GpuSecondCardTests GpuLanguageGraphTests GpuGoldenTests GpuCosyVoice2Tests GpuSpeechTests; do
    timeout "${LIGHTTTS_GPU_TIMEOUT:-900}" "$published/LightTts.Tests" -class "*.$class" -showliveoutput -noColor > "$out/$class.log" 2>&1
    code=$?
    grep -vE 'STARTING|FINISHED' "$out/$class.log" | cut -c1-400
    total=$(count Total "$out/$class.log") errors=$(count Errors "$out/$class.log") bad=$(count Failed "$out/$class.log") quiet=$(count Skipped "$out/$class.log")
    bad=$((${bad:-0} + ${errors:-0}))
    [ "$code" -eq 0 ] || [ "$bad" -gt 0 ] || { bad=1; echo "$class ended with code $code"; }
    failed=$((failed + bad)) skipped=$((skipped + ${quiet:-0}))
    good=$((${total:-0} - bad - ${quiet:-0}))
    [ "$good" -le 0 ] || passed=$((passed + good)) # a run that was cut off counts no test
  done
}
benchmark() {
  name=$1 && shift
  echo "== $*"
  if timeout "${LIGHTTTS_GPU_TIMEOUT:-900}" "$published/LightTts.Benchmarks" "$@" --device "$device" --natives "$natives" --model "$root/models/lighttts-tiny-en" --json "$out/$name.json" 2>&1 | tee "$out/$name.log"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1)) && echo "the benchmark failed"
  fi
}
[ "$what" = benchmarks ] || tests
if [ "$what" != tests ]; then
  for precision in float32 bfloat16; do
    benchmark "speak-$precision" speak --runs 5 --precision $precision
    benchmark "load-$precision" load --concurrency 1,4,16 --requests 3 --precision $precision
  done
fi
echo "logs: $out"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
