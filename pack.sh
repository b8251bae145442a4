#!/bin/sh
# Packs the NuGet packages (and their symbols) into a folder, which then serves as a package source.
#   ./pack.sh FEED [VERSION]
# With LIGHTTTS_PACK_TOOL=1 the speak command, too, as a .NET tool for linux-x64 (200 MB: it brings libtorch).
set -eu
if [ $# -lt 1 ] || [ $# -gt 2 ]; then
  echo "usage: pack.sh FEED [VERSION]" >&2
  exit 2
fi
root=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
feed=$(cd "$1" && pwd)
version=${2:+-p:Version=$2}
# Built apart from the working tree, so that nothing stale gets in and nothing that runs from it is replaced.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for project in LightTts.Core LightTts.Extensions models/LightTts.Models.TinyEn; do
  # shellcheck disable=SC2086 # no version is no argument
  dotnet pack "$root/$project" --configuration Release --output "$feed" --artifacts-path "$work" --verbosity quiet --nologo -p:ContinuousIntegrationBuild=true $version
done
if [ "${LIGHTTTS_PACK_TOOL:-}" = 1 ]; then
  # shellcheck disable=SC2086
  dotnet pack "$root/LightTts.Samples/Speak" --configuration Release --output "$feed" --artifacts-path "$work" --verbosity quiet --nologo \
    -p:RuntimeIdentifier=linux-x64 -p:SelfContained=false -p:UseAppHost=false -p:ContinuousIntegrationBuild=true $version
fi
ls "$feed"
