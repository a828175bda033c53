#!/bin/busybox sh
# Process 1 of the machine that scripts/smoke-arm64 boots. Prints "ok …" or "not ok …" a line.
/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts && mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /run
mkdir -p /run/doorward /var/lib/doorward
ip link set lo up
failed=0
check() { # check TEXT COMMAND...
    text=$1
    shift
    if "$@" >/tmp/out 2>&1; then echo "ok $text"; else
        echo "not ok $text"
        sed 's/^/# /' /tmp/out
        failed=1
    fi
}
within() { # within SECONDS COMMAND...
    left=$1
    shift
    until "$@"; do
        [ "$left" -gt 0 ] || return 1
        left=$((left - 1))
        sleep 1
    done
}
start() { doorward run >>/tmp/log 2>&1 & gateway=$!; }
# Faults stand (there is no serial port), so its status is 1; what matters is that the gateway answered.
reports() { doorward report --json >/tmp/report; grep -q '"site":"riverside"' /tmp/report; }
threads() { test "$(ls "/proc/$gateway/task" | wc -l)" -ge 4; }
journalled() { test "$(doorward events --json | wc -l)" -ge "$1"; }
killed() { kill -9 "$gateway" && ! wait "$gateway"; }
stopped() { kill -TERM "$gateway" && wait "$gateway"; }
explained() {
    doorward explain --json --credential uid:04A2B3C4D5E680 --door front-door >/tmp/explained
    grep -q '"Ada Ardley"' /tmp/explained
}

echo "# $(uname -srm)"
check 'it is a program of this machine' doorward --version
check 'it reads the configuration that is shipped' doorward check-config /etc/doorward/doorward.toml
start
check 'it runs and answers' within 60 reports
check 'its threads run' threads
check 'events are in the journal' within 20 journalled 1
check 'facts are in force, and a card is explained from them' within 20 explained
before=$(doorward events --json | wc -l)
check 'it can be killed' killed
start
check 'it is back' within 60 reports
check 'nothing is lost' within 20 journalled "$before"
check 'it ends when told' stopped
if doorward demo --help >/dev/null 2>&1; then
    check 'the demo plays: taps over ptys, the cloud away and back, every check-in once' doorward demo --seconds 20
fi
[ $failed = 0 ] || sed 's/^/# /' /tmp/log
[ $failed = 0 ] && echo 'ok all'
poweroff -f
