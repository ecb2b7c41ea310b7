package differential

// deviceDifferences are about devices and their limits.
var deviceDifferences = []difference{
	{of("device"), stricter, like(`dev/a:/.*`), "takes a relative source and fails when the container starts", "refuses it", early},
	{
		of("device"), wider, like(`v/c=.*`),
		"panics at a CDI name with a vendor or class of one letter", "reads it",
		reason{"the naming rules of CDI allow it", ""},
	},
	{
		of("device-cgroup-rule"), stricter, like(`[abc] \S+ rr`),
		"takes a letter twice", "refuses it",
		reason{"twice is a slip for another letter", "options-process 5"},
	},
	{
		of("device-cgroup-rule"), stricter, like(`[abc] (4294967296|9{20}):0 \S+`),
		"takes numbers that no device has", "refuses them",
		reason{"the kernel keeps 32 bits", "options-process 5"},
	},
	{
		of("device-read-bps", "device-write-bps", "device-read-iops", "device-write-iops", "blkio-weight-device"), stricter,
		like(`/dev/(\.\./a)?:[0-9]+(mb)?`),
		"looks at the beginning /dev/ alone", "demands a path below /dev",
		reason{"the path is that of a device", "options-process 0.2"},
	},
	{
		of("device-read-iops", "device-write-iops"), stricter,
		like(`.*:(4294967296|18446744073709551615)`), "takes more than the kernel keeps, which wraps around",
		"refuses it",
		reason{"iops <= 2^32-1", "options-process 15.5"},
	},
	{
		of("gpus"), stricter, like(`0|-1`),
		"takes any number, -1 for all", "takes all or 1 and more",
		reason{"none is no request, and all has a word", "options-process 14"},
	},
	{of("gpus"), stricter, like(`(device|driver)=`), "takes keys without a value", "refuses them", unnoticed},
	{of("gpus"), stricter, like(`1,2`), "takes the last of two counts", "refuses two", unnoticed},
	{
		of("gpus"), stricter, like(`1,device=0|device=0,count=1`),
		"takes a number and names of devices together", "refuses the two",
		reason{"either says which GPUs are meant", ""},
	},
	{of("gpus"), stricter, like(`options==b`), "takes an option without a name", "refuses it", unnoticed},
	{of("gpus"), stricter, like(`all\n.*`), "drops everything behind the first line", "refuses lines", unnoticed},
}
