package differential

// pairDifferences are about pairs of a name and a value, on the command line and in files.
var pairDifferences = []difference{
	{
		of("env-file", "label-file"), stricter, like(`.*\x00.*`),
		"takes a NUL byte, with which no process starts", "refuses it",
		reason{"execve cannot carry it", "options-process 2, env"},
	},
	{
		of("label"), otherwise, like(`[ \t]#?A=b`),
		"leaves spaces before the name to it", "drops them",
		reason{"what is not part of the check is not part of the name", "options-process 2, label"},
	},
	{of("annotation"), stricter, like(`(=.*)?`), "refuses a missing name in the daemon", "refuses it when reading", early},
	{of("annotation"), stricter, like(`\s?#?[A-Z]?\s[A-Z]?(=.*)?|[ \t]#?A=b`), "takes spaces in the name", "refuses them", unnoticed},
	{
		of("log-opt"), stricter, like(`[^=]*|=.*`),
		"takes a name or a value alone", "demands both",
		reason{"log options are checked before anything starts", "options-process 9, 15.7"},
	},
}
