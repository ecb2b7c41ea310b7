package manual

const mainText = "A runfile (`runfile.yaml` or `runfile.toml`) declares one or many containers with the options of `docker run`. " +
	"`runfile` validates it, plans it into a graph of dependencies, and runs it: as a job of a CI system, as a local " +
	"environment, or as a single container. There is no daemon; what keeps running is one supervisor for each project, " +
	"which ends with its last container.\n\n" +
	"The format of the file is described in `runfile(5)`; `runfile explain` prints any part of it."

var environment = [][2]string{
	{"RUNFILE_FILE", "Runfiles to read, separated as in `PATH`, where `-f` is not given."},
	{"RUNFILE_PROJECT", "Name of the project, where `--project-name` is not given."},
	{"RUNFILE_PROFILES", "Profiles to switch on, separated by commas, where `--profile` is not given."},
	{"RUNFILE_PROGRESS", "How progress is shown, where `--progress` is not given."},
	{"RUNFILE_PARALLEL", "How many steps go on at a time, where `--parallel` is not given."},
	{"RUNFILE_STRICT", "Warnings count as errors, as with `--strict`."},
	{"RUNFILE_USERNS_REMAP", "Whose ids the containers' users have, where no runfile has `userns-remap` in `policy`."},
	{"NO_COLOR", "Nothing is coloured if it is set."},
	{"CI, GITHUB_ACTIONS, GITLAB_CI, GITHUB_STEP_SUMMARY", "Set by CI systems; progress is then plain, and mistakes are annotated as the system shows them."},
	{"DOCKER_CONFIG, DOCKER_AUTH_CONFIG, REGISTRY_AUTH_FILE", "Where the credentials of registries are, as for other tools."},
}

var exitStatus = [][2]string{
	{"0", "All jobs succeeded."},
	{"1", "Several jobs failed, or there is no such container."},
	{"2", "The runfile or the command line is wrong. Nothing was started."},
	{"124", "A job or the run took longer than its timeout."},
	{"125", "`runfile` itself failed."},
	{"126, 127", "The command of the container cannot be run, or is not found."},
	{"128 + N", "The container was killed by signal N."},
	{"other", "The exit status of the one job that failed."},
}

var files = [][2]string{
	{"runfile.yaml, runfile.yml, runfile.toml", "The runfile, looked for in the working directory and the directories above it."},
}

const formatText = "A runfile is written in YAML or TOML; both say the same in the same structure. The keys of a container are the long " +
	"options of `docker run`, spelt and valued as there, and a few of runfile's own. An option that may be given many times " +
	"takes a list, or one value for a list of one; a list of `NAME=VALUE` may also be a map. Relative paths count from the " +
	"directory of the file that holds them. Empty text is the same as leaving the key out.\n\n" +
	"A container is a job, which ends, unless `detach: true`, `restart: always` or `restart: unless-stopped` makes it a " +
	"service. A file with `image` at the top is one container."

const formatExample = `version: 1
project: shop
containers:
  db:
    image: postgres:17
    detach: true
    env: [POSTGRES_PASSWORD=test]
    health-cmd: pg_isready -U postgres
  test:
    image: shop:dev
    command: [shop, test]
    depends-on: [db]
    timeout: 10m
`

const variablesText = "Values, but no keys, may hold `${NAME}`; a bare `$NAME` is literal. The name has to be declared in `vars`, and an undefined " +
	"variable is an error at its place. `${NAME:-text}` gives a default where there is no value or an empty one, " +
	"`${NAME-text}` where there is none, `${NAME:+text}` and `${NAME+text}` a text where there is one, and " +
	"`${NAME:?message}` an error where there is none. `${env.NAME}` is read from the environment without a declaration, " +
	"`${project}` and `${runfile.dir}` are the project's name and the directory of the file. `$${` is a literal `${`.\n\n" +
	"A value comes from the first of `--var`, `--vars-file`, the environment, `vars-file` and the default that has one; " +
	"`runfile vars` shows which."
