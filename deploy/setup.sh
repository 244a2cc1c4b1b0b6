#!/bin/sh
# Install what is missing: Debian packages by apt, Python packages into .venv.
# `setup.sh dev` adds what tests and lint need, `setup.sh bench` what benches do, `setup.sh cluster` Ray. Quick when all is in place.
set -eu
cd "$(dirname "$0")/.."
kind=${1:-run}

say() { echo "setup: $*" >&2; }

missing_packages() {
    command -v ffmpeg >/dev/null && command -v ffprobe >/dev/null || echo ffmpeg
    PATH="$PATH:/usr/sbin" command -v nginx >/dev/null || echo nginx
    [ -f /usr/lib/nginx/modules/ngx_rtmp_module.so ] || [ -f /usr/share/nginx/modules/ngx_rtmp_module.so ] ||
        echo libnginx-mod-rtmp
    [ -f /usr/share/fonts/truetype/roboto/unhinted/RobotoCondensed-Bold.ttf ] || echo fonts-roboto-unhinted
    [ -f /usr/share/fonts/truetype/noto/NotoSansDevanagari-Bold.ttf ] || echo fonts-noto-core
    PATH="$PATH:/usr/sbin:/sbin" ldconfig -p | grep -q 'libfribidi\.so\.0' || echo libfribidi0
    command -v curl >/dev/null || echo curl
    command -v setpriv >/dev/null || echo util-linux
    [ "$kind" != dev ] || command -v systemd-analyze >/dev/null || echo systemd
    python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3 python3-venv
    [ "$kind" != dev ] || has_browser || echo chromium
    [ "$kind" != bench ] || command -v cc >/dev/null || echo gcc libc6-dev
    [ "$kind" != bench ] || has_gstreamer || echo gstreamer1.0-tools gstreamer1.0-libav \
        gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly
}

# For the tests of the dashboard, which are left out without one. Ubuntu's is no package but a snap.
has_browser() {
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
        ! grep -qs '^ID=debian' /etc/os-release
}

# What the relay is compared with: RTMP from the bad plugins, x264 from the ugly ones, AAC from libav.
has_gstreamer() {
    command -v gst-launch-1.0 >/dev/null || return 1
    for element in rtmpsrc flvmux gdkpixbufoverlay x264enc avdec_h264; do
        gst-inspect-1.0 --exists $element || return 1
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Debian starts an nginx on port 80 as soon as it is installed. Nobody asked for
# one: it is held back while apt runs, and not enabled for the next boot.
policy=/usr/sbin/policy-rc.d
mark='# by setup.sh, for the time of one apt-get'

drop_policy() {
    if grep -qsF "$mark" $policy; then as_root rm -f $policy; fi
}

install_packages() {
    nginx_is_new=no
    if [ "$(dpkg-query -W -f '${db:Status-Status}' nginx 2>/dev/null)" != installed ]; then
        nginx_is_new=yes
        trap drop_policy EXIT
        trap 'exit 1' HUP INT TERM
        drop_policy
        if [ ! -e $policy ]; then
            printf '#!/bin/sh\n%s\nexit 101\n' "$mark" | as_root tee $policy >/dev/null
            as_root chmod 755 $policy
        fi
    fi
    as_root apt-get update -qq -o DPkg::Lock::Timeout=600
    # shellcheck disable=SC2086 # a list of names
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=600 $1 >/dev/null
    drop_policy
    if [ $nginx_is_new = yes ] && [ -d /run/systemd/system ]; then
        as_root systemctl disable --quiet --now nginx || say "could not disable the nginx service on port 80"
    fi
}

packages=$(missing_packages | tr '\n' ' ')
if [ -n "$packages" ]; then
    if ! command -v apt-get >/dev/null || { [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; }; then
        say "missing, and to be installed by an administrator: $packages"
        exit 1
    fi
    say "installing $packages"
    install_packages "$packages"
fi

requirements=requirements.txt
[ "$kind" = run ] || requirements=requirements-$kind.txt
stamp=.venv/$kind-$(cat requirements*.txt | cksum | cut -d ' ' -f 1)
if [ ! -f "$stamp" ] || ! .venv/bin/python -c 'import flask' 2>/dev/null; then
    say "installing Python packages into .venv"
    .venv/bin/python -m pip --version >/dev/null 2>&1 || python3 -m venv --clear .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r $requirements
    touch "$stamp"
fi
