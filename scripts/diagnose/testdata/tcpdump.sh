#!/bin/bash
# Makes captures like tcpdump-*.pcap.gz again, in the current folder: sudo bash tcpdump.sh
# Everything is in namespaces that end with the script. It needs tcpdump, ip and python3.
set -e
[ "$1" = inside ] || exec unshare --net --mount --pid --fork --kill-child --mount-proc bash "$0" inside
mount -t tmpfs none /run # where ip keeps the names of namespaces

at() { ip netns exec "$@"; }
record() { # HOST NAME ARGUMENT...: for four more seconds
	at "$1" timeout --preserve-status 5 tcpdump -Z root -w "$2.pcap" "${@:3}" 2>/dev/null &
	recording=$!
	sleep 1
}
run() { # HOST PROGRAM: keeps its sockets open when it has come to its end
	at "$1" python3 -c "import contextlib, socket, time
def client(*address):
	c = socket.socket()
	c.settimeout(0.1)
	with contextlib.suppress(OSError): c.connect(address)
	return c
$2
time.sleep(99)" &
	sleep 0.3
}
hasty='ln = socket.create_server(("", 8081))
while True:
	c, _ = ln.accept()
	c.recv(100), time.sleep(0.05), c.send(b"HTTP/1.1 200 OK\r\n"), c.close()'
hurried='for _ in range(4):
	c = client("%s", 8081)
	c.send(20 * b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	with contextlib.suppress(OSError): c.recv(99), c.recv(99)'

for n in client bridge server; do
	ip netns add $n
	ip -n $n link set lo up
done
ip link add eth0 netns client type veth peer name eth1 netns bridge
ip link add eth0 netns server type veth peer name eth0 netns bridge
ip -n bridge link add br0 type bridge
for n in eth0 eth1 br0; do ip -n bridge link set $n up; done
for n in eth0 eth1; do ip -n bridge link set $n master br0; done
ip -n client address add 10.77.0.2/24 dev eth0
ip -n server address add 10.77.0.1/24 dev eth0
for n in client server; do ip -n $n link set eth0 up; done
ip -n client route add default via 10.77.0.1
at server sysctl -qw net.ipv4.tcp_abort_on_overflow=1 net.ipv4.ip_forward=1
ip -n server route add prohibit 10.99.0.0/16

# Seven are half-open, since the listener waits for their first byte, and five have room.
run server 'ln = socket.socket()
ln.setsockopt(socket.SOL_TCP, socket.TCP_DEFER_ACCEPT, 60)
ln.bind(("", 8080)), ln.listen(4)'
at server cat /proc/net/netstat /proc/net/snmp >tcpdump-any.before
record server tcpdump-any -i any tcp
run client 'all = [client("10.77.0.1", 8080) for _ in range(7)]
for c in all: c.send(b"x")'
wait $recording
at server cat /proc/net/netstat /proc/net/snmp >tcpdump-any.after

# The server answers and closes before it has read all.
run server "$hasty"
record bridge tcpdump-bridge -i any tcp
run client "${hurried/\%s/10.77.0.1}"
wait $recording
record server tcpdump-loopback -i lo tcp
run server "${hurried/\%s/127.0.0.1}"
wait $recording

# The listener is closed with a client in its queue, and three more knock.
record server tcpdump-54-bytes -i eth0 -s 54 tcp
run server 'ln = socket.create_server(("", 8086))
time.sleep(0.6)
ln.close()'
run client 'first = client("10.77.0.1", 8086)
time.sleep(0.6)
for _ in range(3): client("10.77.0.1", 8086)'
wait $recording

# A router prohibits.
record server tcpdump-router -i eth0 tcp or icmp
run client 'all = [client("10.99.1.1", 80) for _ in range(3)]'
wait $recording
gzip -f tcpdump-*.pcap
