#!/usr/bin/env bash
# Fetches freely licensed photographs for "linesight encoder distill --photos" out of Debian packages: apt-get download (no installation, no
# dependencies, no root), unpacked to FOLDER/<package>. Notes name, version and licences of every package in FOLDER/LICENCES.tsv.
# Usage: trainer/distill-photos.sh FOLDER [PACKAGE...]
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { echo "apt-get and dpkg-deb are needed: run this on Debian or Ubuntu" >&2; exit 1; }
folder="$1"; shift
packages=("$@")
[ ${#packages[@]} -gt 0 ] || packages=(plasma-workspace-wallpapers mate-backgrounds ukui-wallpapers lomiri-wallpapers-16.04 lomiri-wallpapers-20.04
  tuxpaint-stamps-default megaglest-data warzone2100-data trigger-rally-data colobot-common-textures ufoai-textures)
mkdir -p "$folder"
folder="$(cd "$folder" && pwd)"
for package in "${packages[@]}"; do
  if [ -d "$folder/$package" ]; then echo "$package: already there"; continue; fi
  temporary="$(mktemp -d "$folder/.fetch.XXXXXX")"
  trap 'rm -rf "$temporary"' EXIT
  if ! (cd "$temporary" && apt-get download -q "$package" >/dev/null); then
    echo "$package: not in this system's package lists; left out" >&2
    rm -rf "$temporary"
    continue
  fi
  deb="$(ls "$temporary"/*.deb)"
  version="$(dpkg-deb -f "$deb" Version)"
  dpkg-deb -x "$deb" "$temporary/root"
  copyright="$(find "$temporary/root/usr/share/doc/$package" -name 'copyright*' 2>/dev/null | head -n 1)"
  licences="$([ -n "$copyright" ] && sed -n 's/^License: *//p' "$copyright" | sort -u | paste -sd ';' || true)"
  mv "$temporary/root" "$folder/$package"
  printf '%s\t%s\t%s\n' "$package" "$version" "${licences:-see usr/share/doc/$package/copyright}" >>"$folder/LICENCES.tsv"
  rm -rf "$temporary"
  echo "$package $version: $(find "$folder/$package" \( -iname '*.jpg' -o -iname '*.jpeg' -o -iname '*.png' \) | wc -l) pictures"
done
