#!/usr/bin/env bash
# Runs the GPU tests and benchmarks on this machine's CUDA device.
#   LightTts.Benchmarks/gpu/run.sh [--natives FOLDER] [--published FOLDER] [--out FOLDER] [--results FILE] [--fullsize FOLDER] [WHAT...]
# WHAT         tests, heard, stages, speak, load; benchmarks (the last three); all (the default). heard: 40 sentences of two voices, all at once, read
#              back (LIGHTTTS_HEARD_VOICES); the clips are kept in --out's heard, where LIGHTTTS_HEARD_CLIPS lets a machine with pocketsphinx hear them
# --natives    folder of a CUDA libtorch (default: LIGHTTTS_NATIVES, or torch/lib of python3's PyTorch)
# --published  folder with LightTts.Tests and LightTts.Benchmarks, published self-contained with -p:LightTtsBackend=external, for machines without the
#              .NET SDK (default: LIGHTTTS_PUBLISHED; otherwise both are built here). With -p:LightTtsOnnxRuntime=gpu ONNX Runtime's CUDA provider is
#              tested, too; CUDA and cuDNN are those of the PyTorch install
# --out        where logs and figures go (default: a new temporary folder)
# --results    the figures, one flat JSON object to which each step adds its own (default: results/gpu.json in the clone); those of the embedded
#              voice begin with tiny_ (float32) and tiny_bf16_
# --fullsize   a model directory of full size with random weights; made there where it is missing (default: fullsize in --out), by gpu/fullsize.py,
#              which needs python3 with PyTorch and the golden fixtures; without it, only the embedded voice is measured
# LIGHTTTS_GPU_TIMEOUT: seconds that each step may take (default 900). LIGHTTTS_GPU_SECONDS: of each paced load (default 30).
# The golden fixtures are looked for as in all tests: LIGHTTTS_GOLDEN and LIGHTTTS_VOICE; what is missing is skipped with a reason.
# LIGHTTTS_TEST_DEVICE=cpu rehearses everything without a GPU, with any libtorch.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
natives=${LIGHTTTS_NATIVES:-} published=${LIGHTTTS_PUBLISHED:-} out='' results='' fullsize='' what=''
die() { echo "gpu/run.sh: $*" >&2; exit 2; }
while [ $# -gt 0 ]; do
  case $1 in
    --natives) natives=${2:?} && shift 2 ;;
    --published) published=${2:?} && shift 2 ;;
    --out) out=${2:?} && shift 2 ;;
    --results) results=${2:?} && shift 2 ;;
    --fullsize) fullsize=${2:?} && shift 2 ;;
    tests|heard|stages|speak|load) what="$what $1" && shift ;;
    benchmarks) what="$what stages speak load" && shift ;;
    all) what="$what tests heard stages speak load" && shift ;;
    *) die "unknown argument '$1'; see the head of this file" ;;
  esac
done
what=${what:-tests heard stages speak load}
wants() { case " $what " in *" $1 "*) ;; *) false ;; esac; }
device=${LIGHTTTS_TEST_DEVICE:-cuda}
cards=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | wc -l)
[ -n "$out" ] || out=$(mktemp -d)
mkdir -p "$out" || die "cannot write to '$out'"
results=${results:-$root/results/gpu.json}
mkdir -p "$(dirname "$results")" && results=$(cd "$(dirname "$results")" && pwd)/$(basename "$results") || die "cannot write to '$results'"

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

# What ONNX Runtime's CUDA provider is linked with, of wheels beside PyTorch's.
for lib in "$natives"/../../nvidia/*/lib; do [ ! -d "$lib" ] || LD_LIBRARY_PATH=$(cd "$lib" && pwd):${LD_LIBRARY_PATH:-}; done
export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-}

cd "$root" || exit 2
export LIGHTTTS_TEST_DEVICE=$device LIGHTTTS_NATIVES=$natives LIGHTTTS_ROOT=$root
passed=0 failed=0 skipped=0
count() { sed -nE "s/.* $1: *([0-9]+).*/\1/p" "$2" | tail -n 1; }
# one CLASS [VARIABLE=VALUE...]: runs a class of tests, shows it and counts it.
one() {
  local class=$1 code total errors bad quiet good && shift
  env "$@" timeout "${LIGHTTTS_GPU_TIMEOUT:-900}" "$published/LightTts.Tests" -class "*.$class" -showliveoutput -noColor > "$out/$class.log" 2>&1
  code=$?
  grep -vE 'STARTING|FINISHED' "$out/$class.log" | cut -c1-400
  total=$(count Total "$out/$class.log") errors=$(count Errors "$out/$class.log") bad=$(count Failed "$out/$class.log") quiet=$(count Skipped "$out/$class.log")
  bad=$((${bad:-0} + ${errors:-0}))
  [ "$code" -eq 0 ] || [ "$bad" -gt 0 ] || { bad=1; echo "$class ended with code $code"; }
  failed=$((failed + bad)) skipped=$((skipped + ${quiet:-0}))
  good=$((${total:-0} - bad - ${quiet:-0}))
  [ "$good" -le 0 ] || passed=$((passed + good)) # a run that was cut off counts no test
}
tests() {
  for file in LightTts.Tests/Gpu/Gpu*Tests.cs; do
    one "$(basename "$file" .cs)"
  done
}
# benchmark NAME MODEL ARGUMENTS...
benchmark() {
  local name=$1 model=$2 && shift 2
  echo "== $name: $*"
  if timeout "${LIGHTTTS_GPU_TIMEOUT:-900}" "$published/LightTts.Benchmarks" "$@" --device "$device" --natives "$natives" --model "$model" 2>&1 | tee "$out/$name.log"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1)) && echo "the benchmark failed"
  fi
}
# Everything that is measured of a model: measure NAME MODEL PREFIX PRECISION [OPTIONS of speak and load]
measure() {
  local name=$1 model=$2 prefix=$3 precision=$4 && shift 4
  ! wants stages || benchmark "stages-$name" "$model" stages --precision "$precision" --seconds "$stage_seconds" --json "$results" --prefix "$prefix"
  ! wants speak || benchmark "speak-$name" "$model" speak --runs 5 --precision "$precision" --json "$out/speak-$name.json" --results "$results" --prefix "$prefix" "$@"
  wants load || return 0
  benchmark "load-$name" "$model" load --concurrency "$closed" --requests 3 --precision "$precision" --json "$out/load-$name.json" --results "$results" --prefix "$prefix" "$@"
  benchmark "paced-$name" "$model" load --paced "$paced" --poisson "$poisson" --max-listeners "$most" --seconds "${LIGHTTTS_GPU_SECONDS:-$seconds}" --ramp "$ramp" \
    --precision "$precision" --json "$out/paced-$name.json" --results "$results" --prefix "$prefix" "$@"
  # Two cards as one pipeline against one card, where there are two.
  [ "$device" = cuda ] && [ "$cards" -ge 2 ] || return 0
  local device=cuda:0,cuda:1
  benchmark "load-$name-two-cards" "$model" load --concurrency 64,128 --requests 3 --precision "$precision" --json "$out/load-$name-two-cards.json" --results "$results" \
    --prefix "${prefix}two_cards_" "$@"
}
if [ "$device" = cpu ]; then # a rehearsal
  stage_seconds=0.2 closed=1,2 paced=1 poisson=0.1 most=2 seconds=20 ramp=1
else
  stage_seconds=2 closed=1,8,32,64 paced=1,8,64 poisson=2,6 most=512 seconds=30 ramp=12
fi

! wants tests || tests
! wants heard || one HeardTests LIGHTTTS_FULL=$([ "$device" = cpu ] || echo 1) LIGHTTTS_HEARD_DEVICE="$device" LIGHTTTS_HEARD_VOICES="${LIGHTTTS_HEARD_VOICES:-slt,rms}" LIGHTTTS_HEARD_CLIPS="$out/heard"
if wants stages || wants speak || wants load; then
  # The full-size model, made where it is missing.
  manifest=${LIGHTTTS_GOLDEN:-$root/shared/golden}/fullsize/manifest_cosyvoice3.json
  if [ -z "$fullsize" ] && [ "$device" = cpu ]; then
    echo "full size: left out on the CPU, unless a folder is named with --fullsize"
  elif [ -z "$fullsize" ] || [ ! -e "$fullsize/cosyvoice3.yaml" ]; then
    fullsize=${fullsize:-$out/fullsize}
    if ! python3 -c 'import torch' 2>/dev/null; then
      echo "full size: left out, python3 here has no PyTorch to make the weights with; name a folder that has them with --fullsize" && fullsize=''
    elif [ ! -e "$manifest" ]; then
      echo "full size: left out, there is no '$manifest'; set LIGHTTTS_GOLDEN" && fullsize=''
    elif ! timeout "${LIGHTTTS_GPU_TIMEOUT:-900}" python3 LightTts.Benchmarks/gpu/fullsize.py models/lighttts-tiny-en "$manifest" "$fullsize"; then
      echo "full size: the weights could not be made" && fullsize='' failed=$((failed + 1))
    fi
  fi
  # Ten seconds of speech from every request, whatever the random weights say.
  [ -z "$fullsize" ] || measure fullsize "$fullsize" '' bfloat16 --speech-tokens 250
  measure tiny "$root/models/lighttts-tiny-en" tiny_ float32
  [ "$device" = cpu ] || measure tiny-bf16 "$root/models/lighttts-tiny-en" tiny_bf16_ bfloat16
  [ ! -e "$results" ] || { echo "figures: $results"; cat "$results"; }
fi
echo "logs: $out"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
