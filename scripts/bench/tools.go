package main

// tools are all load generators, ours first.
var tools = []tool{
	{name: oursName, program: swarmProgram, told: swarmTold},
	{name: storyName, program: storyProgram, told: storyTold, cannot: map[string]string{kindFresh: "keeps its connections"}},
	{name: httpName, program: swarmProgram, told: swarmTold},
	{
		name: "wrk", told: wrkTold, pack: "wrk",
		args: map[string]string{
			kindHeld:  "-t2 -c {clients} -d3s -s {script} {url} -- {clients}",
			kindFresh: "-t2 -c {clients} -d {seconds}s {url}",
			kindBurst: "-t2 -c {clients} -d2s -s {script} {url} -- {clients}",
			kindTruth: "-t2 -c {clients} -d2s {url}",
		},
		cannot: map[string]string{kindPaced: "opens all at once"},
		script: wrkOnce,
	},
	{
		name: "h2load", told: h2loadTold, pack: "nghttp2-client",
		args: map[string]string{
			kindHeld:  "--h1 -t2 -n {clients} -c {clients} {url}",
			kindBurst: "--h1 -t2 -n {clients} -c {clients} {url}",
			kindPaced: "--h1 -n {clients} -c {clients} -r 1 --rate-period={gap} {url}",
		},
		cannot: map[string]string{kindFresh: "does not end when the server closes its connections"},
	},
	{
		name: "autocannon", told: autocannonTold,
		args: map[string]string{
			kindHeld:  "-j -n -c {clients} -a {clients} {url}",
			kindFresh: "-j -n -c {clients} -d {seconds} {url}",
			kindBurst: "-j -n -c {clients} -a {clients} {url}",
		},
		cannot: map[string]string{kindPaced: "paces requests, not connections"},
	},
	{
		name: "hey", told: heyTold, pack: "hey",
		args: map[string]string{
			kindHeld:  "-n {clients} -c {clients} {url}",
			kindFresh: "-z {seconds}s -c {clients} -disable-keepalive {url}",
			kindBurst: "-n {clients} -c {clients} {url}",
		},
		cannot: map[string]string{kindPaced: "paces requests, not connections"},
	},
	{
		name: "ab", told: abTold, pack: "apache2-utils",
		args: map[string]string{
			kindHeld:  "-k -r -n {clients} -c {clients} {url}",
			kindFresh: "-r -t {seconds} -n 10000000 -c {clients} {url}",
			kindBurst: "-k -r -n {clients} -c {clients} {url}",
		},
		cannot: map[string]string{kindPaced: "opens all at once"},
	},
	{
		name: "httperf", told: httperfTold, pack: "httperf",
		args: map[string]string{
			kindFresh: "--hog --server {host} --port {port} --num-conns 60000 --rate 20000 --timeout 5",
			kindHeld:  "--hog --server {host} --port {port} --num-conns {clients} --rate 1000000 --timeout 5",
			kindBurst: "--hog --server {host} --port {port} --num-conns {clients} --rate 1000000 --timeout 5",
			kindPaced: "--hog --server {host} --port {port} --num-conns {clients} --rate {rate} --timeout 5",
		},
		most: 1000, // FD_SETSIZE less some
	},
	{
		name: "siege", told: siegeTold, pack: "siege",
		args: map[string]string{
			kindHeld:  "-b -c {clients} -r 1 {url}",
			kindFresh: "-b -c {clients} -r 300 {url}",
			kindBurst: "-b -c {clients} -r 1 {url}",
		},
		cannot: map[string]string{kindPaced: "paces by random delays"},
		most:   255,
	},
}

// wrkOnce has each of wrk's two threads ask once on each of its connections.
const wrkOnce = `
local rest = 0
function init(args) rest = args[1] / 2 end
function delay()
  rest = rest - 1
  if rest >= 0 then return 0 end
  return 60000
end
`
