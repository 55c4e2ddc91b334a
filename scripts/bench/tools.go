package main

// tools are all load generators, ours first.
var tools = []tool{
	{name: oursName, program: swarmProgram},
	{name: storyName, program: storyProgram, cannot: map[string]string{kindFresh: "no: it keeps its connections"}},
	{name: httpName, program: swarmProgram},
	{
		name: "wrk", pack: "wrk",
		args: map[string]string{
			kindHeld:  "-t2 -c {clients} -d3s {url}",
			kindFresh: "-t2 -c {clients} -d {seconds}s {url}",
			kindBurst: "-t2 -c {clients} -d2s {url}",
		},
		cannot: map[string]string{kindPaced: "opens all at once"},
	},
	{
		name: "h2load", pack: "nghttp2-client",
		args: map[string]string{
			kindHeld:  "--h1 -t2 -n {clients} -c {clients} {url}",
			kindFresh: "--h1 -t2 -D {seconds} -c {clients} {url}",
			kindBurst: "--h1 -t2 -n {clients} -c {clients} {url}",
			kindPaced: "--h1 -n {clients} -c {clients} -r 1 --rate-period={gap} {url}",
		},
	},
	{
		name: "autocannon",
		args: map[string]string{
			kindHeld:  "-n -c {clients} -a {clients} {url}",
			kindFresh: "-n -c {clients} -d {seconds} {url}",
			kindBurst: "-n -c {clients} -a {clients} {url}",
		},
		cannot: map[string]string{kindPaced: "paces requests, not connections"},
	},
	{
		name: "hey", pack: "hey",
		args: map[string]string{
			kindHeld:  "-n {clients} -c {clients} {url}",
			kindFresh: "-z {seconds}s -c {clients} -disable-keepalive {url}",
			kindBurst: "-n {clients} -c {clients} {url}",
		},
		cannot: map[string]string{kindPaced: "paces requests, not connections"},
	},
	{
		name: "ab", pack: "apache2-utils",
		args: map[string]string{
			kindHeld:  "-k -r -n {clients} -c {clients} {url}",
			kindFresh: "-r -t {seconds} -n 10000000 -c {clients} {url}",
			kindBurst: "-k -r -n {clients} -c {clients} {url}",
		},
		cannot: map[string]string{kindPaced: "opens all at once"},
	},
	{
		name: "httperf", pack: "httperf",
		args: map[string]string{
			kindFresh: "--hog --server {host} --port {port} --num-conns 60000 --rate 20000 --timeout 5",
			kindBurst: "--hog --server {host} --port {port} --num-conns {clients} --rate 1000000 --timeout 5",
			kindPaced: "--hog --server {host} --port {port} --num-conns {clients} --rate {rate} --timeout 5",
		},
		cannot: map[string]string{kindHeld: "select(2) takes 1,024 descriptors"},
	},
	{
		name: "siege", pack: "siege",
		args: map[string]string{
			kindFresh: "-b -c {clients} -t {seconds}S {url}",
		},
		cannot: map[string]string{
			kindHeld: "takes at most 255 users", kindBurst: "takes at most 255 users", kindPaced: "paces by random delays",
		},
	},
}

// told is what a tool says became of its clients or requests.
type told struct{ OK, Failed int }
