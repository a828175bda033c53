#!/bin/bash
# Runs inside the machine that scripts/prove-package boots. Prints "ok …" or "not ok …" a line.
failed=0
check() { # check TEXT COMMAND...
    local text=$1
    shift
    if "$@" >/tmp/out 2>&1; then echo "ok $text"; else
        echo "not ok $text"
        sed 's/^/# /' /tmp/out
        failed=1
    fi
}
# within SECONDS COMMAND...
within() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $until ] || return 1
        sleep 0.2
    done
}
active() { systemctl is-active --quiet doorward; }
pid() { systemctl show -P MainPID doorward; }
status_line() { grep -P "^$1:\t$2\$" "/proc/$(pid)/status"; }
restarted() { [ "$(systemctl show -P NRestarts doorward)" -ge 1 ] && active; }
# inside COMMAND: from inside the gateway's own sandbox, as a line before ExecStart. No single quotes in it.
inside() {
    mkdir -p /run/systemd/system/doorward.service.d
    printf "[Service]\nExecStartPre=/bin/sh -c '%s'\n" "$1" >/run/systemd/system/doorward.service.d/inside.conf
    systemctl daemon-reload
    systemctl restart doorward
    local status=$?
    [ $status = 0 ] || journalctl --no-pager -o cat -n 20 -u doorward
    rm -r /run/systemd/system/doorward.service.d
    systemctl daemon-reload
    return $status
}
# What a time client does when it has the time: adjtimex with ADJ_MAXERROR, ADJ_ESTERROR and ADJ_STATUS, no STA_UNSYNC.
synchronise() { perl -e '$b = pack("L x4 q4 l x4 x160", 0x1c, 0, 0, 1000, 1000, 0); syscall(159, $b) >= 0 or die $!'; }

check 'it installs' dpkg -i /doorward.deb
check 'it starts and says that it is ready' within 30 active
check 'it runs as its own user' test "$(stat -c %U "/proc/$(pid)")" = doorward
check 'system calls are filtered' status_line Seccomp 2
check 'it has no capabilities and gets none' status_line CapBnd 0000000000000000
check 'only it and root read its state' test "$(stat -c %a:%U /var/lib/doorward)" = 750:doorward
check 'its configuration is closed to others' test "$(stat -c %a:%U:%G /etc/doorward/doorward.toml)" = 640:root:doorward
check 'serial ports are open to it, disks, secrets and programs are not' inside \
    'timeout 5 sh -c ": <>/dev/ttyS1" && ! head -c1 /dev/vda && ! head -c1 /etc/shadow && ! touch /usr/x'
check 'an unsynchronised clock is not called synchronised' test ! -e /run/doorward-clock/synchronised
check 'the clock is synchronised' synchronise
check 'that is noticed' within 60 test -e /run/doorward-clock/synchronised
check 'the gateway can see it' inside 'test -e /run/doorward-clock/synchronised'
ring=$(stat -c %i /run/doorward)
check 'it can be killed' sh -c "kill -KILL $(pid)"
check 'it is back and ready' within 30 restarted
check 'the runtime directory survived' test "$(stat -c %i /run/doorward)" = "$ring"
check 'it stops' systemctl stop doorward
check 'the runtime directory survived the stop' test "$(stat -c %i /run/doorward)" = "$ring"
check 'it starts again' systemctl start doorward
echo kept >/var/lib/doorward/kept
check 'it can be removed' dpkg -r doorward
check 'it is stopped then' sh -c '! ls -l /proc/[0-9]*/exe 2>/dev/null | grep -q /usr/bin/doorward'
check 'data are left' test -s /var/lib/doorward/kept
check 'the configuration is left' test -s /etc/doorward/doorward.toml
check 'it installs again' dpkg -i /doorward.deb
check 'and runs on the data it left' within 30 active
check 'an upgrade in place keeps it running' dpkg -i /doorward.deb
check 'it is running' within 30 active
check 'it can be purged' dpkg -P doorward
check 'a purge deletes the data' test ! -e /var/lib/doorward
journalctl --no-pager -o cat -u doorward -u doorward-clock | tail -n 40 | sed 's/^/# /'
[ $failed = 0 ] && echo 'ok all'
sync
