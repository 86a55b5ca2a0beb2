#!/bin/sh
# Agents on hosts of their own, in the namespaces of one machine: each has its network, its address, one cable to this host,
# and a clock that shows something else. Here are the broker, the server and the coordinator.
#
#   hosts.sh PROGRAM BROKER SCENARIO RESULT CUT
#
# CUT is the number of the host whose cable is cut as soon as all clients are connected, and mended after the run; 0 is none.
# Ends with 77 where the kernel lets nobody make such hosts. Whatever is started ends with this process, the first one of its
# namespace.
program=$1 broker=$2 scenario=$3 result=$4 cut=$5
here=10.77.0.1
out=$(dirname "$result")/out

host() { # NUMBER SECONDS: a host whose clock is so far ahead
    unshare --net sleep 1000 &
    host=$!
    until [ "$(readlink /proc/$host/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.02; done
    ip link add "to$1" type veth peer name eth0 netns $host || return
    ip addr add "10.77.$1.1/30" dev "to$1" && ip link set "to$1" up || return
    nsenter -t $host -n sh -ec "
        ip link set lo up
        ip addr add 10.77.$1.2/30 dev eth0
        ip link set eth0 up
        ip route add default via 10.77.$1.1" || return
    nsenter -t $host -n unshare --time --monotonic "$2" --fork --kill-child \
        "$program" agent --nats "nats://$here:4222" --name "host-$1" --workers 1 &
}

{ ip link set lo up && ip addr add $here/32 dev lo; } || exit 77
"$broker" -a $here -p 4222 >/dev/null 2>&1 &
"$program" serve --quiet --host $here --port 3000 &
until "$program" agents --nats "nats://$here:4222" >/dev/null 2>&1; do sleep 0.1; done
{ host 1 5 && host 2 70 && host 3 9000; } || exit 77

"$program" run "$scenario" --nats "nats://$here:4222" --agents 3 --url "http://$here:3000" --json "$result" >"$out" 2>&1 &
run=$!
if [ "$cut" != 0 ]; then
    until grep -q "30 of 30 connected" "$out" || ! kill -0 $run 2>/dev/null; do sleep 0.1; done
    ip link set "to$cut" down
fi
wait $run
code=$?
cat "$out"
if [ "$cut" != 0 ]; then
    ip link set "to$cut" up
    until "$program" agents --nats "nats://$here:4222" 2>/dev/null | grep "host-$cut .* waits"; do sleep 0.1; done
fi
exit $code
