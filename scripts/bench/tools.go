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
		cannot: map[string]string{kindPaced: "it opens all at once"},
	},
}

// told is what a tool says became of its clients or requests.
type told struct{ OK, Failed int }
