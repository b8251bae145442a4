#!/bin/sh
# Packs the NuGet packages (and their symbols) into a folder, which then serves as a package source.
#   ./pack.sh [--tool] FEED [VERSION]
# --tool  the speak command, too, as a .NET tool; with libtorch and the voice in it for the system that packs it: 360 MB.
set -eu
tool=
if [ "${1:-}" = --tool ]; then
  tool=LightTts.Samples/Speak
  shift
fi
if [ $# -lt 1 ] || [ $# -gt 2 ]; then
  echo "usage: pack.sh [--tool] FEED [VERSION]" >&2
  exit 2
fi
root=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
feed=$(cd "$1" && pwd)
version=${2:+-p:Version=$2}
# Built apart from the working tree, so that nothing stale gets in and nothing that runs from it is replaced.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for project in LightTts.Core LightTts.Extensions models/LightTts.Models.TinyEn LightTts.Samples/Templates $tool; do
  # shellcheck disable=SC2086 # no version is no argument
  dotnet pack "$root/$project" --configuration Release --output "$feed" --artifacts-path "$work" --verbosity quiet --nologo -p:ContinuousIntegrationBuild=true $version
done
ls "$feed"
